"""The named users of the sandbox, as an integrator meets them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    NO_AUTH_ACCOUNTS,
    NO_INVESTMENT_ACCOUNTS,
    NO_LIABILITY_ACCOUNTS,
    YEARS,
    Linked,
    call,
    link,
    mint,
    refused,
    sandbox_public_token,
)
from tests.support.sdk import expect_error, plaid_client
from tests.support.server import Server
from treadle.sources.sandbox.personas import personas

DYNAMIC = "user_transactions_dynamic"

each_persona = pytest.mark.parametrize("username", sorted(personas()))


def link_persona(api: plaid_api.PlaidApi, username: str, *products: str, days: int = 180) -> Linked:
    login: dict[str, Any] = {
        "override_username": username,
        "override_password": personas()[username].password or "anything",
        "transactions": {"days_requested": days},
    }
    return link(api, *products or ["transactions"], **login)


@each_persona
def test_persona_has_what_its_accounts_promise(api: plaid_api.PlaidApi, username: str) -> None:
    item = link_persona(api, username, "identity", "transactions")
    token = {"access_token": item.access_token}
    described = personas()[username].user.override_accounts or []
    names = [one.identity.names for one in described if one.identity]
    owned = call(api, "identity_get", **token)["accounts"]
    assert [one["owners"][0]["names"] for one in owned] == names
    for operation, types, absent in (
        ("auth_get", {"checking", "savings"}, NO_AUTH_ACCOUNTS),
        ("liabilities_get", {"credit card", "student"}, NO_LIABILITY_ACCOUNTS),
        ("investments_holdings_get", {"brokerage"}, NO_INVESTMENT_ACCOUNTS),
    ):
        if types & {one["subtype"] for one in item.accounts.values()}:
            assert call(api, operation, **token)
        else:
            refused(api, operation, absent, **token)


@each_persona
def test_persona_lives_by_its_schedule(api: plaid_api.PlaidApi, username: str) -> None:
    # Long enough for all that comes every month, and not for more than one page.
    item = link_persona(api, username, days=45)
    options = {"count": 250, "include_original_description": True}
    answer = call(api, "transactions_get", access_token=item.access_token, options=options, **YEARS)
    found = answer["transactions"]
    assert answer["total_transactions"] == len(found)
    accounts = list(item.accounts.values())
    happened = {(one["account_id"], one["original_description"]) for one in found}
    for one in personas()[username].schedule:
        if one.every == "month" and one.chance_percent == 100:
            assert (accounts[one.account]["account_id"], one.description) in happened
    for mask, account in item.accounts.items():
        partners = call(
            api,
            "processor_transactions_get",
            processor_token=mint(api, item, mask=mask),
            options=options,
            **YEARS,
        )
        own = [one for one in found if one["account_id"] == account["account_id"]]
        assert partners["transactions"] == own


@pytest.mark.parametrize("username", ["user_ewa_user", "user_yuppie", "user_small_business"])
def test_history_of_a_persona_begins_so_long_before_its_item(
    serve: Callable[..., Server], username: str
) -> None:
    api = plaid_client(serve("--clock", "2026-06-30T12:00:00Z"))
    item = link_persona(api, username, days=730)
    found = call(
        api,
        "transactions_get",
        access_token=item.access_token,
        start_date=dt.date(2024, 1, 1),
        end_date=dt.date(2026, 4, 30),
    )["transactions"]
    assert min(one["date"] for one in found) in (dt.date(2026, 4, 1), dt.date(2026, 4, 2))


def test_wrong_passwords(api: plaid_api.PlaidApi) -> None:
    for username, password in (
        ("user_yuppie", " "),
        ("user_bank_income", "pass_good"),
        ("user_limited_purpose_checking", "anything"),
        ("user_nobody", "pass_good"),
    ):
        login = {"override_username": username, "override_password": password}
        expect_error(
            partial(sandbox_public_token, api, "identity", **login),
            "ITEM_ERROR",
            "INVALID_CREDENTIALS",
        )


class Reader:
    """An integrator's own copy of the transactions, kept by cursor."""

    def __init__(self, item: Linked) -> None:
        self._access_token = item.access_token
        self._cursor = ""
        self.copy: dict[str, dict[str, Any]] = {}

    def read(self, api: plaid_api.PlaidApi) -> dict[str, Any]:
        """Replay what is new, and answer it."""
        news = call(
            api,
            "transactions_sync",
            access_token=self._access_token,
            cursor=self._cursor,
            count=500,
            options={"include_original_description": True},
        )
        assert not news["has_more"]
        self._cursor = news["next_cursor"]
        for one in news["added"]:
            assert one["transaction_id"] not in self.copy
        for one in news["removed"]:
            del self.copy[one["transaction_id"]]
        self.copy |= {one["transaction_id"]: one for one in news["added"] + news["modified"]}
        return news


