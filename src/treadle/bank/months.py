"""Counting in calendar months."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day so many months later, or the last one of a month that has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return dt.date(year, month, min(day.day, monthrange(year, month)[1]))


def whole_months(since: dt.date, until: dt.date) -> int:
    """How many months have passed from one day to another."""
    months = (until.year - since.year) * 12 + until.month - since.month
    return months if add_months(since, months) <= until else months - 1
