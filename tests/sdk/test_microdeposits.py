"""Accounts whose numbers are verified by automatic micro-deposits."""

from __future__ import annotations

from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    FIRST_PLATYPUS,
    Linked,
    Refusal,
    call,
    link,
    mint,
    refused,
    sandbox_public_token,
)
from tests.support.sdk import expect_error, plaid_client
from tests.support.server import Server

HOUNDSTOOTH = "ins_109512"
MICRODEPOSITS = {"override_password": "microdeposits_good"}
NOT_READY = Refusal(
    "ITEM_ERROR",
    "PRODUCT_NOT_READY",
    "the requested product is not yet ready. please provide a webhook or try the request again "
    "later",
)
NOT_PENDING = Refusal(
    "INVALID_REQUEST",
    "INVALID_FIELD",
    "account_id must be an account that is pending automatic verification",
)


@pytest.fixture
def api(server: Server) -> plaid_api.PlaidApi:
    return plaid_client(server)


@pytest.fixture
def item(api: plaid_api.PlaidApi) -> Linked:
    return link(api, "auth", institution_id=HOUNDSTOOTH, **MICRODEPOSITS)


def settle(api: plaid_api.PlaidApi, item: Linked, status: str) -> dict[str, Any]:
    return call(
        api,
        "sandbox_item_set_verification_status",
        access_token=item.access_token,
        account_id=item.account_id(),
        verification_status=status,
    )


def test_an_unverified_account_has_no_numbers_yet(api: plaid_api.PlaidApi, item: Linked) -> None:
    assert list(item.accounts) == ["0000"]
    assert item.accounts["0000"]["verification_status"] == "pending_automatic_verification"
    token = mint(api, item)
    refused(api, "auth_get", NOT_READY, access_token=item.access_token)
    refused(api, "processor_auth_get", NOT_READY, processor_token=token)
    settle(api, item, "automatically_verified")
    own = call(api, "auth_get", access_token=item.access_token)
    assert own["accounts"][0]["verification_status"] == "automatically_verified"
    assert own["numbers"]["ach"][0]["account"] == "1111222233330000"
    partners = call(api, "processor_auth_get", processor_token=token)
    assert partners["numbers"]["ach"] == own["numbers"]["ach"][0]


def test_an_expired_verification_gives_no_numbers(api: plaid_api.PlaidApi, item: Linked) -> None:
    settle(api, item, "verification_expired")
    refused(api, "auth_get", NOT_READY, access_token=item.access_token)
    accounts = call(api, "accounts_get", access_token=item.access_token)["accounts"]
    assert accounts[0]["verification_status"] == "verification_expired"


def test_only_what_is_pending_can_be_settled(api: plaid_api.PlaidApi, item: Linked) -> None:
    settle(api, item, "automatically_verified")
    for settled in (item, link(api)):
        refused(
            api,
            "sandbox_item_set_verification_status",
            NOT_PENDING,
            access_token=settled.access_token,
            account_id=settled.account_id(),
            verification_status="verification_expired",
        )


def test_other_banks_do_not_know_the_password(api: plaid_api.PlaidApi) -> None:
    expect_error(
        lambda: sandbox_public_token(api, "auth", institution_id=FIRST_PLATYPUS, **MICRODEPOSITS),
        "ITEM_ERROR",
        "INVALID_CREDENTIALS",
    )
