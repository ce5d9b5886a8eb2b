"""Items: exchange, read, rotate, remove, webhook and import."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from plaid.api import plaid_api

from tests.support.flows import (
    FIRST_PLATYPUS,
    REMOVED,
    UNKNOWN_TOKEN,
    Linked,
    Refusal,
    call,
    link,
    mint,
    not_authorized,
    post,
    refused,
    sandbox_public_token,
)
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
LONGEST_NOTE = "n" * 512


def test_item_public_token_exchange_answers_access_token(api: plaid_api.PlaidApi) -> None:
    public_token = sandbox_public_token(api, "auth")
    answer = call(api, "item_public_token_exchange", public_token=public_token)
    assert re.fullmatch(f"access-sandbox-{UUID}", answer["access_token"])
    assert re.fullmatch("[1-9A-Za-z]{37,38}", answer["item_id"])
    assert set(answer) == {"access_token", "item_id", "request_id"}


def test_item_public_token_exchange_works_once(api: plaid_api.PlaidApi) -> None:
    public_token = sandbox_public_token(api, "auth")
    call(api, "item_public_token_exchange", public_token=public_token)
    refused(api, "item_public_token_exchange", UNKNOWN_TOKEN["public"], public_token=public_token)


def test_item_create_public_token_expires_in_thirty_minutes(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    before = datetime.now(UTC)
    answer = call(api, "item_create_public_token", access_token=shared_item.access_token)
    life = answer["expiration"] - before
    assert timedelta(minutes=29, seconds=59) <= life <= timedelta(minutes=30, seconds=30)
    exchanged = call(api, "item_public_token_exchange", public_token=answer["public_token"])
    assert exchanged["item_id"] == shared_item.item_id
    assert exchanged["access_token"] != shared_item.access_token


def test_item_get_shows_a_new_item(api: plaid_api.PlaidApi) -> None:
    linked = link(api, "auth", "transactions")
    answer = call(api, "item_get", access_token=linked.access_token)
    item, status = answer["item"], answer["status"]
    assert item["item_id"] == linked.item_id
    assert item["institution_id"] == FIRST_PLATYPUS
    assert item["institution_name"] == "First Platypus Bank"
    assert item["webhook"] == ""
    assert item["error"] is None
    assert item["consent_expiration_time"] is None
    assert item["update_type"] == "background"
    assert item["billed_products"] == item["products"] == ["auth", "transactions"]
    assert abs(item["created_at"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert status["last_webhook"] is None
    assert set(status) == {"transactions", "last_webhook"}
    assert status["transactions"]["last_failed_update"] is None
    assert status["transactions"]["last_successful_update"] == item["created_at"]


def test_item_get_has_balance_available_and_never_billed(api: plaid_api.PlaidApi) -> None:
    linked = link(api, "auth")
    call(api, "accounts_balance_get", access_token=linked.access_token)
    item = call(api, "item_get", access_token=linked.access_token)["item"]
    assert "balance" in item["available_products"]
    assert item["billed_products"] == ["auth"]
    assert item["available_products"] == sorted(item["available_products"])
    assert not set(item["available_products"]) & set(item["billed_products"])


def test_item_get_shows_a_product_billed_after_its_first_use(api: plaid_api.PlaidApi) -> None:
    linked = link(api, "auth")
    before = call(api, "item_get", access_token=linked.access_token)["item"]
    call(api, "identity_get", access_token=linked.access_token)
    after = call(api, "item_get", access_token=linked.access_token)["item"]
    assert "identity" in before["available_products"]
    assert "identity" not in after["available_products"]
    assert after["billed_products"] == ["auth", "identity"]


def test_item_access_token_invalidate_ends_the_old_token_alone(api: plaid_api.PlaidApi) -> None:
    linked = link(api)
    processor_token = mint(api, linked)
    rotated = call(api, "item_access_token_invalidate", access_token=linked.access_token)
    refused(api, "item_get", UNKNOWN_TOKEN["access"], access_token=linked.access_token)
    accounts = call(api, "accounts_get", access_token=rotated["new_access_token"])
    assert accounts["item"]["item_id"] == linked.item_id
    assert [one["account_id"] for one in accounts["accounts"]] == [
        one["account_id"] for one in linked.accounts.values()
    ]
    account = call(api, "processor_auth_get", processor_token=processor_token)["account"]
    assert account["account_id"] == linked.account_id()


def test_item_access_token_invalidate_ends_every_access_token(api: plaid_api.PlaidApi) -> None:
    linked = link(api)
    again = call(api, "item_create_public_token", access_token=linked.access_token)
    second = call(api, "item_public_token_exchange", public_token=again["public_token"])
    call(api, "item_access_token_invalidate", access_token=linked.access_token)
    refused(api, "item_get", UNKNOWN_TOKEN["access"], access_token=second["access_token"])


def test_item_remove_answers_nothing_but_the_request_id(api: plaid_api.PlaidApi) -> None:
    linked = link(api)
    answer = call(
        api,
        "item_remove",
        access_token=linked.access_token,
        reason_code="FRAUD_ABUSE",
        reason_note=LONGEST_NOTE,
    )
    assert set(answer) == {"request_id"}
    refused(api, "item_remove", REMOVED, access_token=linked.access_token)


def test_item_remove_leaves_other_items_alone(api: plaid_api.PlaidApi, shared_item: Linked) -> None:
    call(api, "item_remove", access_token=link(api).access_token)
    call(api, "item_get", access_token=shared_item.access_token)


def test_item_remove_refuses_a_long_note(server: Server, shared_item: Linked) -> None:
    body = {"client_id": CLIENT_ID, "secret": SECRET, "access_token": shared_item.access_token}
    answer = post(server, "/item/remove", body | {"reason_note": LONGEST_NOTE + "n"}).json()
    assert answer["error_code"] == "INVALID_FIELD"
    assert "reason_note" in answer["error_message"]


def test_item_webhook_update_sets_and_clears(api: plaid_api.PlaidApi) -> None:
    linked = link(api, webhook="https://shop.example/first")
    token = linked.access_token
    assert call(api, "item_get", access_token=token)["item"]["webhook"].endswith("/first")
    for webhook in ("http://127.0.0.1:9/second", None, "https://example.com/third", ""):
        answer = call(api, "item_webhook_update", access_token=token, webhook=webhook)
        assert answer["item"]["webhook"] == (webhook or "")
        assert call(api, "item_get", access_token=token)["item"]["webhook"] == (webhook or "")


def test_item_webhook_update_refuses_what_is_no_url(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    refused(
        api,
        "item_webhook_update",
        Refusal("INVALID_REQUEST", "INVALID_FIELD", "webhook must be a non-empty string URL"),
        access_token=shared_item.access_token,
        webhook="example.com/no-scheme",
    )


def test_item_import_makes_an_item(api: plaid_api.PlaidApi) -> None:
    answer = call(
        api,
        "item_import",
        products=["identity", "auth"],
        user_auth={"user_id": "user_good", "auth_token": "pass_good"},
        options={"webhook": "https://shop.example/hook"},
    )
    item = call(api, "item_get", access_token=answer["access_token"])["item"]
    assert item["billed_products"] == ["auth", "identity"]
    assert item["webhook"] == "https://shop.example/hook"
    assert item["institution_id"] == FIRST_PLATYPUS


def test_item_import_checks_the_login(api: plaid_api.PlaidApi) -> None:
    message = "the provided credentials were not correct"
    refused(
        api,
        "item_import",
        Refusal("ITEM_ERROR", "INVALID_CREDENTIALS", message),
        products=["auth"],
        user_auth={"user_id": "user_good", "auth_token": "wrong"},
    )


def test_item_import_refuses_balance(api: plaid_api.PlaidApi) -> None:
    refused(
        api,
        "item_import",
        not_authorized("balance"),
        products=["balance"],
        user_auth={"user_id": "user_good", "auth_token": "pass_good"},
    )
