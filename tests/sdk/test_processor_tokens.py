"""Minting processor tokens, and their webhook."""

from __future__ import annotations

import re
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    MALFORMED_ACCOUNT,
    NO_SUCH_ACCOUNT,
    NO_SUCH_INSTITUTION,
    UNKNOWN_ACCOUNT,
    Keys,
    Linked,
    Refusal,
    call,
    client_of,
    link,
    mint,
    new_client,
    post,
    refused,
)
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

READY = Keys(CLIENT_ID, SECRET)
MINTING: dict[str, dict[str, Any]] = {
    "processor_token_create": {"processor": "dwolla"},
    "processor_apex_processor_token_create": {},
    "processor_stripe_bank_account_token_create": {},
}
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_processor_token_create_answers_processor_token(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item)
    assert re.fullmatch(f"processor-sandbox-{UUID}", token)


def test_processor_token_create_takes_an_item_without_auth(api: plaid_api.PlaidApi) -> None:
    linked = link(api, "transactions")
    mint(api, linked)
    item = call(api, "item_get", access_token=linked.access_token)["item"]
    assert item["billed_products"] == ["transactions"]


def test_processor_token_create_knows_paynote(api: plaid_api.PlaidApi, shared_item: Linked) -> None:
    token = mint(api, shared_item, processor="paynote")
    call(api, "processor_account_get", processor_token=token)


@pytest.mark.parametrize("processor", ["stripe", "Dwolla", "prime_trust", ""])
def test_processor_token_create_refuses_an_unknown_processor(
    server: Server, shared_item: Linked, processor: str
) -> None:
    body = {
        "access_token": shared_item.access_token,
        "account_id": shared_item.account_id(),
        "processor": processor,
    }
    answer = post(server, "/processor/token/create", body, READY)
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "INVALID_REQUEST"
    assert answer.json()["error_code"] == "INVALID_FIELD"
    assert answer.json()["error_message"].startswith("processor must be one of")


@pytest.mark.parametrize("operation", MINTING)
@pytest.mark.parametrize("account_id", ["ABCDEFG1234567", "", UNKNOWN_ACCOUNT + "KK", "0" * 37])
def test_minting_refuses_a_malformed_account_id(
    api: plaid_api.PlaidApi, shared_item: Linked, operation: str, account_id: str
) -> None:
    refused(
        api,
        operation,
        MALFORMED_ACCOUNT,
        access_token=shared_item.access_token,
        account_id=account_id,
        **MINTING[operation],
    )


@pytest.mark.parametrize("operation", MINTING)
def test_minting_refuses_an_account_of_no_or_another_item(
    api: plaid_api.PlaidApi, shared_item: Linked, operation: str
) -> None:
    for account_id in (UNKNOWN_ACCOUNT, link(api).account_id()):
        refused(
            api,
            operation,
            NO_SUCH_ACCOUNT,
            access_token=shared_item.access_token,
            account_id=account_id,
            **MINTING[operation],
        )


def test_processor_token_create_twice_gives_two_tokens(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    first, second = mint(api, shared_item), mint(api, shared_item)
    assert first != second
    call(api, "processor_token_permissions_set", processor_token=first, products=["identity"])
    answer = call(api, "processor_token_permissions_get", processor_token=second)
    assert answer["products"] == []
    call(api, "processor_auth_get", processor_token=second)


def test_processor_apex_processor_token_create_answers_processor_token(
    api: plaid_api.PlaidApi, shared_item: Linked, server: Server
) -> None:
    answer = call(
        api,
        "processor_apex_processor_token_create",
        access_token=shared_item.access_token,
        account_id=shared_item.account_id("1111"),
    )
    partner = client_of(server, new_client(server, "Apex", "--processors", "apex_clearing"))
    account = call(partner, "processor_account_get", processor_token=answer["processor_token"])
    assert account["account"]["mask"] == "1111"


def test_processor_token_create_keeps_to_the_integrations_of_the_client(server: Server) -> None:
    developer = client_of(server, new_client(server, "Dev", "--integrations", "dwolla,paynote"))
    linked = link(developer)
    mint(developer, linked, "paynote")
    refused(
        developer,
        "processor_apex_processor_token_create",
        Refusal(
            "INVALID_INPUT",
            "INVALID_PRODUCT",
            "your API keys are not enabled for the Apex Clearing integration; "
            "a client may mint for the --integrations that it was created with",
        ),
        access_token=linked.access_token,
        account_id=linked.account_id(),
    )


def test_sandbox_processor_token_create_binds_the_checking_account(
    api: plaid_api.PlaidApi,
) -> None:
    created = call(api, "sandbox_processor_token_create", institution_id="ins_109508")
    token = created["processor_token"]
    assert re.fullmatch(f"processor-sandbox-{UUID}", token)
    answer = call(api, "processor_auth_get", processor_token=token)
    assert answer["account"]["mask"] == "0000"
    assert answer["numbers"]["ach"]["account"] == "1111222233330000"
    call(api, "processor_identity_get", processor_token=token)
    assert not call(api, "processor_token_permissions_get", processor_token=token)["products"]


def test_sandbox_processor_token_create_refuses_bad_input(api: plaid_api.PlaidApi) -> None:
    name = "sandbox_processor_token_create"
    refused(api, name, NO_SUCH_INSTITUTION, institution_id="ins_0")
    refused(
        api,
        name,
        Refusal("ITEM_ERROR", "INVALID_CREDENTIALS", "the provided credentials were not correct"),
        institution_id="ins_109508",
        options={"override_username": "user_good", "override_password": "wrong"},
    )


@pytest.mark.parametrize("webhook", ["https://shop.example/hook", None, ""])
def test_processor_token_webhook_update_accepts(
    api: plaid_api.PlaidApi, shared_item: Linked, webhook: str | None
) -> None:
    token = mint(api, shared_item)
    answer = call(api, "processor_token_webhook_update", processor_token=token, webhook=webhook)
    assert set(answer) == {"request_id"}


def test_processor_token_webhook_update_refuses_what_is_no_url(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    refused(
        api,
        "processor_token_webhook_update",
        Refusal("INVALID_REQUEST", "INVALID_FIELD", "webhook must be a non-empty string URL"),
        processor_token=mint(api, shared_item),
        webhook="hook",
    )
