"""Accounts and balances."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    FIRST_PLATYPUS,
    MALFORMED_ACCOUNTS,
    NO_SUCH_ACCOUNT,
    UNKNOWN_ACCOUNT,
    Linked,
    call,
    mint,
    refused,
)
from tests.support.sdk import expect_error

# name, mask, type, subtype, available, current, limit
USER_GOOD = [
    ("Plaid Checking", "0000", "depository", "checking", 100, 110, None),
    ("Plaid Saving", "1111", "depository", "savings", 200, 210, None),
    ("Plaid CD", "2222", "depository", "cd", None, 1000, None),
    ("Plaid Credit Card", "3333", "credit", "credit card", None, 410, 2000),
    ("Plaid Money Market", "4444", "depository", "money market", 43200, 43200, None),
    ("Plaid IRA", "5555", "investment", "ira", None, 320.76, None),
    ("Plaid 401k", "6666", "investment", "401k", None, 23631.9805, None),
    ("Plaid Student Loan", "7777", "loan", "student", None, 65262, None),
    ("Plaid Mortgage", "8888", "loan", "mortgage", None, 56302.06, None),
]
OFFICIAL_NAMES = {
    "0000": "Plaid Gold Standard 0% Interest Checking",
    "1111": "Plaid Silver Standard 0.1% Interest Saving",
    "2222": "Plaid Bronze Standard 0.2% Interest CD",
    "3333": "Plaid Diamond 12.5% APR Interest Credit Card",
    "4444": "Plaid Platinum Standard 1.85% Interest Money Market",
}
LISTING = ["accounts_get", "accounts_balance_get", "auth_get", "identity_get"]
# Enough to be asked for by any clock, and not.
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SOON = timedelta(hours=1)


def as_row(account: dict[str, Any]) -> tuple[object, ...]:
    balances = account["balances"]
    assert balances["iso_currency_code"] == "USD"
    assert balances["unofficial_currency_code"] is None
    assert account["official_name"] == OFFICIAL_NAMES.get(account["mask"])
    names = ("name", "mask", "type", "subtype")
    money = ("available", "current", "limit")
    return (*(account[name] for name in names), *(balances[name] for name in money))


@pytest.mark.parametrize("operation", LISTING)
def test_listing_shows_the_nine_accounts_of_user_good(
    api: plaid_api.PlaidApi, shared_item: Linked, operation: str
) -> None:
    answer = call(api, operation, access_token=shared_item.access_token)
    assert [as_row(account) for account in answer["accounts"]] == USER_GOOD
    assert answer["item"]["item_id"] == shared_item.item_id
    ids = [account["account_id"] for account in answer["accounts"]]
    assert len(set(ids)) == 9
    assert all(re.fullmatch("[13-9A-NP-XZa-z]{37,38}", account_id) for account_id in ids)


@pytest.mark.parametrize("operation", LISTING)
def test_listing_keeps_to_the_accounts_asked_for(
    api: plaid_api.PlaidApi, shared_item: Linked, operation: str
) -> None:
    wanted = [shared_item.account_id("1111"), shared_item.account_id("0000")]
    answer = call(
        api, operation, access_token=shared_item.access_token, options={"account_ids": wanted}
    )
    assert [account["mask"] for account in answer["accounts"]] == ["0000", "1111"]


@pytest.mark.parametrize("operation", LISTING)
def test_listing_refuses_an_account_that_is_not_there(
    api: plaid_api.PlaidApi, shared_item: Linked, operation: str
) -> None:
    wanted = [shared_item.account_id(), UNKNOWN_ACCOUNT]
    refused(
        api,
        operation,
        NO_SUCH_ACCOUNT,
        access_token=shared_item.access_token,
        options={"account_ids": wanted},
    )


@pytest.mark.parametrize("operation", LISTING)
@pytest.mark.parametrize("wanted", [[], ["FooBarAccountId"], [UNKNOWN_ACCOUNT + "KK"]])
def test_listing_refuses_malformed_account_ids(
    api: plaid_api.PlaidApi, shared_item: Linked, operation: str, wanted: list[str]
) -> None:
    refused(
        api,
        operation,
        MALFORMED_ACCOUNTS,
        access_token=shared_item.access_token,
        options={"account_ids": wanted},
    )


def test_accounts_balance_get_is_as_fresh_as_now(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    answer = call(
        api,
        "accounts_balance_get",
        access_token=shared_item.access_token,
        options={"min_last_updated_datetime": LONG_AGO},
    )
    assert len(answer["accounts"]) == 9


@pytest.mark.parametrize("operation", ["accounts_balance_get", "processor_balance_get"])
def test_balance_is_never_as_fresh_as_the_future(
    api: plaid_api.PlaidApi, shared_item: Linked, operation: str
) -> None:
    token = {"access_token": shared_item.access_token}
    if operation.startswith("processor"):
        token = {"processor_token": mint(api, shared_item)}
    options = {"min_last_updated_datetime": datetime.now(UTC) + SOON}
    body = expect_error(
        lambda: call(api, operation, **token, options=options),
        "INVALID_RESULT",
        "LAST_UPDATED_DATETIME_OUT_OF_RANGE",
    )
    text, newest = body["error_message"].rsplit(" ", 1)
    assert text == "requested datetime out of range, most recently updated balance"
    assert abs(datetime.fromisoformat(newest) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("row", USER_GOOD, ids=lambda row: row[1])
def test_processor_account_get_shows_its_account_alone(
    api: plaid_api.PlaidApi, shared_item: Linked, row: tuple[object, ...]
) -> None:
    token = mint(api, shared_item, mask=str(row[1]))
    answer = call(api, "processor_account_get", processor_token=token)
    assert set(answer) == {"account", "institution_id", "request_id"}
    assert answer["institution_id"] == FIRST_PLATYPUS
    assert as_row(answer["account"]) == row
    assert answer["account"]["account_id"] == shared_item.account_id(str(row[1]))


def test_processor_balance_get_shows_its_account_alone(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    answer = call(
        api,
        "processor_balance_get",
        processor_token=mint(api, shared_item, mask="3333"),
        options={"min_last_updated_datetime": LONG_AGO},
    )
    assert set(answer) == {"account", "request_id"}
    assert as_row(answer["account"]) == USER_GOOD[3]
    assert answer["account"]["account_id"] == shared_item.account_id("3333")
