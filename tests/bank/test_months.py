"""Counting in calendar months."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treadle.bank.months import add_months, whole_months

DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 31), -2, date(2025, 11, 30)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 6, 1), 0, date(2026, 6, 1)),
    ],
)
def test_a_day_so_many_months_later(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@given(DAYS, DAYS)
def test_whole_months_are_all_that_fit(since: date, until: date) -> None:
    months = whole_months(since, until)
    assert add_months(since, months) <= until < add_months(since, months + 1)
