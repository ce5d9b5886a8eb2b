"""Tokens that stand where they should not: found in a text, ended and told of."""

from __future__ import annotations

from typing import Annotated

import msgspec

from treadle.call import ClientCall
from treadle.control.asking import Order
from treadle.control.delegation_answers import LeakedToken, LeakOutcome, TokenLeaksReportResponse
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import own_operation
from treadle.tokens.delegated import CHOICES
from treadle.tokens.ending import end_tokens
from treadle.tokens.minting import Kind, mint
from treadle.tokens.resolving import find_own
from treadle.tokens.rows import END_TOKEN, Grant
from treadle.tokens.scanning import find_tokens
from treadle.webhooks.events import tell_item
from treadle.wire.webhooks import WebhookEnvironmentValues

_MOST = 200
# The body around it may repeat the credentials.
_MAX_LENGTH = 1_000_000

_Leak = Annotated[str, msgspec.Meta(min_length=1, max_length=_MAX_LENGTH)]


class TokenLeaked(msgspec.Struct, kw_only=True):
    """A webhook of Treadle's own: a token of the Item stood in a text that was reported."""

    webhook_type: str
    webhook_code: str
    item_id: str
    token_id: str
    kind: str
    outcome: LeakOutcome
    error: None
    environment: WebhookEnvironmentValues


class TokenLeaksReportRequest(Order, kw_only=True):
    """Any text, such as a log, a page or a file."""

    text: _Leak
    # Else the access tokens in it live on until the client rotates them.
    rotate_access_tokens: bool = False


@own_operation("/treadle/processor_token/leaks/report", ClientGate())
async def processor_token_leaks_report(
    call: ClientCall, request: TokenLeaksReportRequest
) -> TokenLeaksReportResponse:
    """Find the client's tokens in a text and end them; access tokens only when asked to."""
    found = list(find_tokens(request.text, call.environment))
    if len(found) > _MOST:
        raise errors.INVALID_FIELD(problem=f"text must not hold more than {_MOST} tokens")
    leaked = []
    for kind, text in found:
        grant = await find_own(call, text, kind)
        if grant is not None:
            outcome = await _end(call, kind, grant)
            if outcome == "to_be_rotated" and request.rotate_access_tokens:
                leaked.append(_rotate(call, grant))
            else:
                leaked.append(_told(call, kind, grant, outcome))
    return TokenLeaksReportResponse(
        leaked=leaked, unknown=len(found) - len(leaked), request_id=call.request_id
    )


async def _end(call: ClientCall, kind: Kind, grant: Grant) -> LeakOutcome:
    token, item = grant.token, grant.item
    if token.ended_at is not None or item.removed_at is not None:
        return "was_over"
    if kind == "access":
        # Without one its client could reach the Item no more.
        return "to_be_rotated"
    if kind == "public":
        _end_alone(call, grant)
    else:
        name = {"token_id": token.token_id}
        subject = {**name, "item_id": item.item_id, "account_id": token.account_id}
        await end_tokens(call, CHOICES["token_id"], name, subject, notify=True, reason="leaked")
    return "revoked"


def _rotate(call: ClientCall, grant: Grant) -> LeakedToken:
    """Give the client another access token in the place of the leaked one."""
    _end_alone(call, grant)
    told = _told(call, "access", grant, "rotated")
    told.new_access_token = mint(call, "access", grant.item.item_id)
    return told


def _end_alone(call: ClientCall, grant: Grant) -> None:
    token = grant.token
    call.change.write(
        END_TOKEN,
        the_token_id=token.token_id,
        the_client_id=token.client_id,
        ended_at=call.now,
    )


def _told(call: ClientCall, kind: Kind, grant: Grant, outcome: LeakOutcome) -> LeakedToken:
    """Record a leak that matters and tell the Item's webhook of it."""
    token, item = grant.token, grant.item
    names = {"item_id": item.item_id, "token_id": token.token_id}
    if outcome != "was_over":
        detail = {"kind": kind, "outcome": outcome}
        call.record("token.leak", **names, account_id=token.account_id, detail=detail)
        tell_item(
            call,
            item,
            TokenLeaked,
            "TOKEN",
            "TOKEN_LEAKED",
            token_id=token.token_id,
            kind=kind,
            outcome=outcome,
            error=None,
        )
    return LeakedToken(**names, kind=kind, outcome=outcome)
