"""Processor tokens as their own client is told of them."""

from __future__ import annotations

from treadle.clock import to_datetime
from treadle.control.delegation_answers import ListedToken, TokenLimits
from treadle.tokens.delegated import Delegated
from treadle.tokens.limits import Limits


def listed_token(token: Delegated, now: int) -> ListedToken:
    return ListedToken(
        token_id=token.token_id,
        item_id=token.item_id,
        account_id=token.account_id,
        processor=token.processor,
        products=list(token.products),
        state=token.state(now),
        created_at=to_datetime(token.created_at),
        calls=token.calls,
        last_used_at=None if token.last_used_at is None else to_datetime(token.last_used_at),
        limits=limits_view(token.limits, token.calls_left),
    )


def limits_view(limits: Limits | None, calls_left: int | None) -> TokenLimits:
    # A token with a limit that this version does not know may read nothing.
    limits = limits or Limits(fields=frozenset())
    return TokenLimits(
        expires_at=None if limits.expires_at is None else to_datetime(limits.expires_at),
        calls=limits.calls,
        calls_left=calls_left,
        transactions_from=limits.transactions_from,
        fields=None if limits.fields is None else sorted(limits.fields),
    )
