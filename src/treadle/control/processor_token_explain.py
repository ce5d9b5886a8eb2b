"""Whether a partner may call an operation with a token: now, then, or if something were changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Table, bindparam, select

from treadle.call import ClientCall
from treadle.clients import CLIENT
from treadle.clock import to_datetime
from treadle.control.delegation_answers import ExplainedCheck, TokenExplainResponse
from treadle.control.naming_tokens import AboutToken, Text, named_token
from treadle.control.narrowing import (
    Calls,
    Fields,
    instant_of,
    narrowed_limits,
    wanted_limits,
)
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import own_operation
from treadle.store.delegation_tables import token_limits
from treadle.store.statements import Query
from treadle.store.tables import permissions
from treadle.tokens.decision import Decision, Refused, decide_partner
from treadle.tokens.delegated import Delegated
from treadle.tokens.explaining import Check, Question, explain
from treadle.tokens.limits import UNLIMITED, decode_limits
from treadle.tokens.rows import OWN_GRANT, ProcessorGrant
from treadle.tokens.scope import PROCESSOR_SCOPES
from treadle.wire.base import Request
from treadle.wire.common import Products


def _latest(table: Table, column: str) -> Query[str]:
    """What a token had in force at an instant."""
    return Query(
        select(table.c[column])
        .where(table.c.token_id == bindparam("token_id"))
        .where(table.c.client_id == bindparam("client_id"))
        .where(table.c.created_at <= bindparam("at", type_=BigInteger))
        .order_by(table.c.revision.desc())
        .limit(1),
        str,
    )


_PERMISSIONS_AT = _latest(permissions, "products")
_LIMITS_AT = _latest(token_limits, "limits")


class LimitChange(Request, kw_only=True):
    """As `limits/set` takes them."""

    expires_at: dt.datetime | None = None
    calls: Calls | None = None
    transactions_from: dt.date | None = None
    fields: Fields | None = None


class TokenChange(Request, kw_only=True):
    """What might be done to the token; only what is named changes."""

    products: list[Products] | None = None
    limits: LimitChange | None = None
    revoked: bool = False


class TokenExplainRequest(AboutToken, kw_only=True):
    """A token, and what a partner would call with it."""

    operation: Text
    # Who would call; without it that is not judged.
    partner_client_id: Text | None = None
    # When, if not now.
    at: dt.datetime | None = None
    # What would have been done before.
    change: TokenChange | None = None


@own_operation("/treadle/processor_token/explain", ClientGate(), takes_turn=False)
async def processor_token_explain(
    call: ClientCall, request: TokenExplainRequest
) -> TokenExplainResponse:
    """Every check that decides whether a call goes ahead, with its outcome and reason."""
    token = await named_token(call, request)
    scope = PROCESSOR_SCOPES.get(request.operation)
    if scope is None:
        raise errors.INVALID_FIELD(problem="operation must be the path of a partner's operation")
    rows: dict[str, Any] = {"token_id": token.token_id, "client_id": call.client.client_id}
    grant = await call.first(OWN_GRANT, kind="processor", **rows)
    if grant is None:
        raise errors.PROCESSOR_TOKEN_UNKNOWN()
    at = call.now if request.at is None else instant_of(request.at, "at")
    if at < call.now:
        await _go_back(call, grant, rows, at)
    if request.change is not None:
        _apply(token, grant, request.change, at)
    question = Question(
        grant=grant,
        scope=scope,
        at=at,
        is_past=at < call.now,
        created_at=token.created_at,
        partner=await _decide_partner(call, grant, request.partner_client_id),
    )
    return _answer(call, at, list(explain(question)))


async def _decide_partner(
    call: ClientCall, grant: ProcessorGrant, client_id: str | None
) -> Decision | None:
    """A client that is not there is told of as one that is no partner."""
    if client_id is None:
        return None
    partner = await call.first(CLIENT, client_id=client_id)
    if partner is None or partner.removed_at is not None:
        reason = f"{client_id} is no partner for {grant.token.processor}"
        return Refused(errors.PROCESSOR_TOKEN_UNKNOWN(), reason)
    strict = call.services.settings.strict_partners
    return decide_partner(partner, grant.token, strict=strict)


async def _go_back(call: ClientCall, grant: ProcessorGrant, rows: dict[str, Any], at: int) -> None:
    """Make the grant what it was at an instant, as far as that is recorded."""
    token, item = grant.token, grant.item
    if token.ended_at is not None and token.ended_at > at:
        token.ended_at = None
    if item.removed_at is not None and item.removed_at > at:
        item.removed_at = None
    grant.products_json = await call.first(_PERMISSIONS_AT, at=at, **rows)
    token.limits_json = await call.first(_LIMITS_AT, at=at, **rows)
    limits = UNLIMITED if token.limits_json is None else decode_limits(token.limits_json)
    token.expires_at = None if limits is None else limits.expires_at
    # How many were left then is not recorded.
    token.calls_left = None


def _apply(token: Delegated, grant: ProcessorGrant, change: TokenChange, at: int) -> None:
    """Make the grant what it would be. Raises ApiError for a change that could not be made."""
    if change.products is not None:
        grant.products_json = msgspec.json.encode(change.products).decode()
    if change.limits is not None:
        wanted = wanted_limits(change.limits)
        limits = narrowed_limits(token, wanted)
        grant.token.limits_json, grant.token.expires_at = limits.encode(), limits.expires_at
        if wanted.calls is not None:
            grant.token.calls_left = wanted.calls
    if change.revoked:
        grant.token.ended_at = at


def _answer(call: ClientCall, at: int, checks: list[Check]) -> TokenExplainResponse:
    refusals = [check.decision for check in checks if isinstance(check.decision, Refused)]
    error = refusals[0].error if refusals else None
    kind = None if error is None else error.kind
    return TokenExplainResponse(
        allowed=error is None,
        certain=error is not None or all(check.decision is not None for check in checks),
        error_type=None if kind is None else kind.error_type,
        error_code=None if kind is None else kind.error_code,
        error_message=None if error is None else error.message,
        at=to_datetime(at),
        checks=[_view(check) for check in checks],
        request_id=call.request_id,
    )


def _view(check: Check) -> ExplainedCheck:
    if check.decision is None:
        return ExplainedCheck(name=check.name, outcome="not_recorded", reason=None)
    if isinstance(check.decision, Refused):
        return ExplainedCheck(name=check.name, outcome="refused", reason=check.decision.reason)
    return ExplainedCheck(name=check.name, outcome="passed", reason=None)
