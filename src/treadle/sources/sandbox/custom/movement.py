"""Money that moves on an account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from treadle.sources.sandbox.custom.values import DayOfMonth


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction; a positive amount leaves the account."""

    # Names it within its account, the same at every look.
    key: str
    date: dt.date
    # It is pending until then.
    posted: dt.date
    amount: float
    description: str
    # None stands for the currency of the account.
    currency: str | None = None


def made(key: str, date: dt.date, amount: float, description: str) -> Movement:
    """A transaction that is posted at once."""
    return Movement(
        key=f"{key}:{date}", date=date, posted=date, amount=amount, description=description
    )


def days_between(since: dt.date, through: dt.date) -> Iterator[dt.date]:
    for number in range(since.toordinal(), through.toordinal() + 1):
        yield dt.date.fromordinal(number)


def is_day_of_month(date: dt.date, day: DayOfMonth) -> bool:
    if day == "last":
        return (date + dt.timedelta(days=1)).day == 1
    return date.day == day
