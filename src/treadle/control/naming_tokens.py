"""How requests name the processor token that they are about: by its text or by its handle."""

from __future__ import annotations

from typing import Annotated

import msgspec

from treadle.call import ClientCall
from treadle.control.asking import Order
from treadle.http import errors
from treadle.tokens.delegated import DELEGATED, Delegated
from treadle.tokens.resolving import find_minted

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class AboutToken(Order, kw_only=True):
    """One of the two."""

    processor_token: Text | None = None
    token_id: Text | None = None


async def named_token(call: ClientCall, request: AboutToken) -> Delegated:
    """A token that the calling client has made, whatever became of it. Raises ApiError."""
    one_of(request, "processor_token", "token_id")
    token_id = request.token_id
    if request.processor_token is not None:
        token_id = (await find_minted(call, request.processor_token)).token.token_id
    found = await call.first(DELEGATED, client_id=call.client.client_id, token_id=token_id, count=1)
    if found is None:
        raise errors.INVALID_FIELD(problem="token_id must name a token that this client has made")
    return found


def one_of(request: Order, *names: str) -> str:
    """The one of some fields that is given. Raises ApiError unless exactly one is."""
    given = [name for name in names if getattr(request, name) is not None]
    if len(given) != 1:
        raise errors.INVALID_FIELD(problem=f"exactly one of {', '.join(names)} must be given")
    return given[0]
