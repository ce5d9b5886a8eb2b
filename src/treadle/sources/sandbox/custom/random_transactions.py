"""Transactions for an account of which a custom user lists none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final, NamedTuple

from treadle.sources.sandbox.custom.drawing import Draw
from treadle.sources.sandbox.custom.kinds import Kind
from treadle.sources.sandbox.custom.movement import Movement, days_between, made
from treadle.wire.common import AccountSubtype

# On that many days of a hundred something is bought.
_PURCHASE_PERCENT: Final = 60
_PURCHASES: Final = (
    ("McDonald's", 6, 18),
    ("Starbucks", 4, 12),
    ("Chipotle", 9, 22),
    ("Dunkin'", 3, 11),
    ("Whole Foods Market", 18, 120),
    ("Trader Joe's", 15, 90),
    ("Safeway", 12, 110),
    ("Costco", 40, 220),
    ("Walmart", 10, 130),
    ("Target", 12, 120),
    ("Amazon.com", 8, 95),
    ("CVS Pharmacy", 5, 45),
    ("Walgreens", 5, 40),
    ("Shell", 25, 60),
    ("Chevron", 25, 65),
    ("Uber", 8, 35),
    ("Lyft", 8, 35),
    ("Home Depot", 15, 160),
)


class _Regular(NamedTuple):
    """What comes again after so many days, in an amount that the seed decides on."""

    description: str
    every_days: int
    # So many days before the Item was made it came last.
    days_ago: int
    low: float
    high: float


_EVERYDAY: Final = (
    _Regular("Direct Deposit Payroll", 14, 3, -1_050, -900),
    _Regular("Monthly Rent", 30, 12, 900, 1_150),
    _Regular("Electric and Gas Utility", 30, 20, 60, 140),
    _Regular("Netflix", 30, 7, 15.49, 15.49),
)
_SAVING: Final = (
    _Regular("Transfer from Checking", 30, 5, -400, -100),
    _Regular("Interest Payment", 30, 1, -9, -1),
)
_CREDIT: Final = (
    _Regular("Automatic Payment - Thank You", 30, 9, -900, -600),
    _Regular("Spotify", 30, 16, 11.99, 11.99),
)
_LOAN: Final = (_Regular("Monthly Payment", 30, 10, -450, -150),)
_SAVING_SUBTYPES: Final = {
    AccountSubtype.SAVINGS,
    AccountSubtype.CD,
    AccountSubtype.MONEY_MARKET,
    AccountSubtype.HSA,
}


def random_transactions(
    draw: Draw, kind: Kind, created: dt.date, since: dt.date, through: dt.date
) -> list[Movement]:
    """What happened from one day through another, both included.

    What happens on a day follows from the seed and from how far the day lies from the day on
    which the Item was made: it stays as it is while time goes on, and the same seed puts the same
    transactions so many days before the Item.
    """
    regulars = _regulars(kind)
    buys = regulars in (_EVERYDAY, _CREDIT)
    found: list[Movement] = []
    for date in days_between(since, through):
        day = (date - created).days
        found += _due(draw, regulars, day, date)
        of_day = draw.of("purchase", day)
        if buys and of_day.chance(_PURCHASE_PERCENT):
            description, low, high = of_day.choice(_PURCHASES)
            found.append(made("purchase", date, of_day.money(low, high), description))
    return found


def _due(draw: Draw, regulars: tuple[_Regular, ...], day: int, date: dt.date) -> Iterator[Movement]:
    for regular in regulars:
        if (day + regular.days_ago) % regular.every_days == 0:
            amount = draw.of(regular.description).money(regular.low, regular.high)
            yield made(regular.description, date, amount, regular.description)


def _regulars(kind: Kind) -> tuple[_Regular, ...]:
    match kind.type:
        case "depository":
            return _SAVING if kind.subtype in _SAVING_SUBTYPES else _EVERYDAY
        case "credit":
            return _CREDIT
        case "loan":
            return _LOAN
    return ()
