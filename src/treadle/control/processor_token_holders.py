"""What whoever holds a processor token may ask about it, and that they may give it back."""

from __future__ import annotations

from typing import Any

import msgspec

from treadle.call import ClientCall, ProcessorCall
from treadle.clock import SECOND
from treadle.control.asking import Order
from treadle.control.delegation_answers import TokenGivenBackResponse, TokenIntrospectResponse
from treadle.control.naming_tokens import Text
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.http.errors import ApiError
from treadle.operations import own_operation
from treadle.tokens.decision import Refused, decide_life
from treadle.tokens.delegated import CHOICES
from treadle.tokens.ending import end_tokens
from treadle.tokens.resolving import find_granted, resolve_partner
from treadle.tokens.rows import ProcessorGrant


class TokenIntrospectRequest(Order, kw_only=True):
    """The text of a processor token, as far as the caller can tell."""

    token: Text


class TokenGiveBackRequest(Order, kw_only=True):
    """The token that is to end."""

    processor_token: Text


class HolderCall(ProcessorCall):
    """A call about a token rather than with it, so it is no use of the token."""

    def shown(self, response: msgspec.Struct) -> msgspec.Struct:
        return response

    def note_answered(self) -> None:
        pass


class HolderGate:
    """A client that may use the token that the request names."""

    needs_client = True

    async def open(self, call: ClientCall, request: Any, path: str) -> HolderCall:
        grant = await resolve_partner(call, request.processor_token)
        if grant.account is None:
            raise errors.ITEM_NOT_FOUND().because("the account was removed")
        return HolderCall(call, grant, grant.account)


@own_operation("/treadle/processor_token/introspect", ClientGate(), takes_turn=False)
async def processor_token_introspect(
    call: ClientCall, request: TokenIntrospectRequest
) -> TokenIntrospectResponse:
    """Whether a token can be used, for the client that minted it and for its partners."""
    grant = await _known(call, request.token)
    now = 0 if grant is None else call.services.worlds.now(grant.owner)
    if (
        grant is None
        or grant.account is None
        or grant.item.removed_at is not None
        or isinstance(decide_life(grant.token, now), Refused)
    ):
        return TokenIntrospectResponse(active=False, request_id=call.request_id)
    item, expires_at = grant.item, grant.token.expires_at
    products = grant.products or sorted({*item.billed_products, *item.available_products})
    return TokenIntrospectResponse(
        active=True,
        scope=" ".join(products),
        token_type="processor_token",  # noqa: S106, a kind of token
        sub=grant.account.account_id,
        aud=grant.token.processor or msgspec.UNSET,
        exp=msgspec.UNSET if expires_at is None else expires_at // SECOND,
        request_id=call.request_id,
    )


async def _known(call: ClientCall, text: str) -> ProcessorGrant | None:
    """The grant behind a token that the calling client minted or may use, whatever it is worth."""
    try:
        grant, _ = await find_granted(call, text)
        if grant.token.client_id == call.client.client_id:
            return grant
        return await resolve_partner(call, text)
    except ApiError:
        return None


@own_operation("/treadle/processor_token/give_back", HolderGate())
async def processor_token_give_back(
    call: HolderCall, request: TokenGiveBackRequest
) -> TokenGivenBackResponse:
    """End a token that the calling client holds and no longer wants."""
    token = call.grant.token
    await end_tokens(
        call,
        CHOICES["token_id"],
        {"token_id": token.token_id},
        {
            "token_id": token.token_id,
            "item_id": call.item.item_id,
            "account_id": token.account_id,
        },
        notify=False,
        reason="given back",
    )
    return TokenGivenBackResponse(request_id=call.request_id)
