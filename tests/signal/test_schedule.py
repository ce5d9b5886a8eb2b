"""Which days banks are open, and which of them a debit should be tried on."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from treadle.signal.banking_days import banking_day_after, is_banking_day
from treadle.signal.schedule import plan
from treadle.wire.signal import RecommendationString, SignalScheduleDefaultPaymentMethod

SAME_DAY = SignalScheduleDefaultPaymentMethod.SAME_DAY_ACH
STANDARD = SignalScheduleDefaultPaymentMethod.STANDARD_ACH
EITHER = SignalScheduleDefaultPaymentMethod.MULTIPLE_PAYMENT_METHODS

days = some.dates(dt.date(2022, 1, 1), dt.date(2100, 1, 1))
risks = some.none() | some.integers(1, 99)
methods = some.sampled_from([None, *SignalScheduleDefaultPaymentMethod])

# The weekdays on which the Federal Reserve is closed.
CLOSED = {
    2023: "01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-23 12-25",
    2026: "01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25",
}


@pytest.mark.parametrize("year", CLOSED)
def test_the_holidays_of_a_year(year: int) -> None:
    first = dt.date(year, 1, 1)
    every = [first + dt.timedelta(days=number) for number in range(365)]
    closed = [f"{day:%m-%d}" for day in every if day.weekday() < 5 and not is_banking_day(day)]
    assert closed == CLOSED[year].split()
    assert not any(is_banking_day(day) for day in every if day.weekday() >= 5)


def test_banking_days_are_counted_over_a_long_weekend() -> None:
    friday = dt.date(2026, 9, 4)
    assert banking_day_after(friday, 0) == friday
    assert banking_day_after(friday, 1) == dt.date(2026, 9, 8)
    assert banking_day_after(friday, 3) == dt.date(2026, 9, 10)


@given(risks, days, methods)
def test_every_banking_day_of_the_coming_week_is_told_of_once(
    risk: int | None, today: dt.date, method: SignalScheduleDefaultPaymentMethod | None
) -> None:
    schedule = plan(risk, today, method)
    told = [one.date for one in schedule.recommendations]
    week = [today + dt.timedelta(days=number) for number in range(1, 8)]
    assert told == [day for day in week if is_banking_day(day)]
    ranked = [one for one in schedule.recommendations if one.rank is not None]
    assert [one.rank for one in ranked] == list(range(1, len(ranked) + 1))
    assert all(one.recommendation is RecommendationString.RECOMMENDED for one in ranked)
    assert schedule.optimal_date == (ranked[0].date if ranked else None)


@given(some.integers(1, 98), some.integers(1, 98), days, methods)
def test_a_higher_risk_never_recommends_more(
    one: int, other: int, today: dt.date, method: SignalScheduleDefaultPaymentMethod | None
) -> None:
    low, high = (
        sum(day.rank is not None for day in plan(risk, today, method).recommendations)
        for risk in sorted((one, other))
    )
    assert high <= low


@given(some.integers(1, 99), days)
def test_a_debit_that_settles_later_is_recommended_less(risk: int, today: dt.date) -> None:
    same_day, standard, either, unspecified = (
        plan(risk, today, method) for method in (SAME_DAY, STANDARD, EITHER, None)
    )
    assert standard == either == unspecified
    kept = [one.date for one in standard.recommendations if one.rank]
    assert set(kept) <= {one.date for one in same_day.recommendations if one.rank}


def test_how_payment_methods_differ() -> None:
    tuesday = dt.date(2026, 6, 2)

    def recommended(method: SignalScheduleDefaultPaymentMethod) -> list[int]:
        ranked = [one for one in plan(45, tuesday, method).recommendations if one.rank]
        return [one.date.day for one in ranked if one.date]

    assert recommended(SAME_DAY) == [3, 4, 5]
    assert recommended(STANDARD) == []


def test_unknown_funds_recommend_nothing_and_rule_nothing_out() -> None:
    schedule = plan(None, dt.date(2026, 6, 2), None)
    assert schedule.optimal_date is None
    assert {one.recommendation for one in schedule.recommendations} == {
        RecommendationString.UNKNOWN
    }
    assert {one.rank for one in schedule.recommendations} == {None}
