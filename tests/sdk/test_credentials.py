"""The client's keys, on every operation."""

from __future__ import annotations

from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    FURTHER_FIELDS,
    WRONG_KEYS,
    Keys,
    Linked,
    call,
    client_of,
    implemented,
    link,
    manage_clients,
    new_client,
    post,
    refused,
    token_operations,
    unknown_token,
)
from tests.support.sdk import CLIENT_ID, SECRET, plaid_client
from tests.support.server import Server

READY = Keys(CLIENT_ID, SECRET)
OPEN = "categories_get"
# Asked by the page of a bank, which knows no client.
OF_A_BANK = "sandbox_oauth_select_accounts"
INPUT: dict[str, dict[str, Any]] = {
    "auth_verify": {"numbers": {"ach": {"account": "1", "routing": "1"}}},
    "institutions_get": {"count": 1, "offset": 0, "country_codes": ["US"]},
    "institutions_get_by_id": {"institution_id": "ins_109508", "country_codes": ["US"]},
    "institutions_search": {"query": "bank", "country_codes": ["US"]},
    "item_import": {"products": ["auth"], "user_auth": {"user_id": "u", "auth_token": "t"}},
    "link_token_get": {"link_token": "unknown"},
    "sandbox_processor_token_create": {"institution_id": "ins_109508"},
    "webhook_verification_key_get": {"key_id": "unknown"},
    "transactions_enrich": {
        "account_type": "depository",
        "transactions": [
            {
                "id": "one",
                "description": "CORNER SHOP",
                "amount": 1.0,
                "direction": "OUTFLOW",
                "iso_currency_code": "USD",
            }
        ],
    },
    "sandbox_public_token_create": {
        "institution_id": "ins_109508",
        "initial_products": ["auth"],
    },
    "signal_decision_report": {"client_transaction_id": "unknown", "initiated": True},
    "signal_return_report": {"client_transaction_id": "unknown", "return_code": "R01"},
}
for _name, _kind in token_operations("access", "public", "processor"):
    INPUT[_name] = {f"{_kind}_token": unknown_token(_kind), **FURTHER_FIELDS.get(_name, {})}


def test_every_operation_is_tried_here() -> None:
    assert INPUT.keys() | {OPEN, OF_A_BANK} == implemented().keys()


@pytest.mark.parametrize("name", sorted(INPUT))
def test_wrong_keys_are_refused(server: Server, name: str) -> None:
    for keys in (
        Keys(CLIENT_ID, "wrong"),
        Keys(CLIENT_ID, CLIENT_ID),
        Keys("nobody", SECRET),
        Keys("nobody' OR '1'='1", SECRET),
    ):
        refused(client_of(server, keys), name, WRONG_KEYS, **INPUT[name])


@pytest.mark.parametrize("name", sorted(INPUT))
def test_missing_keys_are_named(server: Server, name: str) -> None:
    path = implemented()[name].path
    for given, missing in (
        ({}, "client_id, secret"),
        ({"client_id": CLIENT_ID}, "secret"),
        ({"secret": SECRET}, "client_id"),
    ):
        answer = post(server, path, INPUT[name] | given)
        assert answer.status_code == 400
        assert answer.json()["error_code"] == "MISSING_FIELDS"
        message = f"the following required fields are missing: {missing}"
        assert answer.json()["error_message"] == message


@pytest.mark.parametrize("name", sorted(INPUT))
def test_unknown_field_is_refused(server: Server, name: str) -> None:
    answer = post(server, implemented()[name].path, INPUT[name] | {"acess_token": 1}, READY)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "UNKNOWN_FIELDS"
    message = "the following fields are not recognized by this endpoint: acess_token"
    assert answer.json()["error_message"] == message


def test_keys_may_stand_in_the_body(server: Server, shared_item: Linked) -> None:
    body = {"client_id": CLIENT_ID, "secret": SECRET, "access_token": shared_item.access_token}
    assert post(server, "/item/get", body).status_code == 200


def test_null_keys_are_malformed(server: Server, shared_item: Linked) -> None:
    body = {"client_id": None, "secret": SECRET, "access_token": shared_item.access_token}
    answer = post(server, "/item/get", body).json()
    assert answer["error_code"] == "INVALID_FIELD"
    message = "client_id must be a properly formatted, non-empty string"
    assert answer["error_message"] == message


def test_keys_are_right_only_with_each_other(server: Server) -> None:
    other = new_client(server, "Other")
    call(client_of(server, other), "institutions_search", **INPUT["institutions_search"])
    for keys in (Keys(CLIENT_ID, other.secret), Keys(other.client_id, SECRET)):
        refused(client_of(server, keys), "item_get", WRONG_KEYS, access_token="access-sandbox-x")


def test_rotated_secret_ends_the_old_one_at_once(server: Server) -> None:
    keys = new_client(server, "Rotating")
    before = client_of(server, keys)
    linked = link(before)
    printed = dict(line.split() for line in manage_clients(server, "rotate-secret", keys.client_id))
    refused(before, "item_get", WRONG_KEYS, access_token=linked.access_token)
    after = plaid_client(server, keys.client_id, printed["secret"])
    call(after, "item_get", access_token=linked.access_token)


def test_categories_get_needs_no_keys(server: Server, api: plaid_api.PlaidApi) -> None:
    nobody = client_of(server, Keys("", ""))
    answer = call(nobody, OPEN)
    assert answer["categories"] == call(api, OPEN)["categories"]
    assert post(server, "/categories/get", {}).status_code == 200