def pending(copy: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in copy.items() if one["pending"]}


def expect_step(api: plaid_api.PlaidApi, item: Linked, reader: Reader) -> None:
    """Check that exactly one step happened since the reader read last."""
    before, waiting = dict(reader.copy), pending(reader.copy)
    balances = balances_of(api, item)
    news = reader.read(api)
    posted = [one for one in news["added"] if not one["pending"]]
    new = [one for one in news["added"] if one["pending"]]
    replaced = {one["pending_transaction_id"]: one for one in posted}
    assert replaced.keys() == waiting.keys() == {one["transaction_id"] for one in news["removed"]}
    for name, one in replaced.items():
        for member in ("amount", "original_description", "account_id"):
            assert one[member] == waiting[name][member]
    (raised,) = news["modified"]
    rise = raised["amount"] - before[raised["transaction_id"]]["amount"]
    assert round(rise, 6) == 1
    assert new
    assert pending(reader.copy).keys() == {one["transaction_id"] for one in new}
    for mask, account in item.accounts.items():
        sign = 1 if account["type"] == "credit" else -1
        settled, added = (
            sum(one["amount"] for one in of if one["account_id"] == account["account_id"])
            for of in (posted, new)
        )
        more = rise if raised["account_id"] == account["account_id"] else 0
        current, available = balances[mask]
        moved = (current + sign * (settled + more), available - added - more)
        assert balances_of(api, item)[mask] == pytest.approx(moved)


def balances_of(api: plaid_api.PlaidApi, item: Linked) -> dict[str, tuple[float, float]]:
    accounts = call(api, "accounts_get", access_token=item.access_token)["accounts"]
    return {
        one["mask"]: (one["balances"]["current"], one["balances"]["available"]) for one in accounts
    }


def test_a_dynamic_user_lives_by_refreshes_and_days(
    serve: Callable[..., Server], store: list[str], tmp_path: Path
) -> None:
    def on(day: str) -> plaid_api.PlaidApi:
        clock = ("--clock", f"2026-03-{day}T12:00:00Z")
        return plaid_client(serve(*store, *clock, data=tmp_path / "data"))

    api = on("01")
    item = link_persona(api, DYNAMIC)
    reader = Reader(item)
    first = reader.read(api)
    assert 45 <= len(first["added"]) <= 55
    assert 3 <= len(pending(reader.copy)) <= 10
    before = balances_of(api, item)
    call(api, "transactions_refresh", access_token=item.access_token)
    after = balances_of(api, item)
    assert before != after
    news = reader.read(api)
    assert (len(news["modified"]), len(news["removed"])) == (1, 4)
    assert {one["pending"] for one in news["added"]} == {True, False}
    token = mint(api, item)
    call(api, "processor_transactions_refresh", processor_token=token)
    reader.read(api)
    again = reader.read(api)
    assert (again["added"], again["modified"], again["removed"]) == ([], [], [])
    # Nothing of the schedule falls on the second, so the day brings one step and nothing else.
    api = on("02")
    expect_step(api, item, reader)
    # A reader that begins now is told the same.
    fresh = Reader(item)
    fresh.read(api)
    assert fresh.copy == reader.copy
    # The recurring streams go on.
    reader.read(on("07"))
    assert "RIVERBEND CLINIC PAYROLL" in {
        one["original_description"]
        for one in reader.copy.values()
        if str(one["date"]) > "2026-03-02"
    }
