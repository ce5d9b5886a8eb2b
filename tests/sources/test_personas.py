"""The named users of the sandbox that live by a schedule."""

from __future__ import annotations

import datetime as dt
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treadle.sources.sandbox.custom.activity import account_transactions
from treadle.sources.sandbox.custom.completing import complete_user
from treadle.sources.sandbox.custom.movement import Movement
from treadle.sources.sandbox.custom.parsing import parse_custom_user
from treadle.sources.sandbox.custom.schema import Account
from treadle.sources.sandbox.personas import Persona, personas

# The users that the API's documentation of the sandbox names.
DOCUMENTED = """
    user_ewa_user user_yuppie user_small_business user_transactions_dynamic user_bank_income
    user_credit_profile_poor user_credit_profile_good user_credit_profile_excellent
    user_credit_bonus user_credit_joint_account user_limited_purpose_checking
    user_prism_1 user_prism_2 user_prism_3 user_prism_4
    user_prism_5 user_prism_6 user_prism_7 user_prism_8
"""
# Those who are sometimes overdrawn, and by how much at the worst.
OVERDRAWN = {"user_credit_profile_poor": -900, "user_ewa_user": -500, "user_prism_1": -500}
TODAY = dt.date(2026, 5, 20)

each_persona = pytest.mark.parametrize(
    "persona", [pytest.param(one, id=name) for name, one in sorted(personas().items())]
)


def accounts(persona: Persona) -> list[Account]:
    return persona.user.override_accounts or []


def of_all_accounts(
    persona: Persona, since: dt.date, through: dt.date
) -> list[tuple[int, Movement]]:
    return [
        (position, one)
        for position in range(len(accounts(persona)))
        for one in persona.transactions(position, since, through)
    ]


def test_every_documented_persona_is_there() -> None:
    assert set(personas()) == set(DOCUMENTED.split())


@each_persona
def test_persona_is_a_valid_custom_user(persona: Persona) -> None:
    text = msgspec.json.encode(persona.user).decode()
    assert parse_custom_user(text) == persona.user
    assert {one.account for one in persona.schedule} <= set(range(len(accounts(persona))))


@each_persona
def test_persona_is_plainly_fictional(persona: Persona) -> None:
    for account in accounts(persona):
        assert account.identity
        assert account.identity.emails
        assert account.identity.phone_numbers
        for email in account.identity.emails:
            assert email.data
            assert email.data.endswith("@example.com")
        for phone in account.identity.phone_numbers:
            assert phone.data
            assert phone.data.startswith("20255501")


@each_persona
def test_password(persona: Persona) -> None:
    wanted = {"user_bank_income": "{}", "user_limited_purpose_checking": "pass_good"}
    assert persona.password == wanted.get(persona.username)
    assert persona.accepts(persona.password or "anything")
    assert not persona.accepts(" ")
    assert persona.accepts("else") == (persona.password is None)


@each_persona
def test_every_entry_of_the_schedule_happens(persona: Persona) -> None:
    found = of_all_accounts(persona, TODAY - dt.timedelta(days=730), TODAY)
    happened = {(position, one.description) for position, one in found}
    assert happened == {(one.account, one.description) for one in persona.schedule}


@each_persona
def test_keys_name_one_transaction_each(persona: Persona) -> None:
    found = of_all_accounts(persona, TODAY - dt.timedelta(days=730), TODAY)
    assert len({(position, one.key) for position, one in found}) == len(found)


@each_persona
@given(st.dates(dt.date(2024, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 60), st.integers(0, 60))
def test_what_happened_stays_while_time_goes_on(
    persona: Persona, since: dt.date, length: int, longer: int
) -> None:
    through, later = (since + dt.timedelta(days=length + more) for more in (0, longer))
    earlier = of_all_accounts(persona, since, through)
    now = of_all_accounts(persona, since, later)
    assert [(position, one) for position, one in now if one.date <= through] == earlier


@each_persona
def test_balances_fit_what_comes_in_and_goes_out(persona: Persona) -> None:
    lowest_allowed = OVERDRAWN.get(persona.username, 0)
    days = min(persona.history_days, 180)
    for today in (TODAY + dt.timedelta(days=91 * number) for number in range(8)):
        for position, account in enumerate(accounts(persona)):
            history = persona.transactions(position, today - dt.timedelta(days=days), today)
            balances = earlier_balances(account, history)
            if account.type == "depository":
                assert min(balances) >= lowest_allowed, (account.meta, today)
            elif account.meta and account.meta.limit:
                assert max(balances) <= account.meta.limit * 1.1, (account.meta, today)


def earlier_balances(account: Account, history: list[Movement]) -> list[float]:
    """The balance before each transaction, reckoned back from the present one."""
    sign = 1 if account.type == "depository" else -1
    back = sorted(history, key=lambda one: one.date, reverse=True)
    start = account.starting_balance or 0
    return list(itertools.accumulate((sign * one.amount for one in back), initial=start))


@pytest.mark.parametrize("today", [TODAY + dt.timedelta(days=11 * number) for number in range(12)])
def test_dynamic_user_begins_with_about_fifty_pending_and_posted(today: dt.date) -> None:
    persona = personas()["user_transactions_dynamic"]
    user = complete_user(persona.user, persona.username, "US", today)
    since = today - dt.timedelta(days=persona.history_days)
    found = [one for _, one in of_all_accounts(persona, since, today)]
    for position in range(len(accounts(persona))):
        found += account_transactions(user, position, today, since, today)
    assert 45 <= len(found) <= 55
    assert 3 <= len([one for one in found if one.posted > today]) <= 10
    months = {one.date.replace(day=1) for one in found if one.description == "Netflix"}
    assert len(months) >= 5


def test_monthly_entries_come_once_a_month_at_its_end() -> None:
    persona = personas()["user_yuppie"]
    since, through = dt.date(2028, 1, 1), dt.date(2028, 12, 31)
    paid = [
        one.date
        for one in persona.transactions(0, since, through)
        if one.description == "BRIGHTLINE SOFTWARE PAYROLL"
    ]
    assert len(paid) == 24
    assert dt.date(2028, 2, 29) in paid


def test_weekly_entries_fall_on_one_day_of_the_week() -> None:
    persona = personas()["user_ewa_user"]
    found = persona.transactions(0, dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    paid = [one for one in found if one.description == "NORTHSIDE LOGISTICS PAYROLL"]
    assert {one.date.isoweekday() for one in paid} == {5}
    assert len(paid) == 52
    assert all(abs(one.amount + 464) <= 464 * 0.03 + 0.01 for one in paid)
