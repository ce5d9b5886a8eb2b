"""Recurring streams: what is found among transactions, what is not, and what stays the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treadle.bank.months import add_months
from treadle.bank.recurring import Occurrence, Stream, find_streams
from treadle.http.fields import is_identifier
from treadle.views.recurring import stream_view
from treadle.wire.common import PersonalFinanceCategory

FIRST = dt.date(2025, 1, 3)


def every(days: int, times: int, start: dt.date = FIRST) -> list[dt.date]:
    return [start + dt.timedelta(days=number * days) for number in range(times)]


def monthly(times: int, start: dt.date = FIRST, months: int = 1) -> list[dt.date]:
    return [add_months(start, number * months) for number in range(times)]


def working_days(days: Iterable[dt.date]) -> list[dt.date]:
    """What falls on a weekend is paid on the Monday after."""
    return [day + dt.timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0)) for day in days]


def payments(
    days: Iterable[dt.date], amounts: float | list[float] = 25.0, name: str = "ACME", **members: Any
) -> list[Occurrence]:
    days = list(days)
    each = amounts if isinstance(amounts, list) else [amounts] * len(days)
    return [
        Occurrence(
            transaction_id=f"{name} {day} {amount} {number}",
            account_id=members.get("account_id", "checking"),
            date=day,
            amount=amount,
            name=name,
            iso_currency_code="USD",
            **{key: value for key, value in members.items() if key != "account_id"},
        )
        for number, day, amount in zip(count(), days, each, strict=False)
    ]


def shown(streams: list[Stream]) -> list[tuple[str, str, int]]:
    return [(one.frequency.value, one.status.value, len(one.occurrences)) for one in streams]


class Scenario(NamedTuple):
    occurrences: list[Occurrence]
    # Days since the last payment.
    waited: int
    # Frequency, status and number of payments of each stream.
    expected: list[tuple[str, str, int]]


JANUARY = dt.date(2025, 1, 1)
MIDDLES_AND_ENDS = sorted([*monthly(5, dt.date(2025, 1, 15)), *monthly(5, dt.date(2025, 1, 31))])
FIRSTS_AND_FIFTEENTHS = sorted([*monthly(4, JANUARY), *monthly(4, dt.date(2025, 1, 15))])
SCENARIOS = {
    "payroll every two weeks": Scenario(
        payments(every(14, 8), [-2100.13, -2087.4, -2100.13, -2295.0] * 2),
        10,
        [("BIWEEKLY", "MATURE", 8)],
    ),
    "payroll twice a month, moved by weekends": Scenario(
        payments(working_days(FIRSTS_AND_FIFTEENTHS), -1800.0), 5, [("SEMI_MONTHLY", "MATURE", 8)]
    ),
    "payroll in the middle and at the end of each month": Scenario(
        payments(MIDDLES_AND_ENDS, -1800.0), 5, [("SEMI_MONTHLY", "MATURE", 10)]
    ),
    "allowance every week": Scenario(payments(every(7, 3), -20.0), 1, [("WEEKLY", "MATURE", 3)]),
    "rent on the first, moved by weekends": Scenario(
        payments(working_days(monthly(12, JANUARY)), 1450.0), 20, [("MONTHLY", "MATURE", 12)]
    ),
    "rent at the end of each month": Scenario(
        payments(monthly(6, dt.date(2025, 1, 31)), 1450.0), 20, [("MONTHLY", "MATURE", 6)]
    ),
    "cycle of thirty days": Scenario(payments(every(30, 24)), 3, [("MONTHLY", "MATURE", 24)]),
    "bill of another amount each month": Scenario(
        payments(monthly(6), [40.2, 155.0, 93.7, 61.1, 120.9, 48.3]),
        20,
        [("MONTHLY", "MATURE", 6)],
    ),
    "bill that was paid late once": Scenario(
        payments([*monthly(5), dt.date(2025, 6, 11), *monthly(4, dt.date(2025, 7, 3))]),
        20,
        [("MONTHLY", "MATURE", 10)],
    ),
    "bill that was forgotten once": Scenario(
        payments([*monthly(4), *monthly(4, dt.date(2025, 6, 3))]), 20, [("MONTHLY", "MATURE", 8)]
    ),
    "bill of each quarter": Scenario(
        payments(monthly(4, months=3)), 20, [("UNKNOWN", "MATURE", 4)]
    ),
    "annual subscription, twice": Scenario(
        payments(monthly(2, months=12), [100.0, 109.0]), 40, [("ANNUALLY", "MATURE", 2)]
    ),
    "monthly subscription, twice": Scenario(
        payments(monthly(2)), 20, [("MONTHLY", "EARLY_DETECTION", 2)]
    ),
    "monthly subscription, twice and no more": Scenario(
        payments(monthly(2)), 50, [("MONTHLY", "TOMBSTONED", 2)]
    ),
    "a payment that is a little late": Scenario(
        payments(monthly(6)), 37, [("MONTHLY", "MATURE", 6)]
    ),
    "cancelled subscription": Scenario(payments(monthly(6)), 39, [("MONTHLY", "TOMBSTONED", 6)]),
    "subscription that was cancelled and taken up again": Scenario(
        payments([*monthly(6), *monthly(4, dt.date(2025, 12, 3))]),
        20,
        [("MONTHLY", "TOMBSTONED", 6), ("MONTHLY", "MATURE", 4)],
    ),
    "subscription that was taken up again just now": Scenario(
        payments([*monthly(6), dt.date(2025, 12, 3)]), 20, [("MONTHLY", "TOMBSTONED", 6)]
    ),
    "price that rose": Scenario(
        payments(monthly(8), [9.99] * 4 + [15.99] * 4), 20, [("MONTHLY", "MATURE", 8)]
    ),
    "two subscriptions of one merchant": Scenario(
        payments(monthly(6), 2.99) + payments(monthly(5, dt.date(2025, 1, 19)), 14.99),
        0,
        [("MONTHLY", "MATURE", 6), ("MONTHLY", "MATURE", 5)],
    ),
    "two subscriptions of one merchant on one day, alike in price": Scenario(
        payments(monthly(6), 9.99) + payments(monthly(6), 11.49),
        0,
        [("MONTHLY", "MATURE", 6), ("MONTHLY", "MATURE", 6)],
    ),
    "subscription among purchases": Scenario(
        payments(monthly(6), 14.99)
        + payments(every(11, 9, dt.date(2025, 1, 7)), [20.0 * 1.3**power for power in range(9)]),
        20,
        [("MONTHLY", "MATURE", 6)],
    ),
    "references that differ": Scenario(
        [
            one
            for number, day in enumerate(monthly(4))
            for one in payments([day], name=f"ACH GAS CO ID:77{number} 0{number}/25 *WEB*")
        ],
        20,
        [("MONTHLY", "MATURE", 4)],
    ),
    "refund of a subscription": Scenario(
        payments(monthly(4)) + payments([dt.date(2025, 3, 9)], -25.0),
        20,
        [("MONTHLY", "MATURE", 4)],
    ),
    "coffee now and then": Scenario(
        payments([FIRST + dt.timedelta(days=day) for day in (0, 2, 3, 9, 10, 17, 29, 31, 45)], 4.5),
        2,
        [],
    ),
    "groceries about once a week": Scenario(
        payments(
            [FIRST + dt.timedelta(days=day) for day in (0, 5, 14, 23, 32, 41, 46, 55)],
            [31.2, 84.0, 47.5, 66.1, 22.9, 101.4, 58.3, 37.7],
        ),
        2,
        [],
    ),
    "two purchases a month apart at different prices": Scenario(
        payments(monthly(2), [30.0, 80.0]), 2, []
    ),
    "one purchase": Scenario(payments([FIRST]), 0, []),
    "nothing": Scenario([], 0, []),
    "transactions of no amount": Scenario(payments(monthly(6), 0.0), 0, []),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_streams_of(name: str) -> None:
    occurrences, waited, expected = SCENARIOS[name]
    last = max((one.date for one in occurrences), default=FIRST)
    assert shown(find_streams(occurrences, last + dt.timedelta(days=waited))) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (every(7, 4), FIRST + dt.timedelta(days=28)),
        (monthly(4), dt.date(2025, 5, 3)),
        (monthly(4, dt.date(2025, 1, 31)), dt.date(2025, 5, 31)),
        (working_days(monthly(9, JANUARY)), dt.date(2025, 10, 1)),
        (every(30, 4), FIRST + dt.timedelta(days=120)),
        (FIRSTS_AND_FIFTEENTHS, dt.date(2025, 5, 1)),
        (FIRSTS_AND_FIFTEENTHS[:-1], dt.date(2025, 4, 15)),
        (monthly(2, months=12), dt.date(2027, 1, 3)),
    ],
)
def test_next_payment_is_predicted(days: list[dt.date], expected: dt.date) -> None:
    (stream,) = find_streams(payments(days), days[-1])
    assert stream.predicted_next_date == expected


def test_stream_view_shows_the_stream() -> None:
    category = PersonalFinanceCategory(primary="ENTERTAINMENT", detailed="ENTERTAINMENT_MUSIC")
    older = payments(monthly(3), [9.0, 10.0, 10.5], "MUSIC 12/24", merchant_name="Music")
    newest = payments(
        [dt.date(2025, 4, 3)],
        12.0,
        "MUSIC 04/25",
        merchant_name="Music",
        category=["Service"],
        category_id="18000000",
        personal_finance_category=category,
    )
    (stream,) = find_streams(newest + older, dt.date(2025, 4, 5))
    view = stream_view(stream)
    assert is_identifier(view.stream_id)
    assert not stream.inflow
    assert (view.account_id, view.description) == ("checking", "MUSIC 04/25")
    assert (view.merchant_name, view.category_id) == ("Music", "18000000")
    assert (view.category, view.personal_finance_category) == (["Service"], category)
    assert (view.first_date, view.last_date) == (FIRST, dt.date(2025, 4, 3))
    assert view.transaction_ids == [one.transaction_id for one in older + newest]
    assert (view.average_amount.amount, view.last_amount.amount) == (10.38, 12.0)
    assert view.average_amount.iso_currency_code == view.last_amount.iso_currency_code == "USD"
    assert view.is_active
    assert not view.is_user_modified
    assert view.predicted_next_date == dt.date(2025, 5, 3)


def test_stream_that_ended_is_inactive_and_predicts_nothing() -> None:
    (stream,) = find_streams(payments(monthly(6), -80.0), dt.date(2026, 1, 1))
    view = stream_view(stream)
    assert stream.inflow
    assert not view.is_active
    assert view.predicted_next_date is None
    assert view.average_amount.amount == view.last_amount.amount == -80.0


def test_small_fractions_of_an_unofficial_currency_are_kept() -> None:
    days = monthly(3)
    coins = [
        Occurrence(
            transaction_id=str(day),
            account_id="wallet",
            date=day,
            amount=0.00012,
            name="Mining",
            unofficial_currency_code="BTC",
        )
        for day in days
    ]
    (stream,) = find_streams(coins, days[-1])
    assert stream_view(stream).average_amount.amount == 0.00012
    assert stream_view(stream).average_amount.unofficial_currency_code == "BTC"


def test_streams_differ_by_account_direction_and_merchant() -> None:
    days = monthly(4)
    occurrences = [
        *payments(days),
        *payments(days, -25.0),
        *payments(days, account_id="savings"),
        *payments(days, name="OTHER"),
        *payments(days, merchant_name="Acme Ltd"),
    ]
    streams = find_streams(occurrences, days[-1])
    assert [len(one.occurrences) for one in streams] == [4] * 5
    assert len({one.stream_id for one in streams}) == 5
    assert [one.first.account_id for one in streams] == ["checking"] * 4 + ["savings"]


# Of each frequency: its days, and how late one of them may be.
Schedule = tuple[Callable[[int], list[dt.date]], int]
SCHEDULES: dict[str, Schedule] = {
    "WEEKLY": (lambda times: every(7, times), 2),
    "BIWEEKLY": (lambda times: every(14, times), 3),
    "SEMI_MONTHLY": (
        lambda times: sorted([*monthly(times), *monthly(times, dt.date(2025, 1, 18))])[:times],
        3,
    ),
    "MONTHLY": (monthly, 3),
    "ANNUALLY": (lambda times: monthly(times, months=12), 6),
}


@st.composite
def regular_payments(draw: st.DrawFn) -> tuple[str, list[Occurrence]]:
    """A frequency and payments of it, each of them late by some days."""
    frequency = draw(st.sampled_from(sorted(SCHEDULES)))
    schedule, latest = SCHEDULES[frequency]
    # Two weeks and half a month are told apart by a few months alone.
    times = draw(st.integers(10, 40))
    late = draw(st.lists(st.integers(0, latest), min_size=times, max_size=times))
    days = [
        day + dt.timedelta(days=delay) for day, delay in zip(schedule(times), late, strict=True)
    ]
    amounts = draw(st.lists(st.floats(50.0, 60.0), min_size=times, max_size=times))
    return frequency, payments(days, amounts)


@given(regular_payments())
def test_a_regular_schedule_is_found_whole(generated: tuple[str, list[Occurrence]]) -> None:
    frequency, occurrences = generated
    (stream,) = find_streams(occurrences, occurrences[-1].date)
    assert stream.occurrences == occurrences
    assert shown([stream]) == [(frequency, "MATURE", len(occurrences))]


@st.composite
def irregular_payments(draw: st.DrawFn) -> list[Occurrence]:
    """Payments more often than weekly, with no two amounts alike: no part of them is regular."""
    gaps = draw(st.lists(st.integers(0, 4), max_size=40))
    powers = draw(st.permutations(range(len(gaps) + 1)))
    day = FIRST
    days = [day, *(day := day + dt.timedelta(days=gap) for gap in gaps)]
    return payments(days, [1.0 * 1.3**power for power in powers])


@given(irregular_payments())
def test_noise_is_no_stream(occurrences: list[Occurrence]) -> None:
    assert find_streams(occurrences, occurrences[-1].date) == []


ANY_OCCURRENCES = st.lists(
    st.sampled_from([one for scenario in SCENARIOS.values() for one in scenario.occurrences]),
    unique_by=lambda one: one.transaction_id,
)


@given(ANY_OCCURRENCES.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_order_of_the_input_does_not_matter(
    orders: tuple[list[Occurrence], list[Occurrence]],
) -> None:
    one, another = orders
    today = dt.date(2025, 12, 31)
    assert find_streams(one, today) == find_streams(another, today)


@given(ANY_OCCURRENCES)
def test_no_transaction_is_in_two_streams(occurrences: list[Occurrence]) -> None:
    streams = find_streams(occurrences, dt.date(2025, 12, 31))
    members = [one.transaction_id for stream in streams for one in stream.occurrences]
    assert len(members) == len(set(members))
    assert len({stream.stream_id for stream in streams}) == len(streams)


@given(regular_payments())
def test_stream_id_stays_while_the_stream_grows(
    generated: tuple[str, list[Occurrence]],
) -> None:
    _, occurrences = generated
    ids = set()
    for seen in range(10, len(occurrences) + 1):
        (stream,) = find_streams(occurrences[:seen], occurrences[seen - 1].date)
        ids.add(stream.stream_id)
    assert len(ids) == 1


@pytest.mark.parametrize(
    "name",
    [
        "two subscriptions of one merchant on one day, alike in price",
        "subscription that was cancelled and taken up again",
        "subscription among purchases",
    ],
)
def test_stream_ids_stay_when_others_of_the_merchant_appear(name: str) -> None:
    occurrences = SCENARIOS[name].occurrences
    # The streams by their first transactions, as the payments of each day come in.
    seen: dict[str, str] = {}
    for today in sorted({one.date for one in occurrences}):
        for stream in find_streams([one for one in occurrences if one.date <= today], today):
            if len(stream.occurrences) > 2:
                first = stream.first.transaction_id
                assert seen.setdefault(first, stream.stream_id) == stream.stream_id
    assert len(seen) == len(SCENARIOS[name].expected)
