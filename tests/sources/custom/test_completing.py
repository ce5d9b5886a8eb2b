"""What is filled in where a custom user leaves it open."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from msgspec import structs

from treadle.sources.sandbox.custom.completing import available_balance, complete_user
from treadle.sources.sandbox.custom.parsing import parse_custom_user
from treadle.sources.sandbox.custom.schema import Account, CustomUser, Numbers

CREATED = dt.date(2026, 5, 20)


def completed(
    user: dict[str, Any], *, seed: str = "seed", country: str = "US", created: dt.date = CREATED
) -> CustomUser:
    return complete_user(parse_custom_user(json.dumps(user)), seed, country, created)


def completed_account(account: dict[str, Any], country: str = "US") -> Account:
    (found,) = completed({"override_accounts": [account]}, country=country).override_accounts or []
    return found


def networks(numbers: Numbers | None) -> set[str]:
    assert numbers is not None
    return {name for name, number in structs.asdict(numbers).items() if number is not None}


def test_empty_user_has_accounts_of_three_kinds() -> None:
    accounts = completed({}).override_accounts or []
    assert [(one.type, one.meta.name if one.meta else None) for one in accounts] == [
        ("depository", "Plaid Checking"),
        ("depository", "Plaid Savings"),
        ("credit", "Plaid Credit Card"),
    ]
    assert all(one.starting_balance is not None for one in accounts)


@pytest.mark.parametrize("country", ["US", "CA", "GB", "IE", "ES", "FR", "DE", "NL"])
def test_completed_user_is_valid_and_completing_it_again_changes_nothing(country: str) -> None:
    once = completed({}, country=country)
    again = completed(json.loads(msgspec.json.encode(once)), seed="another", country=country)
    assert again == once


def test_same_seed_gives_the_same_data() -> None:
    assert completed({}) == completed({}, created=CREATED + dt.timedelta(days=40))
    assert completed({}) != completed({}, seed="another")
    mine = completed({"seed": "mine"})
    assert mine == completed({"seed": "mine"}, seed="another")
    assert mine.seed == "mine"


def test_account_does_not_depend_on_the_others() -> None:
    (alone,) = completed({"override_accounts": [{}]}).override_accounts or []
    (first, _) = completed({"override_accounts": [{}, {"type": "loan"}]}).override_accounts or []
    assert alone == first


@pytest.mark.parametrize(
    ("country", "names", "currency"),
    [
        ("US", {"account", "ach_routing", "ach_wire_routing"}, "USD"),
        ("CA", {"account", "eft_institution", "eft_branch"}, "CAD"),
        ("GB", {"account", "bacs_sort_code"}, "GBP"),
        ("FR", {"account", "international_iban", "international_bic"}, "EUR"),
    ],
)
def test_numbers_and_currency_follow_the_country(
    country: str, names: set[str], currency: str
) -> None:
    account = completed_account({}, country)
    assert networks(account.numbers) == names
    assert account.currency == currency


def test_numbers_given_stay_the_only_network() -> None:
    numbers = {"account": "123456", "bacs_sort_code": "123456"}
    account = completed_account({"numbers": numbers})
    assert account.numbers == Numbers(account="123456", bacs_sort_code="123456")


def test_account_number_alone_takes_the_network_of_the_country() -> None:
    account = completed_account({"numbers": {"account": "9876543210"}})
    assert networks(account.numbers) == {"account", "ach_routing", "ach_wire_routing"}
    assert account.numbers
    assert account.numbers.account == "9876543210"


def test_iban_doubles_as_the_account_number() -> None:
    iban = "DE89370400440532013000"
    numbers = {"international_iban": iban, "international_bic": "DEUTDEFF"}
    account = completed_account({"numbers": numbers})
    assert account.numbers
    assert account.numbers.account == iban


@pytest.mark.parametrize("subtype", ["cd", "credit card", "student", "ira"])
def test_only_accounts_that_transfer_have_numbers(subtype: str) -> None:
    assert completed_account({"subtype": subtype}).numbers == Numbers()


@pytest.mark.parametrize(
    ("account", "mask"),
    [
        ({"numbers": {"account": "111122223333"}}, "3333"),
        ({"numbers": {"account": "111122223333"}, "meta": {"mask": "77"}}, "77"),
        ({"meta": {"mask": ""}}, ""),
    ],
)
def test_mask_is_the_end_of_the_account_number(account: dict[str, Any], mask: str) -> None:
    found = completed_account(account).meta
    assert found
    assert found.mask == mask


@pytest.mark.parametrize(
    ("account", "type_", "subtype"),
    [
        ({}, "depository", "checking"),
        ({"type": "loan"}, "loan", "loan"),
        ({"subtype": "ira"}, "investment", "ira"),
        ({"subtype": "paypal"}, "depository", "paypal"),
        ({"type": "credit", "subtype": "paypal"}, "credit", "paypal"),
        ({"liability": {"type": "student"}}, "loan", "student"),
        ({"type": "loan", "liability": {"type": "student"}}, "loan", "student"),
        ({"liability": {"type": "credit"}}, "credit", "credit card"),
        ({"type": "credit", "liability": {"type": "line_of_credit"}}, "credit", "credit card"),
        ({"income": {}}, "payroll", "payroll"),
        ({"holdings": {}}, "investment", "brokerage"),
        ({"investment_transactions": [{}]}, "investment", "brokerage"),
    ],
)
def test_type_and_subtype_follow_from_what_is_given(
    account: dict[str, Any], type_: str, subtype: str
) -> None:
    found = completed_account(account)
    assert (found.type, found.subtype) == (type_, subtype)


def test_balance_of_an_investment_account_is_the_worth_of_its_holdings() -> None:
    holdings = [{"quantity": 3, "institution_price": 2.5}, {"quantity": 1}]
    assert completed_account({"holdings": holdings}).starting_balance == 7.5


def test_all_accounts_have_the_names_that_are_given_first() -> None:
    user = completed(
        {
            "override_accounts": [
                {},
                {"identity": {"names": ["Ada Warp", "Ben Weft"], "emails": []}},
                {"identity": {"names": ["Somebody Else"]}},
            ]
        }
    )
    identities = [one.identity for one in user.override_accounts or [] if one.identity]
    assert [one.names for one in identities] == [["Ada Warp", "Ben Weft"]] * 3
    assert [one.emails == [] for one in identities] == [False, True, False]


@pytest.mark.parametrize(
    ("account", "pending", "available"),
    [
        ({"starting_balance": 100}, 30, 70),
        ({"starting_balance": 100, "force_available_balance": 5}, 30, 5),
        ({"starting_balance": 100, "has_null_available_balance": True}, 30, None),
        ({"type": "credit", "starting_balance": 100, "meta": {"limit": 500}}, 30, 370),
        ({"type": "loan", "starting_balance": 100}, 0, None),
        ({"type": "investment", "starting_balance": 100}, 0, None),
    ],
)
def test_available_balance(account: dict[str, Any], pending: float, available: object) -> None:
    assert available_balance(completed_account(account), pending) == available


# Rolling dates forward

ROLLED = {
    "roll_dates_forward": True,
    "override_accounts": [
        {
            "transactions": [
                {"date_transacted": "2024-02-28", "date_posted": "2024-03-05"},
                {"date_transacted": "2024-02-20", "date_posted": "2024-02-21"},
            ]
        },
        {
            "liability": {
                "type": "loan",
                "origination_date": "2020-01-01",
                "maturity_date": "2040-01-01",
                "last_payment_date": "2024-02-10",
            }
        },
    ],
}


def test_latest_activity_falls_on_the_day_of_creation() -> None:
    moved = dt.timedelta(days=(CREATED - dt.date(2024, 2, 28)).days)
    checking, loan = completed(ROLLED).override_accounts or []
    assert checking.transactions is not None
    assert [one.date_transacted for one in checking.transactions] == [
        CREATED,
        CREATED - dt.timedelta(days=8),
    ]
    assert checking.transactions[0].date_posted == CREATED + dt.timedelta(days=6)
    assert loan.liability is not None
    assert loan.liability.origination_date == dt.date(2020, 1, 1) + moved
    assert loan.liability.maturity_date == dt.date(2040, 1, 1) + moved


@pytest.mark.parametrize(
    ("account", "latest"),
    [
        ({"holdings": {"institution_price_as_of": "2024-01-09"}}, "2024-01-09"),
        ({"investment_transactions": [{"date": "2024-01-09"}]}, "2024-01-09"),
        (
            {"income": {"paystubs": [{"pay_period_details": {"pay_day": "2024-01-09"}}]}},
            "2024-01-09",
        ),
        ({"liability": {"type": "loan", "last_payment_date": "2024-01-09"}}, "2024-01-09"),
    ],
)
def test_every_kind_of_activity_counts(account: dict[str, Any], latest: str) -> None:
    user = {"roll_dates_forward": True, "override_accounts": [account]}
    assert CREATED.isoformat() in msgspec.json.encode(completed(user)).decode()
    assert latest not in msgspec.json.encode(completed(user)).decode()


@pytest.mark.parametrize("roll", [False, None])
def test_dates_stay_unless_they_are_to_be_rolled(roll: bool | None) -> None:
    checking, _ = completed({**ROLLED, "roll_dates_forward": roll}).override_accounts or []
    assert checking.transactions is not None
    assert checking.transactions[0].date_transacted == dt.date(2024, 2, 28)


def test_rolled_user_without_activity_stays_as_it_is() -> None:
    assert completed({"roll_dates_forward": True}) == completed({})
