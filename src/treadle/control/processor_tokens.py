"""The processor tokens that a client has made: listed, and ended one by one or all together."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from treadle.call import ClientCall
from treadle.control.asking import Order
from treadle.control.delegation_answers import TokenListResponse, TokenRevokeResponse
from treadle.control.naming_tokens import AboutToken, Text, named_token, one_of
from treadle.control.token_views import listed_token
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import own_operation
from treadle.partners.processors import PROCESSORS
from treadle.tokens.delegated import CHOICES, ITEM_EXISTS, PAGE, REVISION, page_of
from treadle.tokens.ending import end_tokens

_Count = Annotated[int, msgspec.Meta(ge=1, le=PAGE)]


class TokenListRequest(Order, kw_only=True):
    """Which tokens; without an Item or a processor those of all."""

    item_id: Text | None = None
    processor: Text | None = None
    count: _Count = 100
    # The `next_cursor` of the answer before.
    cursor: Text | None = None


class TokenRevokeRequest(AboutToken, kw_only=True):
    """Which tokens are to end: one, all of a processor or all of an Item."""

    processor: Text | None = None
    item_id: Text | None = None
    # Whether partners that have set a webhook for a token are told.
    notify: bool = False
    # Whether it was the user's wish; the record says so.
    taken_back: bool = False


@own_operation("/treadle/processor_token/list", ClientGate(), takes_turn=False)
async def processor_token_list(call: ClientCall, request: TokenListRequest) -> TokenListResponse:
    """The processor tokens that the client has made, the oldest first."""
    # What other workers have counted follows within seconds.
    await call.services.usage.flush()
    query, rows = page_of(
        call.client.client_id,
        request.item_id or "",
        request.processor or "",
        request.cursor or "",
    )
    found = await call.all(query, count=request.count + 1, **rows)
    page, further = found[: request.count], found[request.count :]
    return TokenListResponse(
        processor_tokens=[listed_token(token, call.now) for token in page],
        next_cursor=page[-1].token_id if further else None,
        request_id=call.request_id,
    )


@own_operation("/treadle/processor_token/revoke", ClientGate())
async def processor_token_revoke(
    call: ClientCall, request: TokenRevokeRequest
) -> TokenRevokeResponse:
    """End processor tokens; once this has answered, no call with them succeeds."""
    choice, rows, subject = await _chosen(call, request)
    reason = "taken back by the user" if request.taken_back else "revoked"
    revoked = await end_tokens(
        call, CHOICES[choice], rows, subject, notify=request.notify, reason=reason
    )
    # It is in force before it is answered, and so is its revision.
    await call.commit()
    revision = await call.first(REVISION, client_id=call.client.client_id) or 0
    return TokenRevokeResponse(revoked=revoked, revision=revision, request_id=call.request_id)


async def _chosen(
    call: ClientCall, request: TokenRevokeRequest
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """How the tokens are chosen, by which value, and what the record says of them."""
    match one_of(request, "processor_token", "token_id", "processor", "item_id"):
        case "processor":
            if request.processor not in PROCESSORS:
                problem = "processor must be one of the supported processors"
                raise errors.INVALID_FIELD(problem=problem)
            rows: dict[str, Any] = {"processor": request.processor}
            return "processor", rows, {"detail": dict(rows)}
        case "item_id":
            rows = {"item_id": request.item_id}
            if await call.first(ITEM_EXISTS, client_id=call.client.client_id, **rows) is None:
                raise errors.INVALID_FIELD(problem="item_id must name an Item of this client")
            return "item_id", rows, rows
    token = await named_token(call, request)
    rows = {"token_id": token.token_id}
    return "token_id", rows, {**rows, "item_id": token.item_id, "account_id": token.account_id}
