"""The attributes beside the scores. What nobody knows is null; nothing is made up."""

from __future__ import annotations

from typing import Any

from treadle.clock import to_datetime
from treadle.signal.facts import AccountFacts
from treadle.wire.common import AccountSubtype, SignalEvaluateCoreAttributes

_UNKNOWN: dict[str, Any] = dict.fromkeys(SignalEvaluateCoreAttributes.__struct_fields__)
_SAVINGS = (AccountSubtype.SAVINGS, AccountSubtype.MONEY_MARKET)


def core_attributes(facts: AccountFacts, amount: float) -> SignalEvaluateCoreAttributes:
    known: dict[str, Any] = {
        "available_balance": facts.available,
        "current_balance": facts.current,
        "balance_last_updated": to_datetime(facts.balances_at),
        "balance_to_transaction_amount_ratio": _ratio(facts.funds, amount),
        "days_since_first_plaid_connection": facts.item_age_days,
        "is_savings_or_money_market_account": facts.subtype in _SAVINGS,
    }
    return SignalEvaluateCoreAttributes(**{**_UNKNOWN, **known})


def _ratio(funds: float | None, amount: float) -> float | None:
    return None if funds is None else round(funds / amount, 4)
