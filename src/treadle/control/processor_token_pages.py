"""A link that a user opens to see which partners hold what of their Items, and to take it back."""

from __future__ import annotations

from typing import Annotated

import msgspec

from treadle.call import ClientCall
from treadle.clock import to_datetime
from treadle.control.asking import Order
from treadle.control.delegation_answers import TokenPageCreateResponse
from treadle.control.naming_tokens import Text
from treadle.gates import ClientGate
from treadle.grants.holder import LINK_LIFE, Holder
from treadle.operations import own_operation
from treadle.tokens.resolving import resolve

PATH = "/grants"

_Items = Annotated[list[Text], msgspec.Meta(min_length=1, max_length=20)]


class TokenPageCreateRequest(Order, kw_only=True):
    """The user's Items, each by its access token."""

    access_tokens: _Items


@own_operation("/treadle/processor_token/page/create", ClientGate(), takes_turn=False)
async def processor_token_page_create(
    call: ClientCall, request: TokenPageCreateRequest
) -> TokenPageCreateResponse:
    """Make a link to the page of one user; whoever opens it first is taken for that user."""
    item_ids = [
        (await resolve(call, text, "access")).item.item_id for text in request.access_tokens
    ]
    until = call.services.clock.now() + LINK_LIFE
    holder = Holder(call.client.client_id, list(dict.fromkeys(item_ids)), until)
    link = holder.sealed(call.services.keys, "link")
    return TokenPageCreateResponse(
        page_url=f"{call.services.settings.browser_url}{PATH}?link={link}",
        expires_at=to_datetime(until),
        request_id=call.request_id,
    )
