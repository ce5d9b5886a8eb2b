"""What an Item's webhook is told of transactions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from plaid.api import plaid_api

from tests.control.plane import Planned
from tests.events.hearing import Ear
from tests.support.flows import YEARS, Linked, call, link, mint
from tests.support.link import PLAIN_BANK, link_token, run
from tests.support.receiver import Receiver
from tests.support.sdk import plaid_client
from tests.support.server import Server
from tests.waking.listening import NOON

Ears = Callable[[str], Ear]

DYNAMIC = {"override_username": "user_transactions_dynamic", "override_password": "any"}
INITIAL, HISTORICAL = "TRANSACTIONS:INITIAL_UPDATE", "TRANSACTIONS:HISTORICAL_UPDATE"
DEFAULT, REMOVED = "TRANSACTIONS:DEFAULT_UPDATE", "TRANSACTIONS:TRANSACTIONS_REMOVED"
SYNC = "TRANSACTIONS:SYNC_UPDATES_AVAILABLE"
RECURRING = "TRANSACTIONS:RECURRING_TRANSACTIONS_UPDATE"

TODAY = date(2026, 3, 1)
A_MONTH_AGO = date(2026, 1, 30)
DUES = 31.0


def sync(api: plaid_api.PlaidApi, item: Linked, cursor: str = "") -> dict[str, Any]:
    return call(api, "transactions_sync", access_token=item.access_token, cursor=cursor, count=500)


def create(api: plaid_api.PlaidApi, item: Linked, *days: date, mask: str = "0000") -> None:
    """Add a transaction of a club for each of the days."""
    made = [
        {
            "date_transacted": day,
            "date_posted": day,
            "amount": DUES,
            "description": "ROWING CLUB DUES",
            "account_id": item.account_id(mask),
        }
        for day in days
    ]
    call(api, "sandbox_transactions_create", access_token=item.access_token, transactions=made)


def test_a_new_item_is_told_of_its_transactions(api: plaid_api.PlaidApi, ear: Ears) -> None:
    own = ear("own")
    item = link(api, "transactions", webhook=own.url)
    initial, historical = own.hear(INITIAL, HISTORICAL)
    shown = call(
        api, "transactions_get", access_token=item.access_token, options={"count": 500}, **YEARS
    )["transactions"]
    recent = sum(one["date"] >= A_MONTH_AGO for one in shown)
    assert 0 < recent < len(shown)
    assert initial == {
        "webhook_type": "TRANSACTIONS",
        "webhook_code": "INITIAL_UPDATE",
        "item_id": item.item_id,
        "new_transactions": recent,
        "error": None,
        "environment": "sandbox",
    }
    assert historical == initial | {
        "webhook_code": "HISTORICAL_UPDATE",
        "new_transactions": len(shown) - recent,
    }


def test_the_first_month_comes_before_the_history(
    serve: Callable[..., Server], store: list[str]
) -> None:
    server = serve(*store, "--product-ready-seconds", "3600", "--clock", NOON)
    app, api = Planned(server.url), plaid_client(server)
    with Receiver() as receiver:
        own = Ear(server, app, receiver, "own")
        item = link(api, "transactions", webhook=own.url)
        sync(api, item)
        own.hear()
        app.sandbox("clock/advance", hours=1)
        initial, first = own.hear(INITIAL, SYNC)
        assert initial["new_transactions"] == len(sync(api, item)["added"]) > 0
        app.sandbox("clock/advance", hours=1)
        historical, second = own.hear(HISTORICAL, SYNC)
    total = len(sync(api, item)["added"])
    assert initial["new_transactions"] + historical["new_transactions"] == total
    completeness = [
        (one["initial_update_complete"], one["historical_update_complete"])
        for one in (first, second)
    ]
    assert completeness == [(True, False), (True, True)]


def test_a_refresh_tells_what_it_brought(api: plaid_api.PlaidApi, ear: Ears) -> None:
    own = ear("own")
    item = link(api, "transactions", webhook=own.url, **DYNAMIC)
    own.hear(INITIAL, HISTORICAL)
    call(api, "transactions_refresh", access_token=item.access_token)
    # Nobody has asked for changes yet, so nobody is told that there are some.
    own.hear(DEFAULT, REMOVED)
    before = sync(api, item)
    call(api, "transactions_refresh", access_token=item.access_token)
    default, removed, available = own.hear(DEFAULT, REMOVED, SYNC)
    changes = sync(api, item, before["next_cursor"])
    assert default["new_transactions"] == len(changes["added"]) > 0
    assert default["error"] is removed["error"] is None
    gone = [one["transaction_id"] for one in changes["removed"]]
    assert sorted(removed["removed_transactions"]) == sorted(gone)
    assert removed.keys() == default.keys() - {"new_transactions"} | {"removed_transactions"}
    assert available == {
        "webhook_type": "TRANSACTIONS",
        "webhook_code": "SYNC_UPDATES_AVAILABLE",
        "item_id": item.item_id,
        "initial_update_complete": True,
        "historical_update_complete": True,
        "environment": "sandbox",
    }


def test_what_brings_nothing_tells_nothing(api: plaid_api.PlaidApi, ear: Ears) -> None:
    own = ear("own")
    item = link(api, "transactions", webhook=own.url)
    own.hear(INITIAL, HISTORICAL)
    sync(api, item)
    call(api, "transactions_recurring_get", access_token=item.access_token)
    call(api, "transactions_refresh", access_token=item.access_token)
    sync(api, item)
    own.hear()


def test_a_new_day_is_told_of_in_the_background(
    api: plaid_api.PlaidApi, app: Planned, ear: Ears
) -> None:
    own = ear("own")
    item = link(api, "transactions", webhook=own.url)
    own.hear(INITIAL, HISTORICAL)
    before = sync(api, item)
    # The first day from here on that brings the user anything.
    app.sandbox("clock/advance", days=9)
    default, available = own.hear(DEFAULT, SYNC)
    added = sync(api, item, before["next_cursor"])["added"]
    assert default["new_transactions"] == len(added) == 1
    assert available["historical_update_complete"] is True


def test_a_transaction_of_the_developers_is_told_of(api: plaid_api.PlaidApi, ear: Ears) -> None:
    own = ear("own")
    item = link(api, "transactions", webhook=own.url)
    own.hear(INITIAL, HISTORICAL)
    create(api, item, TODAY, TODAY)
    assert own.hear_of(DEFAULT) == {
        "item_id": item.item_id,
        "new_transactions": 2,
        "error": None,
    }


def test_streams_are_told_of_once_they_were_asked_for(api: plaid_api.PlaidApi, ear: Ears) -> None:
    own = ear("own")
    item = link(api, "transactions", webhook=own.url, transactions={"days_requested": 365})
    own.hear(INITIAL, HISTORICAL)
    months = [date(2025, 9, 15), date(2025, 10, 15), date(2025, 11, 15), date(2025, 12, 15)]
    create(api, item, *months, mask="1111")
    own.hear(DEFAULT)
    call(api, "transactions_recurring_get", access_token=item.access_token)
    create(api, item, date(2026, 1, 15), date(2026, 2, 15), mask="1111")
    _, recurring = own.hear(DEFAULT, RECURRING)
    assert recurring == {
        "webhook_type": "TRANSACTIONS",
        "webhook_code": "RECURRING_TRANSACTIONS_UPDATE",
        "item_id": item.item_id,
        "account_ids": [item.account_id("1111")],
        "environment": "sandbox",
    }
    streams = call(api, "transactions_recurring_get", access_token=item.access_token)
    [dues] = [one for one in streams["outflow_streams"] if one["last_amount"]["amount"] == DUES]
    assert len(dues["transaction_ids"]) == 6
    # What was told is not told again.
    call(api, "transactions_refresh", access_token=item.access_token)
    own.hear()


def test_transactions_that_are_no_longer_shared_are_gone(
    api: plaid_api.PlaidApi, app: Planned, ear: Ears
) -> None:
    own, partner = ear("own"), ear("partner")
    item = link(api, "transactions", institution_id=PLAIN_BANK, webhook=own.url)
    own.hear(INITIAL, HISTORICAL)
    before = sync(api, item)
    token = mint(api, item, mask="1111")
    call(api, "processor_token_webhook_update", processor_token=token, webhook=partner.url)
    partner.hear("PROCESSOR_TOKEN:WEBHOOK_UPDATE_ACKNOWLEDGED")
    updating = link_token(
        app,
        access_token=item.access_token,
        products=None,
        update={"account_selection_enabled": True},
    )
    run(app, updating, account_masks=["0000", "3333"])
    removed, available = own.hear(REMOVED, SYNC)
    gone = [one["transaction_id"] for one in sync(api, item, before["next_cursor"])["removed"]]
    assert sorted(removed["removed_transactions"]) == sorted(gone) != []
    assert available["historical_update_complete"] is True
    # The account is out of the partner's reach, and so is what becomes of it.
    partner.hear()
