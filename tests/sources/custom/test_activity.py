"""The transactions of a custom user's accounts: listed, generated, and by its inflow model."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treadle.sources.sandbox.custom.activity import account_transactions
from treadle.sources.sandbox.custom.completing import complete_user
from treadle.sources.sandbox.custom.drawing import Draw
from treadle.sources.sandbox.custom.movement import Movement
from treadle.sources.sandbox.custom.parsing import parse_custom_user
from treadle.sources.sandbox.custom.schema import CustomUser

CREATED = dt.date(2026, 5, 20)
YEAR_BEFORE = CREATED - dt.timedelta(days=365)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def user_with(*accounts: dict[str, Any], created: dt.date = CREATED) -> CustomUser:
    parsed = parse_custom_user(json.dumps({"seed": "mine", "override_accounts": accounts}))
    return complete_user(parsed, "", "US", created)


def shown(
    account: dict[str, Any],
    since: dt.date = YEAR_BEFORE,
    through: dt.date = CREATED,
    created: dt.date = CREATED,
) -> list[Movement]:
    return account_transactions(user_with(account, created=created), 0, created, since, through)


# Listed


def test_listed_transactions_are_shown_as_they_are() -> None:
    given_one = {
        "date_transacted": "2026-05-18",
        "date_posted": "2026-05-25",
        "amount": -12.5,
        "description": "Refund",
        "currency": "CAD",
    }
    (found,) = shown({"transactions": [given_one]})
    assert (found.date, found.posted) == (day("2026-05-18"), day("2026-05-25"))
    assert (found.amount, found.description, found.currency) == (-12.5, "Refund", "CAD")


def test_listed_transactions_posted_earlier_are_left_out_and_later_ones_are_pending() -> None:
    dates = ["2026-04-01", "2026-05-01", "2026-06-01"]
    account = {"transactions": [{"date_transacted": one} for one in dates]}
    found = shown(account, day("2026-04-15"), day("2026-05-20"))
    assert [one.posted for one in found] == [day("2026-05-01"), day("2026-06-01")]


@pytest.mark.parametrize("posted", ["2026-05-01", "2026-05-20", "2026-06-01"])
def test_transaction_told_by_its_posting_alone_was_made_at_the_latest_at_creation(
    posted: str,
) -> None:
    (found,) = shown({"transactions": [{"date_posted": posted}]})
    assert (found.date, found.posted) == (min(day(posted), CREATED), day(posted))


def test_transaction_of_which_little_is_told_is_of_the_day_of_creation() -> None:
    (found,) = shown({"transactions": [{}]})
    assert (found.date, found.posted) == (CREATED, CREATED)
    assert found.amount > 0
    assert found.description


def test_account_that_lists_none_at_all_has_none() -> None:
    assert shown({"transactions": []}) == []


# Generated

KINDS = ["checking", "savings", "credit card", "student"]


@pytest.mark.parametrize("subtype", ["checking", "credit card"])
def test_generated_spending_is_plausible(subtype: str) -> None:
    found = shown({"subtype": subtype})
    by_month = len(found) / 12
    assert 10 <= by_month <= 25
    assert len({one.description for one in found}) > 10
    assert all(0 < abs(one.amount) < 1_500 for one in found)


@pytest.mark.parametrize("subtype", KINDS)
def test_what_comes_in_and_goes_out_nearly_balances(subtype: str) -> None:
    found = shown({"subtype": subtype, "starting_balance": 0})
    assert abs(sum(one.amount for one in found)) / 12 < 1_000


@pytest.mark.parametrize("subtype", ["ira", "brokerage", "payroll", "other"])
def test_accounts_that_do_not_spend_have_no_transactions(subtype: str) -> None:
    assert shown({"subtype": subtype}) == []


@pytest.mark.parametrize("subtype", KINDS)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_generated_transactions_stay_while_time_goes_on(
    subtype: str, first: int, length: int, longer: int
) -> None:
    since = CREATED - dt.timedelta(days=first)
    through, later = (since + dt.timedelta(days=length + more) for more in (0, longer))
    account = {"subtype": subtype}
    earlier, now = (shown(account, since, until) for until in (through, later))
    assert [one for one in now if one.date <= through] == earlier
    assert all(since <= one.date <= later for one in now)
    assert len({one.key for one in now}) == len(now)


def test_same_seed_puts_the_same_transactions_so_many_days_before_the_item() -> None:
    later = CREATED + dt.timedelta(days=31)
    first, second = (
        [
            ((created - one.date).days, one.amount, one.description)
            for one in shown({}, created - dt.timedelta(days=90), created, created)
        ]
        for created in (CREATED, later)
    )
    assert first == second


def test_accounts_of_one_kind_differ() -> None:
    user = user_with({}, {})
    first, second = (
        [
            (one.date, one.amount)
            for one in account_transactions(user, position, CREATED, YEAR_BEFORE, CREATED)
        ]
        for position in (0, 1)
    )
    assert first != second


# Inflow models


def income(payment_day: object) -> dict[str, Any]:
    return {
        "transactions": [],
        "inflow_model": {
            "type": "monthly-income",
            "income_amount": 2_500.5,
            "payment_day_of_month": payment_day,
            "transaction_name": "Salary",
        },
    }


@pytest.mark.parametrize(
    ("payment_day", "dates"),
    [
        (28, ["2027-12-28", "2028-01-28", "2028-02-28", "2028-03-28"]),
        ("last", ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"]),
        (1, ["2028-01-01", "2028-02-01", "2028-03-01"]),
    ],
)
def test_income_comes_on_its_day_of_each_month(payment_day: object, dates: list[str]) -> None:
    found = shown(income(payment_day), day("2027-12-02"), day("2028-03-31"))
    assert [one.date.isoformat() for one in found] == dates
    assert {(one.amount, one.description) for one in found} == {(-2_500.5, "Salary")}


@pytest.mark.parametrize(
    ("since", "through", "count"),
    [
        ("2027-02-28", "2027-02-28", 1),
        ("2028-02-28", "2028-02-28", 0),
        ("2028-02-29", "2028-02-29", 1),
        ("2027-03-01", "2027-03-30", 0),
    ],
)
def test_last_day_of_a_month_counts_leap_years(since: str, through: str, count: int) -> None:
    assert len(shown(income("last"), day(since), day(through))) == count


def paying(type_: str, **account: Any) -> dict[str, Any]:
    return {
        "type": "credit",
        **account,
        "inflow_model": {
            "type": type_,
            "payment_day_of_month": 20,
            "statement_day_of_month": "last",
            "transaction_name": "Payment",
        },
    }


def payments(found: list[Movement]) -> list[tuple[str, float]]:
    return [(one.date.isoformat(), one.amount) for one in found if one.description == "Payment"]


def test_balance_payment_pays_what_was_charged_until_the_statement() -> None:
    dated = [
        ("2026-02-28", 10),
        ("2026-03-01", 100),
        ("2026-03-31", 50.25),
        ("2026-03-10", -20),
        ("2026-04-01", 7),
    ]
    transactions = [{"date_posted": date, "amount": amount} for date, amount in dated]
    account = paying("monthly-balance-payment", transactions=transactions)
    found = payments(shown(account, day("2026-02-01"), day("2026-06-30")))
    assert found == [("2026-03-20", -10), ("2026-04-20", -130.25), ("2026-05-20", -7)]


def test_balance_payment_pays_the_balance_where_nothing_is_charged() -> None:
    account = paying("monthly-balance-payment", transactions=[], starting_balance=300)
    found = payments(shown(account, day("2026-04-01"), day("2026-05-31")))
    assert found == [("2026-04-20", -300), ("2026-05-20", -300)]


def test_balance_payment_does_not_depend_on_where_one_looks_from() -> None:
    account = paying("monthly-balance-payment")
    whole = payments(shown(account, day("2026-01-01"), CREATED))
    assert len(whole) == 5
    assert payments(shown(account, day("2026-05-19"), CREATED)) == whole[-1:]


@pytest.mark.parametrize(
    ("liability", "type_", "amount"),
    [
        ({"purchase_apr": 24}, "credit", -24),
        ({"type": "student", "nominal_apr": 6}, "loan", -6),
        ({"type": "loan", "interest_rate": {"percentage": 3}}, "loan", -3),
    ],
)
def test_interest_payment_is_a_month_of_interest(
    liability: dict[str, Any], type_: str, amount: float
) -> None:
    account = paying(
        "monthly-interest-only-payment",
        transactions=[],
        starting_balance=1_200,
        liability=liability,
    )
    found = payments(shown({**account, "type": type_}, day("2026-05-01"), day("2026-05-31")))
    assert found == [("2026-05-20", amount)]


def test_generated_income_gives_way_to_the_model() -> None:
    model = income(5)["inflow_model"]
    found = shown({"inflow_model": model})
    assert {one.description for one in found if one.amount < 0} == {"Salary"}
    assert len([one for one in shown({"inflow_model": {"type": "none"}}) if one.amount < 0]) == 0
    assert [one for one in shown({}) if one.amount < 0] != []


# Drawing


@given(st.binary(max_size=40), st.integers(-1_000, 1_000), st.integers(0, 10_000))
def test_drawn_numbers_lie_in_their_range_and_follow_from_the_seed(
    seed: bytes, low: int, span: int
) -> None:
    first, second = Draw(seed), Draw(seed)
    drawn = [first.whole(low, low + span) for _ in range(5)]
    assert drawn == [second.whole(low, low + span) for _ in range(5)]
    assert all(low <= one <= low + span for one in drawn)


def test_draws_of_different_labels_differ() -> None:
    draw = Draw(b"seed")
    labels: list[tuple[object, ...]] = [(), (1,), ("1",), (1, 1), (11,), ("1", "1"), ("1, 1",)]
    assert len({draw.of(*label).digits(18) for label in labels}) == len(labels)


def test_values_are_spread_evenly() -> None:
    draw = Draw(b"seed")
    counts = [0] * 10
    for _ in range(5_000):
        counts[draw.whole(0, 9)] += 1
    assert all(400 < count < 600 for count in counts)
