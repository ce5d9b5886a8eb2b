"""Webhooks on demand: what each says of the Item, and which are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.control.plane import Planned
from tests.events.hearing import Ear, Told
from tests.promises.database import records
from tests.support.flows import (
    MALFORMED_TOKEN,
    YEARS,
    Keys,
    Refusal,
    call,
    link,
    mint,
    post,
    refused,
)
from tests.support.server import Server
from treadle.clock import parse_instant, to_datetime
from treadle.wire.sandbox import SandboxItemFireWebhookRequestWebhookCode as Code
from treadle.wire.sandbox import WebhookType

Ears = Callable[[str], Ear]

PRODUCTS = ("auth", "identity", "investments", "liabilities", "transactions")
NOW = to_datetime(parse_instant("2026-03-01T12:00:00Z"))
NO_WEBHOOK = Refusal(
    "SANDBOX_ERROR",
    "SANDBOX_WEBHOOK_INVALID",
    "the item has no webhook; /item/webhook/update sets one",
)
COUNT_ELSEWHERE = Refusal(
    "INVALID_REQUEST",
    "INVALID_FIELD",
    "options.new_transactions is only valid for TRANSACTIONS:DEFAULT_UPDATE",
)
# The events that there are, by their types, with the product that each is about.
FIRED = {
    ("AUTH", "DEFAULT_UPDATE"): "auth",
    ("AUTH", "SMS_MICRODEPOSITS_VERIFICATION"): "auth",
    ("HOLDINGS", "DEFAULT_UPDATE"): "investments",
    ("IDENTITY", "DEFAULT_UPDATE"): "identity",
    ("INVESTMENTS_TRANSACTIONS", "DEFAULT_UPDATE"): "investments",
    ("ITEM", "LOGIN_REPAIRED"): None,
    ("ITEM", "NEW_ACCOUNTS_AVAILABLE"): None,
    ("ITEM", "PENDING_DISCONNECT"): None,
    ("ITEM", "USER_ACCOUNT_REVOKED"): None,
    ("ITEM", "USER_PERMISSION_REVOKED"): None,
    ("LIABILITIES", "DEFAULT_UPDATE"): "liabilities",
    ("TRANSACTIONS", "DEFAULT_UPDATE"): "transactions",
    ("TRANSACTIONS", "RECURRING_TRANSACTIONS_UPDATE"): "transactions",
    ("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE"): "transactions",
}


class Shop:
    """An Item with every product, of which all that is told has been heard."""

    def __init__(self, api: plaid_api.PlaidApi, own: Ear) -> None:
        self.api = api
        self.own = own
        self.item = link(api, *PRODUCTS)
        token = {"access_token": self.item.access_token}
        call(api, "transactions_get", **token, **YEARS)
        self.held = call(api, "investments_holdings_get", **token)["holdings"]
        traded = call(api, "investments_transactions_get", **token, **YEARS)
        self.traded = traded["total_investment_transactions"]
        call(api, "liabilities_get", **token)
        call(api, "item_webhook_update", **token, webhook=own.url)
        own.hear("ITEM:WEBHOOK_UPDATE_ACKNOWLEDGED")

    def fire(self, code: str, webhook_type: str | None = None, **options: Any) -> Told:
        """Fire a webhook, and answer what it says beside its name and whose it is."""
        fields: dict[str, Any] = {"webhook_type": webhook_type} if webhook_type else {}
        if options:
            fields["options"] = options
        fired = call(
            self.api,
            "sandbox_item_fire_webhook",
            access_token=self.item.access_token,
            webhook_code=code,
            **fields,
        )
        assert fired["webhook_fired"] is True
        [name] = [
            f"{of_type}:{of_code}"
            for of_type, of_code in FIRED
            if of_code == code and of_type == (webhook_type or of_type)
        ]
        told = self.own.hear_of(name)
        assert told.pop("item_id") == self.item.item_id
        return told

    def ids(self, *masks: str) -> list[str]:
        return [self.item.account_id(mask) for mask in masks]


@pytest.fixture
def shop(api: plaid_api.PlaidApi, ear: Ears) -> Shop:
    return Shop(api, ear("own"))


def test_numbers_are_told_of_where_there_are_any(shop: Shop) -> None:
    told = shop.fire("DEFAULT_UPDATE", "AUTH")
    updated = told.pop("account_ids_with_updated_auth")
    assert updated == {key: ["account_number"] for key in shop.ids("0000", "1111")}
    assert told == {"account_ids_with_new_auth": [], "error": None}
    told = shop.fire("SMS_MICRODEPOSITS_VERIFICATION")
    assert told == {"account_id": shop.item.account_id(), "status": "MANUALLY_VERIFIED"}


def test_identity_is_told_of_by_what_is_known(shop: Shop) -> None:
    told = shop.fire("DEFAULT_UPDATE", "IDENTITY")
    kinds = ["addresses", "emails", "names", "phone_numbers"]
    everyone = dict.fromkeys(shop.ids(*shop.item.accounts), kinds)
    assert told == {"account_ids_with_updated_identity": everyone, "error": None}


def test_investments_are_told_of_as_they_are(shop: Shop) -> None:
    assert shop.fire("DEFAULT_UPDATE", "HOLDINGS") == {
        "new_holdings": 0,
        "updated_holdings": len(shop.held),
        "error": None,
    }
    assert shop.fire("DEFAULT_UPDATE", "INVESTMENTS_TRANSACTIONS") == {
        "new_investments_transactions": shop.traded,
        "cancelled_investments_transactions": 0,
        "error": None,
    }


def test_liabilities_are_told_of_by_account(shop: Shop) -> None:
    told = shop.fire("DEFAULT_UPDATE", "LIABILITIES")
    updated = told.pop("account_ids_with_updated_liabilities")
    assert told == {"account_ids_with_new_liabilities": [], "error": None}
    assert updated.keys() == set(shop.ids("3333", "7777", "8888"))
    assert {"aprs", "minimum_payment_amount"} <= set(updated[shop.item.account_id("3333")])


def test_transactions_are_told_of(shop: Shop) -> None:
    assert shop.fire("SYNC_UPDATES_AVAILABLE") == {
        "initial_update_complete": True,
        "historical_update_complete": True,
    }
    looked_at = shop.ids("0000", "1111", "3333")
    assert shop.fire("RECURRING_TRANSACTIONS_UPDATE") == {"account_ids": looked_at}
    update = {"new_transactions": 0, "error": None}
    assert shop.fire("DEFAULT_UPDATE", "TRANSACTIONS") == update
    counted = shop.fire("DEFAULT_UPDATE", "TRANSACTIONS", new_transactions=7)
    assert counted == update | {"new_transactions": 7}


def test_items_are_told_of(shop: Shop) -> None:
    assert shop.fire("LOGIN_REPAIRED") == {}
    assert shop.fire("NEW_ACCOUNTS_AVAILABLE") == {"error": None}
    assert shop.fire("USER_ACCOUNT_REVOKED") == {"account_id": shop.item.account_id()}
    assert shop.fire("USER_PERMISSION_REVOKED")["error"] == {
        "error_type": "INVALID_INPUT",
        "error_code": "USER_PERMISSION_REVOKED",
        "error_message": "the holder of this account has revoked their permission for your "
        "application to access it",
        "display_message": None,
        "status": 400,
    }
    told = shop.fire("PENDING_DISCONNECT")
    assert told["reason"] == "INSTITUTION_MIGRATION"
    assert datetime.fromisoformat(told["disconnect_time"]) == NOW + timedelta(days=7)
    # None of it has happened.
    item = call(shop.api, "item_get", access_token=shop.item.access_token)["item"]
    assert item["error"] is None
    call(shop.api, "auth_get", access_token=shop.item.access_token)


def test_an_update_without_a_type_is_one_of_transactions(shop: Shop) -> None:
    call(
        shop.api,
        "sandbox_item_fire_webhook",
        access_token=shop.item.access_token,
        webhook_code="DEFAULT_UPDATE",
    )
    shop.own.hear("TRANSACTIONS:DEFAULT_UPDATE")


def test_what_was_fired_is_the_items_last_webhook(server: Server, app: Planned, shop: Shop) -> None:
    shop.fire("LOGIN_REPAIRED")
    status = call(shop.api, "item_get", access_token=shop.item.access_token)["status"]
    assert status["last_webhook"] == {"code_sent": "LOGIN_REPAIRED", "sent_at": NOW}
    last = records(server, app.client_id)[-1]
    assert (last["action"], last["item_id"]) == ("item.fire_webhook", shop.item.item_id)
    assert last["detail"] == {"webhook": "ITEM:LOGIN_REPAIRED"}


def test_they_come_in_the_order_in_which_they_were_fired(shop: Shop) -> None:
    names = ["NEW_ACCOUNTS_AVAILABLE", "LOGIN_REPAIRED", "PENDING_DISCONNECT"] * 4
    for name in names:
        call(
            shop.api,
            "sandbox_item_fire_webhook",
            access_token=shop.item.access_token,
            webhook_code=name,
        )
    shop.own.hear(*[f"ITEM:{name}" for name in names])


def test_partners_are_not_told(shop: Shop, ear: Ears) -> None:
    partner = ear("partner")
    token = mint(shop.api, shop.item)
    call(shop.api, "processor_token_webhook_update", processor_token=token, webhook=partner.url)
    shop.fire("DEFAULT_UPDATE", "TRANSACTIONS")
    partner.hear("PROCESSOR_TOKEN:WEBHOOK_UPDATE_ACKNOWLEDGED")


def test_an_item_in_error_can_be_told_of(shop: Shop) -> None:
    call(shop.api, "sandbox_item_reset_login", access_token=shop.item.access_token)
    shop.own.hear("ITEM:ERROR")
    shop.fire("LOGIN_REPAIRED")


def test_only_events_that_there_are_can_be_fired(server: Server, app: Planned, shop: Shop) -> None:
    keys = Keys(app.client_id, app.secret)
    body = {"access_token": shop.item.access_token}
    for webhook_type in WebhookType:
        for code in Code:
            answer = post(
                server,
                "/sandbox/item/fire_webhook",
                body | {"webhook_type": webhook_type, "webhook_code": code},
                keys,
            )
            if (webhook_type, code) in FIRED:
                assert answer.status_code == 200, answer.text
                shop.own.hear(f"{webhook_type}:{code}")
            elif webhook_type == "ASSETS" and code in (Code.ERROR, Code.PRODUCT_READY):
                assert answer.json()["error_code"] == "SANDBOX_PRODUCT_NOT_ENABLED"
            else:
                error = answer.json()
                assert error["error_code"] == "SANDBOX_WEBHOOK_INVALID"
                wanted = f"there is no webhook {webhook_type}:{code} to fire"
                assert error["error_message"] == wanted


@pytest.mark.parametrize(("webhook_type", "code"), [one for one, of in FIRED.items() if of])
def test_a_product_that_the_item_does_not_use_is_refused(
    api: plaid_api.PlaidApi, webhook_type: str, code: str
) -> None:
    product = FIRED[webhook_type, code]
    others = [name for name in PRODUCTS if name != product]
    item = link(api, *others, webhook="https://shop.example/hook")
    refused(
        api,
        "sandbox_item_fire_webhook",
        Refusal(
            "SANDBOX_ERROR",
            "SANDBOX_PRODUCT_NOT_ENABLED",
            f"The {product} product is not enabled on this item",
        ),
        access_token=item.access_token,
        webhook_type=webhook_type,
        webhook_code=code,
    )


def test_there_are_no_asset_reports_to_tell_of(api: plaid_api.PlaidApi) -> None:
    item = link(api, "assets", webhook="https://shop.example/hook")
    refused(
        api,
        "sandbox_item_fire_webhook",
        Refusal(
            "INVALID_REQUEST",
            "NOT_IMPLEMENTED",
            "a webhook about asset reports is not implemented by Treadle yet; docs/coverage.md "
            "lists what is",
        ),
        access_token=item.access_token,
        webhook_code="PRODUCT_READY",
    )


def test_an_item_without_a_webhook_is_refused(api: plaid_api.PlaidApi) -> None:
    item = link(api, "transactions")
    fire = {"access_token": item.access_token, "webhook_code": "DEFAULT_UPDATE"}
    refused(api, "sandbox_item_fire_webhook", NO_WEBHOOK, **fire)
    malformed = fire | {"access_token": "nonsense"}
    refused(api, "sandbox_item_fire_webhook", MALFORMED_TOKEN["access"], **malformed)


def test_a_count_goes_with_an_update_of_transactions_alone(shop: Shop) -> None:
    refused(
        shop.api,
        "sandbox_item_fire_webhook",
        COUNT_ELSEWHERE,
        access_token=shop.item.access_token,
        webhook_type="HOLDINGS",
        webhook_code="DEFAULT_UPDATE",
        options={"new_transactions": 3},
    )
    shop.own.hear()
