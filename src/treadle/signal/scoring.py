"""The two risks of a debit, from 1 to 99. `docs/signal.md` tells what they are made of."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import msgspec

from treadle.signal.facts import AccountFacts, Debit
from treadle.wire.common import AccountSubtype

LOWEST = 1
HIGHEST = 99


class Scores(msgspec.Struct, frozen=True):
    """The risk that the bank sends a debit back, and that the account's holder does."""

    bank_initiated: int
    customer_initiated: int

    @property
    def bank_tier(self) -> int:
        return 1 + bisect_right(_BANK_TIERS, self.bank_initiated)

    @property
    def customer_tier(self) -> int:
        return 1 + bisect_right(_CUSTOMER_TIERS, self.customer_initiated)

    @property
    def highest(self) -> int:
        return max(self.bank_initiated, self.customer_initiated)


# The amounts, in cents, for which a sandbox answers the same whatever the account.
KNOWN_OUTCOMES = {
    11_11: Scores(5, 5),
    22_22: Scores(30, 30),
    33_33: Scores(55, 55),
    44_44: Scores(75, 75),
    55_55: Scores(98, 98),
    66_66: Scores(98, 5),
    77_77: Scores(5, 98),
}

# The scores at which the second tier and those after it begin.
_BANK_TIERS = (10, 20, 30, 40, 55, 70, 85)
_CUSTOMER_TIERS = (20, 40, 60, 80)


class _Steps(msgspec.Struct, frozen=True):
    """Points that rise with a number: those of the first limit that it does not pass."""

    limits: tuple[int, ...]
    # One more than there are limits: the last is for what passes them all.
    points: tuple[int, ...]

    def of(self, number: int) -> int:
        return self.points[bisect_left(self.limits, number)]


_BY_PERCENT_OF_FUNDS = _Steps((25, 50, 80, 100, 120, 200), (3, 8, 18, 35, 60, 75, 85))
_BY_CENTS = _Steps((100_00, 500_00, 1_000_00, 5_000_00), (5, 8, 12, 18, 26))
_UNKNOWN_FUNDS = 45

_SAVINGS = 4
_RECURRING = -3
_HOLDER_DIFFERS = 25
# For how many whole days an Item counts as new, and what that adds.
_BANK_BY_AGE = _Steps((6, 29), (6, 3, 0))
_CUSTOMER_BY_AGE = _Steps((6, 29), (8, 4, 0))
_EACH_RETURN = 20
_MAX_RETURNS = 3


def score(facts: AccountFacts, debit: Debit, *, known_outcomes: bool) -> Scores:
    """The risks of a debit. `known_outcomes` lets the amounts that have one go first."""
    if known_outcomes and debit.amount_cents in KNOWN_OUTCOMES:
        return KNOWN_OUTCOMES[debit.amount_cents]
    return Scores(_bank_initiated(facts, debit), _customer_initiated(facts, debit))


def _bank_initiated(facts: AccountFacts, debit: Debit) -> int:
    funds = facts.funds_cents
    if funds is None:
        points = _UNKNOWN_FUNDS
    elif funds <= 0:
        points = _BY_PERCENT_OF_FUNDS.points[-1]
    else:
        points = _BY_PERCENT_OF_FUNDS.of(_percent_rounded_up(debit.amount_cents, funds))
    points += _BANK_BY_AGE.of(facts.item_age_days)
    points += _EACH_RETURN * min(facts.bank_returns, _MAX_RETURNS)
    if facts.subtype is AccountSubtype.SAVINGS:
        points += _SAVINGS
    if debit.is_recurring:
        points += _RECURRING
    return _within_bounds(points)


def _customer_initiated(facts: AccountFacts, debit: Debit) -> int:
    points = _BY_CENTS.of(debit.amount_cents)
    points += _CUSTOMER_BY_AGE.of(facts.item_age_days)
    points += _EACH_RETURN * min(facts.customer_returns, _MAX_RETURNS)
    if debit.holder_matches is False:
        points += _HOLDER_DIFFERS
    if debit.is_recurring:
        points += _RECURRING
    return _within_bounds(points)


def _percent_rounded_up(part: int, whole: int) -> int:
    return -(-100 * part // whole)


def _within_bounds(points: int) -> int:
    return max(LOWEST, min(points, HIGHEST))
