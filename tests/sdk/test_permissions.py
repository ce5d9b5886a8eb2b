"""Narrowing a processor token, and lifting the limit again."""

from __future__ import annotations

from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    BANK_WITHOUT_IDENTITY,
    Keys,
    Linked,
    call,
    link,
    mint,
    narrow,
    not_authorized,
    not_supported,
    post,
    refused,
)
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

READY = Keys(CLIENT_ID, SECRET)


def permissions(api: plaid_api.PlaidApi, token: str) -> list[str]:
    answer = call(api, "processor_token_permissions_get", processor_token=token)
    assert set(answer) == {"products", "request_id"}
    products: list[str] = answer["products"]
    return products


def test_processor_token_permissions_get_of_a_fresh_token_is_empty(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    assert permissions(api, mint(api, shared_item)) == []


def test_processor_token_permissions_set_answers_the_request_id_alone(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item)
    answer = call(api, "processor_token_permissions_set", processor_token=token, products=["auth"])
    assert set(answer) == {"request_id"}


def test_processor_token_permissions_set_replaces_the_list(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item)
    for products in (["identity", "auth", "balance"], ["auth"], [], ["balance"]):
        narrow(api, token, *products)
        assert permissions(api, token) == products


def test_processor_token_permissions_set_keeps_a_repeated_product_once(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item)
    narrow(api, token, "identity", "auth", "identity", "auth")
    assert permissions(api, token) == ["identity", "auth"]


@pytest.mark.parametrize(
    ("products", "error_code", "message"),
    [
        (
            ["auth", "bogus", "AUTH"],
            "INVALID_PRODUCT",
            'client is not authorized to access the following products: ["bogus","AUTH"]',
        ),
        (["bogus\nINFO a line"], "INVALID_PRODUCT", None),
        (None, "INVALID_FIELD", None),
        ("auth", "INVALID_FIELD", None),
        ([None], "INVALID_FIELD", None),
        ([["auth"]], "INVALID_FIELD", None),
    ],
)
def test_processor_token_permissions_set_refuses_what_is_no_product(
    api: plaid_api.PlaidApi,
    server: Server,
    shared_item: Linked,
    products: Any,
    error_code: str,
    message: str | None,
) -> None:
    token = mint(api, shared_item)
    narrow(api, token, "identity")
    body = {"processor_token": token, "products": products}
    answer = post(server, "/processor/token/permissions/set", body, READY)
    assert (answer.status_code, answer.json()["error_code"]) == (400, error_code)
    assert message in (None, answer.json()["error_message"])
    assert permissions(api, token) == ["identity"]


def test_processor_token_permissions_set_needs_its_list(
    server: Server, api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    body = {"processor_token": mint(api, shared_item)}
    answer = post(server, "/processor/token/permissions/set", body, READY).json()
    assert answer["error_code"] == "MISSING_FIELDS"
    assert answer["error_message"] == "the following required fields are missing: products"


def test_processor_token_permissions_set_takes_effect_at_once_both_ways(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item)
    call(api, "processor_auth_get", processor_token=token)
    narrow(api, token, "identity")
    refused(api, "processor_auth_get", not_authorized("auth"), processor_token=token)
    narrow(api, token)
    call(api, "processor_auth_get", processor_token=token)


def test_processor_account_get_needs_no_permission(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item)
    narrow(api, token, "statements")
    call(api, "processor_account_get", processor_token=token)
    call(api, "processor_token_webhook_update", processor_token=token, webhook=None)


def test_refused_read_does_not_add_the_product_to_the_item(api: plaid_api.PlaidApi) -> None:
    linked = link(api, "auth")
    token = mint(api, linked)
    narrow(api, token, "auth")
    refused(api, "processor_identity_get", not_authorized("identity"), processor_token=token)
    item = call(api, "item_get", access_token=linked.access_token)["item"]
    assert item["billed_products"] == ["auth"]


def test_product_that_the_item_gains_later_is_read_by_an_unrestricted_token(
    api: plaid_api.PlaidApi,
) -> None:
    linked = link(api, "transactions")
    fresh, emptied, narrowed = mint(api, linked), mint(api, linked), mint(api, linked)
    narrow(api, emptied)
    narrow(api, narrowed, "transactions")
    call(api, "identity_get", access_token=linked.access_token)
    call(api, "processor_identity_get", processor_token=fresh)
    call(api, "processor_identity_get", processor_token=emptied)
    refused(api, "processor_identity_get", not_authorized("identity"), processor_token=narrowed)


def test_permission_for_what_the_item_does_not_have_adds_nothing(api: plaid_api.PlaidApi) -> None:
    token = mint(api, link(api, institution_id=BANK_WITHOUT_IDENTITY))
    narrow(api, token, "identity")
    refused(api, "processor_identity_get", not_supported("identity"), processor_token=token)
