"""What the scores follow from, and that they only ever move the way they should."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import structs

from treadle.bank.model import AccountData, Balances, Owner
from treadle.bank.rows import Item
from treadle.clock import DAY, to_datetime
from treadle.signal.attributes import core_attributes
from treadle.signal.facts import (
    MAX_AMOUNT,
    AccountFacts,
    Debit,
    account_facts,
    full_name,
    holder_matches,
    to_cents,
)
from treadle.signal.scoring import HIGHEST, KNOWN_OUTCOMES, LOWEST, Scores, score
from treadle.wire.common import AccountSubtype, AccountType, SignalPersonName


def facts(**changes: Any) -> AccountFacts:
    settled = AccountFacts(
        subtype=AccountSubtype.CHECKING,
        available=100.0,
        current=110.0,
        balances_at=0,
        item_age_days=365,
        bank_returns=0,
        customer_returns=0,
    )
    return structs.replace(settled, **changes)


def scored(account: AccountFacts, cents: int, **debit: Any) -> Scores:
    return score(account, Debit(cents, **debit), known_outcomes=False)


# Often near each other, since all that matters happens there.
balances = some.none() | some.floats(-10, 1_000) | some.floats(-1e12, 1e12)
accounts = some.builds(
    AccountFacts,
    subtype=some.sampled_from([AccountSubtype.CHECKING, AccountSubtype.SAVINGS]),
    available=balances,
    current=balances,
    balances_at=some.just(0),
    item_age_days=some.integers(0, 10_000),
    bank_returns=some.integers(0, 100),
    customer_returns=some.integers(0, 100),
)
amounts = some.integers(1, 2_000_00) | some.integers(1, to_cents(MAX_AMOUNT))
debits = some.builds(
    Debit, amounts, some.booleans(), holder_matches=some.sampled_from([None, True, False])
)


@given(accounts, debits, amounts)
def test_a_larger_amount_never_lowers_a_risk(
    account: AccountFacts, debit: Debit, further_cents: int
) -> None:
    larger = structs.replace(debit, amount_cents=debit.amount_cents + further_cents)
    before = score(account, debit, known_outcomes=False)
    after = score(account, larger, known_outcomes=False)
    assert after.bank_initiated >= before.bank_initiated
    assert after.customer_initiated >= before.customer_initiated
    assert after.bank_tier >= before.bank_tier
    assert after.customer_tier >= before.customer_tier


def test_each_further_cent_costs_as_much_or_more() -> None:
    scores = [scored(facts(), cents) for cents in range(1, 300_00)]
    assert scores == sorted(scores, key=lambda one: one.bank_initiated)
    rich = facts(available=1e9)
    scores = [scored(rich, cents) for cents in range(1, 6_000_00, 25)]
    assert scores == sorted(scores, key=lambda one: one.customer_initiated)


@given(accounts, debits, some.floats(0, 1_000) | some.floats(0, 1e12))
def test_more_funds_never_raise_a_risk(account: AccountFacts, debit: Debit, further: float) -> None:
    if account.funds is None:
        return
    richer = structs.replace(account, available=account.funds + further)
    before = score(account, debit, known_outcomes=False)
    after = score(richer, debit, known_outcomes=False)
    assert after.bank_initiated <= before.bank_initiated
    assert after.customer_initiated == before.customer_initiated


@given(accounts, debits, some.booleans())
def test_scores_and_tiers_stay_within_their_bounds(
    account: AccountFacts, debit: Debit, known_outcomes: bool
) -> None:
    scores = score(account, debit, known_outcomes=known_outcomes)
    assert LOWEST <= scores.bank_initiated <= HIGHEST
    assert LOWEST <= scores.customer_initiated <= HIGHEST
    assert 1 <= scores.bank_tier <= 8
    assert 1 <= scores.customer_tier <= 5


def test_each_tier_is_reached() -> None:
    reached = [Scores(number, number) for number in range(LOWEST, HIGHEST + 1)]
    assert [one.bank_tier for one in reached] == sorted(one.bank_tier for one in reached)
    assert {one.bank_tier for one in reached} == set(range(1, 9))
    assert {one.customer_tier for one in reached} == set(range(1, 6))


@pytest.mark.parametrize(
    ("cents", "risk"),
    [
        (25_00, 3),
        (25_01, 8),
        (50_00, 8),
        (80_00, 18),
        (100_00, 35),
        (100_01, 60),
        (120_01, 75),
        (200_00, 75),
        (200_01, 85),
    ],
)
def test_the_banks_risk_follows_from_the_share_of_the_funds(cents: int, risk: int) -> None:
    assert scored(facts(), cents).bank_initiated == risk


def test_an_empty_account_is_as_risky_as_one_far_too_small() -> None:
    for available in (0.0, -5.0):
        assert scored(facts(available=available), 1).bank_initiated == 85


def test_the_current_balance_stands_in_for_the_available_one() -> None:
    assert scored(facts(available=None, current=100.0), 100_00).bank_initiated == 35
    assert scored(facts(available=None, current=None), 100_00).bank_initiated == 45


def test_returns_raise_the_risk_of_their_own_kind() -> None:
    before = scored(facts(), 10_00)
    by_bank = scored(facts(bank_returns=1), 10_00)
    by_customer = scored(facts(customer_returns=2), 10_00)
    assert by_bank == Scores(before.bank_initiated + 20, before.customer_initiated)
    assert by_customer == Scores(before.bank_initiated, before.customer_initiated + 40)
    assert scored(facts(bank_returns=3), 10_00) == scored(facts(bank_returns=4), 10_00)


def test_a_new_item_is_riskier_until_it_is_a_month_old() -> None:
    by_age = [scored(facts(item_age_days=days), 100_00) for days in (6, 7, 29, 30)]
    assert [one.bank_initiated for one in by_age] == [41, 38, 38, 35]
    assert [one.customer_initiated for one in by_age] == [13, 9, 9, 5]


def test_what_else_moves_a_score() -> None:
    before = scored(facts(), 100_00)
    assert scored(facts(subtype=AccountSubtype.SAVINGS), 100_00) == Scores(39, 5)
    assert scored(facts(), 100_00, is_recurring=True) == Scores(32, 2)
    assert scored(facts(), 100_00, holder_matches=False) == Scores(35, 30)
    assert scored(facts(), 100_00, holder_matches=True) == before == Scores(35, 5)


def test_known_outcomes_go_first_only_where_they_are_let() -> None:
    for cents, outcome in KNOWN_OUTCOMES.items():
        poor = facts(available=0.0, bank_returns=3)
        assert score(poor, Debit(cents), known_outcomes=True) == outcome
        assert score(poor, Debit(cents), known_outcomes=False).bank_initiated == HIGHEST


@pytest.mark.parametrize(
    ("amount", "cents"),
    [(0.29, 29), (1.1, 110), (2.675, 268), (102.05, 10205), (99999999.99, 9_999_999_999)],
)
def test_an_amount_is_the_cents_that_were_written(amount: float, cents: int) -> None:
    assert to_cents(amount) == cents


@given(amounts)
def test_every_amount_of_whole_cents_is_exact(cents: int) -> None:
    assert to_cents(cents / 100) == cents


def test_facts_tell_returns_apart() -> None:
    item = Item("i", "c", "ins", None, "[]", "[]", None, None, 10 * DAY, None, 0, None, "sandbox")
    data = AccountData(
        name="Checking",
        official_name=None,
        mask=None,
        type=AccountType.DEPOSITORY,
        subtype=AccountSubtype.CHECKING,
        holder_category=None,
        balances=Balances(None, 50.0, None, "USD", None),
        owners_json=msgspec.Raw(b"[]"),
    )
    known = account_facts(item, data, ["R01", "R10", "R29", "R03", "R02"], 12 * DAY - 1)
    assert (known.bank_returns, known.customer_returns) == (3, 2)
    assert (known.item_age_days, known.funds) == (1, 50.0)
    assert account_facts(item, data, [], 0).item_age_days == 0


def test_attributes_say_what_is_known_and_nothing_else() -> None:
    shown = structs.asdict(core_attributes(facts(balances_at=3 * DAY), 33.33))
    told = {name: value for name, value in shown.items() if value is not None}
    assert told == {
        "available_balance": 100.0,
        "current_balance": 110.0,
        "balance_last_updated": to_datetime(3 * DAY),
        "balance_to_transaction_amount_ratio": 3.0003,
        "days_since_first_plaid_connection": 365,
        "is_savings_or_money_market_account": False,
    }
    unknown = core_attributes(facts(available=None, current=None), 1.0)
    assert unknown.balance_to_transaction_amount_ratio is None
    assert core_attributes(facts(available=1e308), 0.01).available_balance == 1e308


def test_a_name_is_compared_with_the_owners() -> None:
    owners = [Owner([name], [], [], []) for name in ("Alberta Bobbeth Charleson", "Dee Eff")]
    assert holder_matches("Alberta Charleson", owners) is True
    assert holder_matches("Wilhelmina Loom", owners) is False
    assert holder_matches(" ", owners) is None
    assert holder_matches("Alberta Charleson", []) is None


def test_a_name_is_made_of_the_parts_that_were_told() -> None:
    name = SignalPersonName(given_name="Ada", family_name="Weaver", suffix="")
    assert full_name(name) == "Ada Weaver"
    assert full_name(None) == ""
