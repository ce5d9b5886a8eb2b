"""Limits of a processor token beside its products: set, where they narrow it, and shown."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, func, insert, or_, select, update

from treadle.call import ClientCall
from treadle.control.delegation_answers import TokenLimitsResponse
from treadle.control.naming_tokens import AboutToken, named_token
from treadle.control.narrowing import Calls, Fields, narrowed_limits, wanted_limits
from treadle.control.token_views import limits_view
from treadle.gates import ClientGate
from treadle.journal.withdrawals import LimitsSet
from treadle.operations import own_operation
from treadle.store.delegation_tables import token_limits
from treadle.store.statements import Write
from treadle.store.tables import tokens

_calls = bindparam("the_calls", type_=BigInteger)
# Touches no row when other limits were set meanwhile, or fewer calls are left than are to be.
_SET_LIMITS = Write(
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .where(tokens.c.limits.is_not_distinct_from(bindparam("seen_limits")))
    .where(or_(_calls.is_(None), tokens.c.calls_left.is_(None), tokens.c.calls_left >= _calls))
    .values(
        limits=bindparam("the_limits"),
        expires_at=bindparam("the_expiry"),
        calls_left=func.coalesce(_calls, tokens.c.calls_left),
    )
)
_revisions = token_limits.alias("revisions")
APPEND_LIMITS = Write(
    insert(token_limits)
    .inline()
    .values(
        token_id=bindparam("the_token_id"),
        revision=select(func.coalesce(func.max(_revisions.c.revision), 0) + 1)
        .where(_revisions.c.token_id == bindparam("the_token_id"))
        .scalar_subquery(),
        client_id=bindparam("the_client_id"),
        limits=bindparam("the_limits"),
        created_at=bindparam("the_instant"),
    )
)


class LimitsSetRequest(AboutToken, kw_only=True):
    """The limits that are to be narrowed; those left out stay as they are."""

    expires_at: dt.datetime | None = None
    # How many calls are answered from now on.
    calls: Calls | None = None
    # The day of the oldest transaction that is told.
    transactions_from: dt.date | None = None
    fields: Fields | None = None


class LimitsGetRequest(AboutToken, kw_only=True):
    """Nothing else is asked."""


@own_operation("/treadle/processor_token/limits/set", ClientGate())
async def processor_token_limits_set(
    call: ClientCall, request: LimitsSetRequest
) -> TokenLimitsResponse:
    """Narrow what a processor token may do; nothing widens it again."""
    token = await named_token(call, request)
    wanted = wanted_limits(request)
    limits = narrowed_limits(token, wanted)
    rows: dict[str, Any] = {
        "the_token_id": token.token_id,
        "the_client_id": call.client.client_id,
        "the_limits": limits.encode(),
    }
    call.change.write(
        _SET_LIMITS,
        the_calls=wanted.calls,
        the_expiry=limits.expires_at,
        seen_limits=token.limits_json,
        **rows,
    )
    # After the token's row was written, which no two Changes do at once.
    call.change.write(APPEND_LIMITS, the_instant=call.now, **rows)
    call.change.withdraw(
        LimitsSet(
            call.client.client_id,
            call.now,
            token.token_id,
            limits.encode(),
            limits.expires_at,
            wanted.calls,
        )
    )
    call.record(
        "processor_token.limits_set",
        item_id=token.item_id,
        account_id=token.account_id,
        token_id=token.token_id,
        detail=msgspec.to_builtins(wanted),
    )
    calls_left = token.calls_left if wanted.calls is None else wanted.calls
    return TokenLimitsResponse(
        token_id=token.token_id,
        limits=limits_view(limits, calls_left),
        request_id=call.request_id,
    )


@own_operation("/treadle/processor_token/limits/get", ClientGate(), takes_turn=False)
async def processor_token_limits_get(
    call: ClientCall, request: LimitsGetRequest
) -> TokenLimitsResponse:
    """What a processor token is limited to, and how many calls it has left."""
    token = await named_token(call, request)
    return TokenLimitsResponse(
        token_id=token.token_id,
        limits=limits_view(token.limits, token.calls_left),
        request_id=call.request_id,
    )
