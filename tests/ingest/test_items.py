"""Items of accounts that an operator brought: read, kept up to date, closed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.events.hearing import Ear
from tests.ingest.pushing import (
    BANK,
    CUSTOMER,
    PASSWORD,
    PASSWORD_HASH,
    Operator,
    account,
    institution,
    of_account,
    transaction,
    user,
)
from tests.ingest.test_lines import EVERYTHING
from tests.support.flows import call
from tests.support.link import link_token, run
from tests.support.sdk import plaid_client
from tests.support.server import Server

UPDATED = "TRANSACTIONS:SYNC_UPDATES_AVAILABLE"


def test_everything_is_read_through_the_sdk(bank: Operator, server: Server) -> None:
    bank.push(*EVERYTHING)
    api = plaid_client(server, bank.client_id, bank.secret)
    item = bank.share("auth", "identity", "investments", "liabilities", "transactions")
    token = {"access_token": item.access_token}
    names = {one: account_id for account_id, one in item.accounts.items()}
    [ach] = call(api, "auth_get", **token)["numbers"]["ach"]
    assert (names[ach["account_id"]], ach["account"]) == ("checking", "1111222233330000")
    owners = [one["owners"] for one in call(api, "identity_get", **token)["accounts"]]
    assert ["Ada Example", "Bea Example"] in [owner["names"] for one in owners for owner in one]
    held = call(api, "investments_holdings_get", **token)
    assert [one["institution_value"] for one in held["holdings"]] == [24.5]
    assert [one["name"] for one in held["securities"]] == ["Acme"]
    [card] = call(api, "liabilities_get", **token)["liabilities"]["credit"]
    assert card["minimum_payment_amount"] == 25
    shown = {one["amount"]: one for one in call(api, "transactions_sync", **token)["added"]}
    assert set(shown) == {99999999999.9999, -3.0}
    assert shown[-3.0]["pending"]
    assert shown[-3.0]["authorized_date"].isoformat() == "2026-02-19"
    assert shown[-3.0]["merchant_name"] == "Copper Kettle"


def test_what_differs_is_told_and_shown(bank: Operator, ear: Callable[[str], Ear]) -> None:
    ours = ear("ours")
    bank.push(*CUSTOMER, transaction("kept"), transaction("old"), transaction("wait", pending=True))
    item = bank.share(webhook=ours.url, days_requested=60)
    first = bank.sync(item)
    ids = {one["pending"]: one["transaction_id"] for one in first["added"]}
    ours.hear("TRANSACTIONS:INITIAL_UPDATE", "TRANSACTIONS:HISTORICAL_UPDATE")
    assert len(first["added"]) == 3
    bank.push(transaction("kept"), transaction("old"))
    ours.hear()
    bank.push(
        transaction("old", 13),
        transaction("new", date="2026-01-15"),
        transaction("posted", pending_transaction_id="wait"),
        transaction("too old", date="2020-01-01"),
        of_account("balances", balances={"current": 88, "iso_currency_code": "USD"}),
    )
    told = ours.hear("TRANSACTIONS:DEFAULT_UPDATE", "TRANSACTIONS:TRANSACTIONS_REMOVED", UPDATED)
    assert told[1]["removed_transactions"] == [ids[True]]
    second = bank.sync(item, first["next_cursor"])
    assert [one["amount"] for one in second["modified"]] == [13]
    assert sorted(one["date"] for one in second["added"]) == ["2026-01-15", "2026-02-20"]
    assert ids[True] in [one["pending_transaction_id"] for one in second["added"]]
    assert [one["transaction_id"] for one in second["removed"]] == [ids[True]]
    assert second["accounts"][0]["balances"]["current"] == 88
    bank.push(of_account("delete_transaction", transaction_id="old"))
    ours.hear("TRANSACTIONS:TRANSACTIONS_REMOVED", UPDATED)
    third = bank.sync(item, second["next_cursor"])
    assert [one["transaction_id"] for one in third["removed"]] == [
        second["modified"][0]["transaction_id"]
    ]


def test_account_that_is_closed_is_gone(bank: Operator, ear: Callable[[str], Ear]) -> None:
    ours = ear("closing")
    bank.push(*CUSTOMER, account("savings", subtype="savings"), transaction("t1"))
    item = bank.share("auth", webhook=ours.url)
    token = {"access_token": item.access_token}
    bank.push(of_account("delete_account", "savings"))
    ours.hear()
    shown = bank.post("/accounts/get", **token)["accounts"]
    assert [one["account_id"] for one in shown] == [item.accounts["checking"]]
    bank.push({"record": "delete_user", "institution_id": BANK, "user_id": "ada"})
    [told] = ours.hear("ITEM:ERROR")
    assert told["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"
    assert bank.post("/auth/get", **token).code == "ITEM_LOGIN_REQUIRED"


def test_partner_reads_by_processor_token(bank: Operator, server: Server) -> None:
    bank.push(*EVERYTHING)
    item = bank.share("auth", "transactions")
    minted = bank.post(
        "/processor/token/create",
        access_token=item.access_token,
        account_id=item.accounts["checking"],
        processor="dwolla",
    )
    token = {"processor_token": minted["processor_token"]}
    partner = bank.sandbox("clients", processors=["dwolla"])
    reader = Operator(server.url, partner["client"]["client_id"], partner["secret"])
    assert reader.post("/processor/auth/get", **token)["numbers"]["ach"]["routing"] == "011401533"
    assert len(reader.post("/processor/transactions/sync", **token)["added"]) == 2
    bank.push(of_account("delete_account"))
    reader.post("/processor/transactions/sync", **token)
    assert reader.post("/processor/auth/get", **token).status == 400
    reader.close()


def test_link_lets_a_user_in_by_password(bank: Operator) -> None:
    bank.push(institution(), user(username="ada", password_hash=PASSWORD_HASH), account())

    def enter(password: str) -> str:
        """A public token, or the error that Link shows."""
        ran = run(bank, link_token(bank), institution_id=BANK, username="ada", password=password)
        if ran["public_tokens"]:
            return str(ran["public_tokens"][0])
        return str(ran["exit"]["error"]["error_code"])

    assert enter("wrong") == "INVALID_CREDENTIALS"
    access_token = bank.exchange(enter(PASSWORD))["access_token"]
    shown = bank.post("/accounts/get", access_token=access_token)["accounts"]
    assert [one["name"] for one in shown] == ["Everyday"]
    for _ in range(5):
        assert enter("wrong") == "INVALID_CREDENTIALS"
    assert enter(PASSWORD) == "ITEM_LOCKED"
    bank.sandbox("clock/advance", minutes=16)
    assert enter(PASSWORD).startswith("public-sandbox-")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"user_id": "nobody"}, "INVALID_FIELD"),
        ({"institution_id": "ins_109508"}, "INVALID_INSTITUTION"),
        ({"account_ids": ["savings"]}, "INVALID_FIELD"),
        ({"products": ["income_verification"]}, "PRODUCTS_NOT_SUPPORTED"),
        ({"webhook": "nowhere"}, "INVALID_FIELD"),
        ({"user_id": "bob"}, "NO_ACCOUNTS"),
    ],
)
def test_items_that_cannot_be_made(bank: Operator, asked: dict[str, object], code: str) -> None:
    bank.push(*CUSTOMER, user("bob"))
    order = {"institution_id": BANK, "user_id": "ada", "products": ["auth"]}
    assert bank.post("/treadle/ingest/items/create", **(order | asked)).code == code
