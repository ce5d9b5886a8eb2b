"""Custom users: what is described is what is read back, by access token and processor token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.custom import Item, link, mint, transactions
from tests.support.flows import FIRST_PLATYPUS, NO_AUTH_ACCOUNTS, YEARS, call, refused
from tests.support.sdk import plaid_client
from tests.support.server import Server

SAMPLES = sorted((Path(__file__).parents[1] / "sources/custom/samples").glob("*.json"))
PAGE = Path(__file__).parents[2] / "docs/sandbox-users.md"
ROYAL_BANK = "ins_117650"

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)


def described(sample: Path) -> list[dict[str, Any]]:
    accounts: list[dict[str, Any]] = json.loads(sample.read_text())["override_accounts"]
    return accounts


def link_sample(api: plaid_api.PlaidApi, sample: Path, *products: str, days: int = 90) -> Item:
    institution_id = ROYAL_BANK if "_uk_" in sample.name else FIRST_PLATYPUS
    return link(api, sample.read_text(), *products, institution_id=institution_id, days=days)


@each_sample
def test_accounts_of_a_published_user(september: plaid_api.PlaidApi, sample: Path) -> None:
    item = link_sample(september, sample)
    for account, given in zip(item.accounts, described(sample), strict=True):
        assert (account["type"], account["subtype"]) == (given["type"], given["subtype"])
        assert account["holder_category"] == "personal"
        for name, value in given.get("meta", {}).items():
            shown = account["balances"] if name == "limit" else account
            assert shown[name] == value
        balances = account["balances"]
        currency = "GBP" if "_uk_" in sample.name else "USD"
        assert balances["iso_currency_code"] == currency
        if "starting_balance" in given:
            assert balances["current"] == given["starting_balance"]
        if "force_available_balance" in given:
            assert balances["available"] == given["force_available_balance"]


@each_sample
def test_transactions_of_a_published_user(september: plaid_api.PlaidApi, sample: Path) -> None:
    listed = any("transactions" in given for given in described(sample))
    item = link_sample(september, sample, days=730 if listed else 90)
    found = transactions(september, item)
    for account, given in zip(item.accounts, described(sample), strict=True):
        own = [one for one in found if one["account_id"] == account["account_id"]]
        assert own
        if "transactions" in given:
            assert sorted(map(told, own)) == sorted(
                (one["date_posted"], one["date_transacted"], one["amount"], one["description"])
                for one in given["transactions"]
            )
        partners = call(
            september,
            "processor_transactions_get",
            processor_token=mint(september, item, account),
            options={"count": 500, "include_original_description": True},
            **YEARS,
        )
        assert partners["transactions"] == own


def told(one: dict[str, Any]) -> tuple[str, str, float, str]:
    assert not one["pending"]
    return str(one["date"]), str(one["authorized_date"]), one["amount"], one["original_description"]


@each_sample
def test_owners_of_a_published_user(september: plaid_api.PlaidApi, sample: Path) -> None:
    item = link_sample(september, sample)
    shown = call(september, "identity_get", access_token=item.access_token)["accounts"]
    for account, given in zip(shown, described(sample), strict=True):
        (owner,) = account["owners"]
        for name, value in given.get("identity", {}).items():
            assert owner[name] == value
        assert all(owner.values()), "what is left open has a default"
        token = mint(september, item, account)
        partners = call(september, "processor_identity_get", processor_token=token)["account"]
        assert partners["owners"] == account["owners"]


@each_sample
def test_numbers_of_a_published_user(september: plaid_api.PlaidApi, sample: Path) -> None:
    item = link_sample(september, sample, "auth")
    if "credit_card" in sample.name:
        return refused(september, "auth_get", NO_AUTH_ACCOUNTS, access_token=item.access_token)
    numbers = call(september, "auth_get", access_token=item.access_token)["numbers"]
    network, routing = ("bacs", "sort_code") if "_uk_" in sample.name else ("ach", "routing")
    assert len(numbers[network]) == len(item.accounts)
    for account, own, given in zip(item.accounts, numbers[network], described(sample), strict=True):
        assert own["account_id"] == account["account_id"]
        if "numbers" in given:
            field = {"bacs": "bacs_sort_code", "ach": "ach_routing"}[network]
            assert own["account"] == given["numbers"]["account"]
            assert own[routing] == given["numbers"][field]
            assert account["mask"] == given["numbers"]["account"][-4:]
        partners = call(
            september, "processor_auth_get", processor_token=mint(september, item, account)
        )
        assert partners["numbers"][network] == own
    return None


def test_liability_of_a_published_user(september: plaid_api.PlaidApi) -> None:
    (sample,) = [one for one in SAMPLES if "credit_card" in one.name]
    item = link_sample(september, sample, "liabilities")
    own = call(september, "liabilities_get", access_token=item.access_token)["liabilities"]
    (card,) = own["credit"]
    assert {one["apr_type"]: one["apr_percentage"] for one in card["aprs"]} == {
        "purchase_apr": 16.99,
        "cash_apr": 24.99,
        "balance_transfer_apr": 18.99,
        "special": 0,
    }
    assert (card["last_payment_amount"], card["minimum_payment_amount"]) == (250, 35)
    assert card["is_overdue"] is False
    assert card["last_statement_balance"] == 1245.67
    assert (
        str(card["last_statement_issue_date"]) <= "2026-09-01" < str(card["next_payment_due_date"])
    )
    token = mint(september, item, item.accounts[0])
    partners = call(september, "processor_liabilities_get", processor_token=token)["liabilities"]
    assert partners == own


# What is seen on the first day and on later ones.
WAITING = {
    "override_accounts": [
        {
            "type": "depository",
            "subtype": "checking",
            "starting_balance": 100,
            "transactions": [
                {"date_transacted": "2026-03-01", "amount": 7, "description": "OLD"},
                {
                    "date_transacted": "2026-03-01",
                    "date_posted": "2026-03-04",
                    "amount": 20,
                    "description": "SLOW",
                },
            ],
        },
        {
            "type": "credit",
            "starting_balance": 50,
            "meta": {"limit": 1_000},
            "transactions": [
                {"date_posted": "2026-03-20", "amount": 30, "description": "LATER"},
            ],
        },
    ]
}


def test_pending_until_it_is_posted(
    serve: Callable[..., Server], store: list[str], tmp_path: Path
) -> None:
    def on(day: str) -> plaid_api.PlaidApi:
        clock = ("--clock", f"2026-03-{day}T12:00:00Z")
        return plaid_client(serve(*store, *clock, data=tmp_path / "data"))

    def balances(api: plaid_api.PlaidApi) -> list[tuple[float, float]]:
        accounts = call(api, "accounts_get", access_token=item.access_token)["accounts"]
        return [(one["balances"]["current"], one["balances"]["available"]) for one in accounts]

    def sync(api: plaid_api.PlaidApi, cursor: str) -> dict[str, Any]:
        options = {"include_original_description": True}
        return call(
            api,
            "transactions_sync",
            access_token=item.access_token,
            cursor=cursor,
            options=options,
        )

    api = on("01")
    item = link(api, WAITING)
    first = sync(api, "")
    by_name = {one["original_description"]: one for one in first["added"]}
    assert {name: one["pending"] for name, one in by_name.items()} == {
        "OLD": False,
        "SLOW": True,
        "LATER": True,
    }
    assert str(by_name["SLOW"]["date"]) == "2026-03-01"
    assert balances(api) == [(100, 80), (50, 920)]
    quiet = sync(on("03"), first["next_cursor"])
    assert (quiet["added"], quiet["modified"], quiet["removed"]) == ([], [], [])
    api = on("05")
    news = sync(api, first["next_cursor"])
    (posted,) = news["added"]
    assert not posted["pending"]
    assert posted["pending_transaction_id"] == by_name["SLOW"]["transaction_id"]
    assert (str(posted["date"]), str(posted["authorized_date"])) == ("2026-03-04", "2026-03-01")
    assert [one["transaction_id"] for one in news["removed"]] == [by_name["SLOW"]["transaction_id"]]
    assert balances(api) == [(80, 80), (50, 920)]
    # Who comes later finds it posted from the start, and under the same name ever after.
    rest = sync(on("22"), news["next_cursor"])
    assert [one["original_description"] for one in rest["added"]] == ["LATER"]
    assert balances(on("22")) == [(80, 80), (80, 920)]


def test_accounts_for_payroll_are_left_out(september: plaid_api.PlaidApi) -> None:
    def account(amount: float) -> dict[str, Any]:
        one = {"date_transacted": "2026-08-01", "amount": amount, "description": f"PAID {amount}"}
        return {"type": "depository", "transactions": [one]}

    payroll = {"type": "payroll"}
    item = link(september, {"override_accounts": [payroll, account(1), payroll, account(2)]})
    assert len(item.accounts) == 2
    amounts = {one["account_id"]: one["amount"] for one in transactions(september, item)}
    assert [amounts[one["account_id"]] for one in item.accounts] == [1, 2]


def contents(api: plaid_api.PlaidApi, user: Any) -> list[Any]:
    """All that is generated for a user, without what names it."""
    item = link(api, user, "auth", "transactions")
    numbers = call(api, "auth_get", access_token=item.access_token)["numbers"]["ach"]
    return [
        [one["balances"] for one in item.accounts],
        [(one["account"], one["routing"]) for one in numbers],
        [
            (one["date"], one["original_description"], one["amount"])
            for one in transactions(api, item)
        ],
    ]


def test_the_same_seed_generates_the_same(september: plaid_api.PlaidApi) -> None:
    one = contents(september, {"seed": "loom"})
    assert len(one[2]) > 50
    assert contents(september, {"seed": "loom"}) == one
    others = [contents(september, user) for user in ({"seed": "warp"}, {}, {})]
    for position in range(3):
        assert one[position] not in [other[position] for other in others]
    assert others[1][1] != others[2][1]


def test_the_servers_seed_decides_where_the_user_has_none(serve: Callable[..., Server]) -> None:
    servers = [
        serve("--seed", seed, "--clock", "2026-09-01T12:00:00Z")
        for seed in ("loom", "loom", "warp")
    ]
    one, same, other = (contents(plaid_client(server), {}) for server in servers)
    assert one == same
    assert one[1] != other[1]


def test_users_of_the_documentation(september: plaid_api.PlaidApi) -> None:
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3
    for block in map(json.loads, blocks):
        if "institution_id" in block:
            assert call(september, "sandbox_public_token_create", **block)["public_token"]
        else:
            assert link(september, block).accounts
