"""What a record must be beyond what its type says, and money as it is stored."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

# No date before or after these overflows.
_YEARS = range(1900, 2200)
_MOST = 1e15


class Refused(Exception):
    """A record that is not taken; the message says what is wrong with it."""


def money(value: Decimal, name: str) -> float:
    """The double that a client of the API reads as exactly this value."""
    number = float(value)
    if not -_MOST < number < _MOST:
        raise Refused(f"{name} must be a number below 10 to the 15th")
    if Decimal(repr(number)) != value:
        raise Refused(f"{name} must have no more than 15 significant digits")
    # There is no negative zero.
    return number or 0.0


def optional_money(value: Decimal | None, name: str) -> float | None:
    return None if value is None else money(value, name)


def check_date(value: dt.date | None, name: str) -> None:
    if value is not None and value.year not in _YEARS:
        raise Refused(f"{name} must be from {_YEARS.start} to {_YEARS.stop - 1}")


def check_currency(iso: str | None, unofficial: str | None, name: str = "") -> None:
    if iso is not None and unofficial is not None:
        raise Refused(f"{name}iso_currency_code and unofficial_currency_code exclude each other")
