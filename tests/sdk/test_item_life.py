"""An Item's products, from the first call for each to the end of all."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.promises.database import records
from tests.support.flows import (
    FURTHER_FIELDS,
    REMOVED,
    UNKNOWN_TOKEN,
    Linked,
    call,
    link,
    mint,
    post,
    refused,
    sandbox_public_token,
)
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

# The first call for each product, with either token; the account that a partner's token is for.
FIRST_CALLS = {
    "auth": ("auth_get", "processor_auth_get", "0000"),
    "identity": ("identity_get", "processor_identity_get", "0000"),
    "transactions": ("transactions_get", "processor_transactions_get", "0000"),
    "investments": (
        "investments_holdings_get",
        "processor_investments_holdings_get",
        "5555",
    ),
    "liabilities": ("liabilities_get", "processor_liabilities_get", "3333"),
    "signal": ("signal_evaluate", "processor_signal_evaluate", "0000"),
}
LISTS = ("available_products", "billed_products", "products", "consented_products")


def item_of(api: plaid_api.PlaidApi, linked: Linked) -> dict[str, Any]:
    item: dict[str, Any] = call(api, "item_get", access_token=linked.access_token)["item"]
    return item


def check_products(item: dict[str, Any]) -> None:
    """What holds for the products of every Item at any time."""
    for name in LISTS:
        assert all(one < next_one for one, next_one in pairwise(item[name])), name
    assert item["products"] == item["billed_products"]
    assert not set(item["available_products"]) & set(item["billed_products"])
    assert "balance" in item["available_products"]
    assert set(item["billed_products"]) <= set(item["consented_products"])


def make_first_call(
    api: plaid_api.PlaidApi, linked: Linked, product: str, *, partner: bool
) -> None:
    own, partners, mask = FIRST_CALLS[product]
    name = partners if partner else own
    further = dict(FURTHER_FIELDS.get(name, {}))
    if "account_id" in further:
        further["account_id"] = linked.account_id(mask)
    if "client_transaction_id" in further:
        further["client_transaction_id"] = linked.item_id[:36]
    if partner:
        further["processor_token"] = mint(api, linked, mask=mask)
    else:
        further["access_token"] = linked.access_token
    call(api, name, **further)


@pytest.mark.parametrize("partner", [False, True], ids=["developer", "partner"])
@pytest.mark.parametrize("product", FIRST_CALLS)
def test_first_call_for_a_product_bills_it(
    api: plaid_api.PlaidApi, product: str, partner: bool
) -> None:
    linked = link(api, "auth" if product != "auth" else "transactions")
    before = item_of(api, linked)
    assert product in before["available_products"]
    make_first_call(api, linked, product, partner=partner)
    after = item_of(api, linked)
    assert after["billed_products"] == sorted([*before["billed_products"], product])
    assert after["available_products"] == [
        one for one in before["available_products"] if one != product
    ]
    check_products(after)
    make_first_call(api, linked, product, partner=partner)
    assert item_of(api, linked) == after


@pytest.mark.parametrize("partner", [False, True], ids=["developer", "partner"])
def test_balance_is_read_and_never_billed(api: plaid_api.PlaidApi, partner: bool) -> None:
    linked = link(api, "auth")
    before = item_of(api, linked)
    if partner:
        call(api, "processor_balance_get", processor_token=mint(api, linked))
    else:
        call(api, "accounts_balance_get", access_token=linked.access_token)
    assert item_of(api, linked) == before
    check_products(before)


def test_lists_of_products_are_alphabetical_in_every_item(api: plaid_api.PlaidApi) -> None:
    linked = link(api, "transactions", "auth")
    for product in ("signal", "identity"):
        make_first_call(api, linked, product, partner=False)
    access = {"access_token": linked.access_token}
    items = [
        item_of(api, linked),
        call(api, "accounts_get", **access)["item"],
        call(api, "identity_get", **access)["item"],
        call(api, "item_webhook_update", **access, webhook=None)["item"],
    ]
    for item in items:
        check_products(item)
        assert item["billed_products"] == ["auth", "identity", "signal", "transactions"]


@pytest.mark.parametrize(
    ("products", "covered", "scopes"),
    [
        (
            ["auth"],
            ["balance", "identity", "transfer"],
            ["account_balance_info", "account_routing_number", "contact_info"],
        ),
        (
            ["transactions"],
            ["assets", "balance", "identity"],
            ["account_balance_info", "contact_info", "transactions"],
        ),
        (["liabilities"], ["balance"], ["account_balance_info", "credit_loan_info"]),
        (
            ["auth", "investments"],
            ["balance", "identity", "investments_auth", "transfer"],
            ["account_balance_info", "account_routing_number", "contact_info", "investments"],
        ),
    ],
)
def test_consent_covers_products_that_read_no_further_data(
    api: plaid_api.PlaidApi, products: list[str], covered: list[str], scopes: list[str]
) -> None:
    item = item_of(api, link(api, *products))
    assert item["consented_products"] == sorted(products + covered)
    assert item["consented_data_scopes"] == scopes


def test_item_products_terminate_ends_every_token(server: Server, api: plaid_api.PlaidApi) -> None:
    linked, other = link(api, "auth", "transactions"), link(api)
    processor_token = mint(api, linked)
    again = call(api, "item_create_public_token", access_token=linked.access_token)
    answer = call(
        api,
        "item_products_terminate",
        access_token=linked.access_token,
        reason_code="CONSUMER_ACCOUNT_CLOSED",
        reason_note="moved",
    )
    assert set(answer) == {"request_id"}
    for name in ("item_get", "auth_get", "item_products_terminate", "item_remove"):
        further = FURTHER_FIELDS.get(name, {})
        refused(api, name, REMOVED, access_token=linked.access_token, **further)
    refused(api, "processor_auth_get", REMOVED, processor_token=processor_token)
    refused(api, "item_public_token_exchange", REMOVED, public_token=again["public_token"])
    call(api, "item_get", access_token=other.access_token)
    [record] = [
        one
        for one in records(server, CLIENT_ID)
        if (one["action"], one.get("item_id")) == ("item.remove", linked.item_id)
    ]
    assert record["detail"] == {"reason_code": "CONSUMER_ACCOUNT_CLOSED", "reason_note": "moved"}


@pytest.mark.parametrize(
    ("reason", "error_code", "named"),
    [
        ({}, "MISSING_FIELDS", "reason_code"),
        ({"reason_code": "BORED"}, "INVALID_FIELD", "reason_code"),
        ({"reason_code": None}, "INVALID_FIELD", "reason_code"),
        # A reason of `/item/remove` alone.
        ({"reason_code": "CONNECTION_IS_NON_FUNCTIONAL"}, "INVALID_FIELD", "reason_code"),
        ({"reason_code": "OTHER", "reason_note": "n" * 513}, "INVALID_FIELD", "reason_note"),
    ],
)
def test_item_products_terminate_refuses_a_bad_reason(
    server: Server, shared_item: Linked, reason: dict[str, Any], error_code: str, named: str
) -> None:
    keys = {"client_id": CLIENT_ID, "secret": SECRET}
    body = keys | {"access_token": shared_item.access_token} | reason
    answer = post(server, "/item/products/terminate", body).json()
    assert answer["error_code"] == error_code
    assert named in answer["error_message"]


def test_item_products_terminate_takes_access_tokens_alone(api: plaid_api.PlaidApi) -> None:
    public_token = sandbox_public_token(api, "auth")
    disguised = public_token.replace("public-", "access-", 1)
    refused(
        api,
        "item_products_terminate",
        UNKNOWN_TOKEN["access"],
        access_token=disguised,
        reason_code="OTHER",
    )
