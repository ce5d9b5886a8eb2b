"""What an Item's webhook is told of investments and liabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plaid.api import plaid_api

from tests.control.plane import Planned
from tests.events.hearing import Ear, Told
from tests.support.flows import NOT_READY, YEARS, call, link, refused
from tests.support.receiver import Receiver
from tests.support.sdk import plaid_client
from tests.support.server import Server
from tests.waking.listening import NOON

Ears = Callable[[str], Ear]

HOLDINGS = "HOLDINGS:DEFAULT_UPDATE"
TRADES = "INVESTMENTS_TRANSACTIONS:DEFAULT_UPDATE"
HISTORY = "INVESTMENTS_TRANSACTIONS:HISTORICAL_UPDATE"
LIABILITIES = "LIABILITIES:DEFAULT_UPDATE"


def without_common(told: Told) -> dict[str, Any]:
    common = ("webhook_type", "webhook_code", "environment")
    return {name: value for name, value in told.items() if name not in common}


def test_investments_are_told_of_when_they_are_first_read(
    api: plaid_api.PlaidApi, ear: Ears
) -> None:
    own = ear("own")
    item = link(api, "auth", webhook=own.url)
    held = call(api, "investments_holdings_get", access_token=item.access_token)["holdings"]
    holdings, trades = own.hear(HOLDINGS, TRADES)
    traded = call(api, "investments_transactions_get", access_token=item.access_token, **YEARS)
    assert without_common(holdings) == {
        "item_id": item.item_id,
        "new_holdings": len(held),
        "updated_holdings": 0,
        "error": None,
    }
    assert without_common(trades) == {
        "item_id": item.item_id,
        "new_investments_transactions": traded["total_investment_transactions"],
        "cancelled_investments_transactions": 0,
        "error": None,
    }
    call(api, "investments_refresh", access_token=item.access_token)
    own.hear()


def test_prices_of_a_new_day_update_holdings(
    api: plaid_api.PlaidApi, app: Planned, ear: Ears
) -> None:
    own = ear("own")
    item = link(api, "auth", webhook=own.url)
    before = call(api, "investments_holdings_get", access_token=item.access_token)["holdings"]
    own.hear(HOLDINGS, TRADES)
    # The prices are those of the last day before, so on a Monday they are as on the Sunday.
    app.sandbox("clock/advance", days=1)
    own.hear(TRADES)
    app.sandbox("clock/advance", days=1)
    after = call(api, "investments_holdings_get", access_token=item.access_token)["holdings"]
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    holdings, _ = own.hear(HOLDINGS, TRADES)
    assert (holdings["new_holdings"], holdings["updated_holdings"]) == (0, changed)
    assert changed > 0


def test_investments_that_nobody_waited_for_are_a_history(
    serve: Callable[..., Server], store: list[str]
) -> None:
    server = serve(*store, "--product-ready-seconds", "3600", "--clock", NOON)
    app, api = Planned(server.url), plaid_client(server)
    with Receiver() as receiver:
        own = Ear(server, app, receiver, "own")
        item = link(api, "auth", webhook=own.url)
        reading = {"access_token": item.access_token, "options": {"async_update": True}, **YEARS}
        refused(api, "investments_transactions_get", NOT_READY, **reading)
        own.hear()
        app.sandbox("clock/advance", hours=1)
        _, history = own.hear(HOLDINGS, HISTORY)
        traded = call(api, "investments_transactions_get", **reading)
    assert without_common(history) == {
        "item_id": item.item_id,
        "new_investments_transactions": traded["total_investment_transactions"],
        "cancelled_investments_transactions": 0,
        "error": None,
    }


def test_liabilities_are_told_of_when_they_are_new_or_change(
    api: plaid_api.PlaidApi, app: Planned, ear: Ears
) -> None:
    own = ear("own")
    item = link(api, "auth", webhook=own.url)
    call(api, "liabilities_get", access_token=item.access_token)
    owing = [item.account_id(mask) for mask in ("3333", "7777", "8888")]
    assert own.hear_of(LIABILITIES) == {
        "item_id": item.item_id,
        "account_ids_with_new_liabilities": owing,
        "account_ids_with_updated_liabilities": {},
        "error": None,
    }
    app.sandbox("clock/advance", days=28)
    told = own.hear_of(LIABILITIES)
    assert told["account_ids_with_new_liabilities"] == []
    updated = told["account_ids_with_updated_liabilities"]
    assert {"last_payment_date", "next_payment_due_date"} <= set(updated[item.account_id("3333")])
