"""What partners are told: of their token's account alone, and of nothing that it cannot read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from plaid.api import plaid_api

from tests.control.plane import own_client
from tests.events.hearing import Ear
from tests.events.test_transactions import (
    DEFAULT,
    DYNAMIC,
    HISTORICAL,
    INITIAL,
    RECURRING,
    SYNC,
    TODAY,
    create,
    sync,
)
from tests.support.flows import YEARS, Linked, call, client_of, link, mint, narrow, new_client
from tests.support.sdk import plaid_client
from tests.support.server import Server
from tests.waking.listening import owed, settle

Ears = Callable[[str], Ear]

ACKNOWLEDGED = "PROCESSOR_TOKEN:WEBHOOK_UPDATE_ACKNOWLEDGED"


def listen(api: plaid_api.PlaidApi, token: str, ear: Ear | None) -> None:
    url = ear.url if ear else None
    call(api, "processor_token_webhook_update", processor_token=token, webhook=url)


@pytest.fixture
def item(api: plaid_api.PlaidApi) -> Linked:
    """An Item without a webhook of its own, whose transactions have been read."""
    item = link(api, "transactions", transactions={"days_requested": 365})
    call(api, "transactions_get", access_token=item.access_token, **YEARS)
    return item


def test_a_partner_is_told_where_its_events_go(
    api: plaid_api.PlaidApi, ear: Ears, item: Linked
) -> None:
    partner = ear("partner")
    token = mint(api, item)
    listen(api, token, partner)
    assert partner.hear_of(ACKNOWLEDGED) == {
        "account_id": item.account_id(),
        "new_webhook_url": partner.url,
        "error": None,
    }
    listen(api, token, None)
    create(api, item, TODAY)
    partner.hear()


def test_a_partner_is_told_of_its_account_alone(
    api: plaid_api.PlaidApi, ear: Ears, item: Linked
) -> None:
    checking, savings = ear("checking"), ear("savings")
    for mask, partner in (("0000", checking), ("1111", savings)):
        listen(api, mint(api, item, mask=mask), partner)
        partner.hear(ACKNOWLEDGED)
    create(api, item, TODAY, TODAY, mask="1111")
    assert savings.hear(DEFAULT) == [
        {
            "webhook_type": "TRANSACTIONS",
            "webhook_code": "DEFAULT_UPDATE",
            "account_id": item.account_id("1111"),
            "new_transactions": 2,
            "error": None,
            "environment": "sandbox",
        }
    ]
    checking.hear()


def test_the_developer_is_told_of_all_accounts(api: plaid_api.PlaidApi, ear: Ears) -> None:
    own, partner = ear("own"), ear("partner")
    item = link(api, "transactions", webhook=own.url, **DYNAMIC)
    own.hear(INITIAL, HISTORICAL)
    mask = next(iter(item.accounts))
    listen(api, mint(api, item, mask=mask), partner)
    partner.hear(ACKNOWLEDGED)
    create(api, item, TODAY, mask=mask)
    assert own.hear_of(DEFAULT)["item_id"] == item.item_id
    assert "item_id" not in partner.hear_of(DEFAULT)


def test_a_partner_is_told_of_the_first_transactions(api: plaid_api.PlaidApi, ear: Ears) -> None:
    partner = ear("partner")
    item = link(api, "transactions")
    token = mint(api, item, mask="4444")
    listen(api, token, partner)
    _, initial, historical = partner.hear(ACKNOWLEDGED, INITIAL, HISTORICAL)
    shown = call(api, "processor_transactions_get", processor_token=token, **YEARS)
    counts = [one["new_transactions"] for one in (initial, historical)]
    assert sum(counts) == shown["total_transactions"] > 0
    for told in (initial, historical):
        assert told.keys() == {
            "webhook_type",
            "webhook_code",
            "account_id",
            "new_transactions",
            "error",
            "environment",
        }


def test_what_is_gone_is_told_to_its_partner(api: plaid_api.PlaidApi, ear: Ears) -> None:
    item = link(api, "transactions", **DYNAMIC)
    before = sync(api, item)
    ears = {mask: ear(f"account-{mask}") for mask in item.accounts}
    for mask, partner in ears.items():
        listen(api, mint(api, item, mask=mask), partner)
        partner.hear(ACKNOWLEDGED)
    call(api, "transactions_refresh", access_token=item.access_token)
    changes = sync(api, item, before["next_cursor"])
    told = 0
    for mask, partner in ears.items():
        of_account = {
            kind: [one for one in changes[kind] if one["account_id"] == item.account_id(mask)]
            for kind in ("added", "removed")
        }
        expected = {
            DEFAULT: bool(of_account["added"]),
            "TRANSACTIONS:TRANSACTIONS_REMOVED": bool(of_account["removed"]),
        }
        for event in partner.hear(*[name for name, comes in expected.items() if comes]):
            told += 1
            assert event["account_id"] == item.account_id(mask)
            if event["webhook_code"] == "TRANSACTIONS_REMOVED":
                gone = {one["transaction_id"] for one in of_account["removed"]}
                assert set(event["removed_transactions"]) == gone
                assert event["error"] is None
                assert len(event) == 6
    assert told >= 2


@pytest.mark.parametrize("processor_set_first", [True, False])
def test_a_narrowed_token_is_told_nothing_of_what_it_cannot_read(
    api: plaid_api.PlaidApi, ear: Ears, item: Linked, processor_set_first: bool
) -> None:
    partner = ear("partner")
    token = mint(api, item)
    if processor_set_first:
        listen(api, token, partner)
        narrow(api, token, "auth", "identity")
    else:
        narrow(api, token, "auth", "identity")
        listen(api, token, partner)
    partner.hear(ACKNOWLEDGED)
    create(api, item, TODAY)
    partner.hear()
    narrow(api, token, "auth", "transactions")
    create(api, item, TODAY)
    assert partner.hear_of(DEFAULT)["new_transactions"] == 1
    narrow(api, token, "auth")
    create(api, item, TODAY)
    partner.hear()
    narrow(api, token)
    create(api, item, TODAY)
    partner.hear(DEFAULT)


def test_changes_are_told_to_those_tokens_that_asked_for_them(
    api: plaid_api.PlaidApi, ear: Ears, item: Linked
) -> None:
    first, second = ear("first"), ear("second")
    tokens = {partner.url: mint(api, item) for partner in (first, second)}
    for partner in (first, second):
        listen(api, tokens[partner.url], partner)
        partner.hear(ACKNOWLEDGED)
    # That the developer asks is nothing to its partners.
    sync(api, item)
    create(api, item, TODAY)
    first.hear(DEFAULT)
    second.hear(DEFAULT)
    call(api, "processor_transactions_sync", processor_token=tokens[first.url])
    create(api, item, TODAY)
    _, available = first.hear(DEFAULT, SYNC)
    assert available == {
        "webhook_type": "TRANSACTIONS",
        "webhook_code": "SYNC_UPDATES_AVAILABLE",
        "account_id": item.account_id(),
        "initial_update_complete": True,
        "historical_update_complete": True,
        "environment": "sandbox",
    }
    second.hear(DEFAULT)


def test_the_developer_is_not_told_of_what_its_partner_asked_for(
    api: plaid_api.PlaidApi, ear: Ears
) -> None:
    own = ear("own")
    item = link(api, "transactions", webhook=own.url)
    own.hear(INITIAL, HISTORICAL)
    call(api, "processor_transactions_sync", processor_token=mint(api, item))
    create(api, item, TODAY)
    own.hear(DEFAULT)


def test_streams_are_told_to_whoever_may_read_them(
    api: plaid_api.PlaidApi, ear: Ears, item: Linked
) -> None:
    reader, stranger, elsewhere = ear("reader"), ear("stranger"), ear("elsewhere")
    limits = {reader: ["recurring_transactions"], stranger: ["auth"], elsewhere: []}
    for partner, products in limits.items():
        token = mint(api, item, mask="0000" if partner is elsewhere else "1111")
        narrow(api, token, *products)
        listen(api, token, partner)
        partner.hear(ACKNOWLEDGED)
    call(api, "transactions_recurring_get", access_token=item.access_token)
    create(api, item, *[date(2025, month, 15) for month in range(8, 13)], mask="1111")
    assert reader.hear(RECURRING) == [
        {
            "webhook_type": "TRANSACTIONS",
            "webhook_code": "RECURRING_TRANSACTIONS_UPDATE",
            "account_id": item.account_id("1111"),
            "environment": "sandbox",
        }
    ]
    stranger.hear()
    elsewhere.hear()


def test_events_of_a_token_come_in_order(api: plaid_api.PlaidApi, ear: Ears, item: Linked) -> None:
    partner = ear("partner")
    listen(api, mint(api, item), partner)
    for count in (1, 2, 3, 4, 5):
        create(api, item, *[TODAY] * count)
    _, *updates = partner.hear(ACKNOWLEDGED, *[DEFAULT] * 5)
    assert [one["new_transactions"] for one in updates] == [1, 2, 3, 4, 5]


def test_a_partner_with_keys_of_its_own_is_told(
    server: Server, api: plaid_api.PlaidApi, ear: Ears, item: Linked
) -> None:
    """Its token's developer owes the events, whoever said where they go."""
    partner, keys = ear("partner"), new_client(server, "Dwolla", "--processors", "dwolla")
    listen(client_of(server, keys), mint(api, item, "dwolla"), partner)
    create(api, item, TODAY)
    partner.hear(ACKNOWLEDGED, DEFAULT)


def test_nobody_is_told_of_another_clients_items(
    server: Server, api: plaid_api.PlaidApi, ear: Ears, item: Linked
) -> None:
    partner, other = ear("partner"), own_client(server)
    stranger = plaid_client(server, other.client_id, other.secret)
    foreign = link(stranger, "transactions", webhook=ear("foreign").url)
    listen(api, mint(api, item), partner)
    create(api, item, TODAY)
    _, default = partner.hear(ACKNOWLEDGED, DEFAULT)
    assert default["account_id"] == item.account_id()
    settle(server, other)
    assert {row["item_id"] for row in owed(server, other)} == {foreign.item_id}


def test_a_removed_item_tells_nothing_more(
    api: plaid_api.PlaidApi, ear: Ears, item: Linked
) -> None:
    partner = ear("partner")
    listen(api, mint(api, item), partner)
    call(api, "item_remove", access_token=item.access_token)
    partner.hear(ACKNOWLEDGED)
