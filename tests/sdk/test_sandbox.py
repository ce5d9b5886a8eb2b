"""Items without Link, logins that fail, and Items that break."""

from __future__ import annotations

import re
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    BANK_WITHOUT_AUTH,
    BANK_WITHOUT_IDENTITY,
    DEGRADED_BANK,
    DOWN_BANK,
    FIRST_PLATYPUS,
    LOGIN_REQUIRED,
    NO_SUCH_INSTITUTION,
    OAUTH_BANK,
    UNSUPPORTED_BANK,
    Keys,
    Refusal,
    call,
    link,
    mint,
    not_authorized,
    not_supported,
    post,
    refused,
    sandbox_public_token,
)
from tests.support.sdk import CLIENT_ID, SECRET, expect_error
from tests.support.server import Server

READY = Keys(CLIENT_ID, SECRET)
PATH = "/sandbox/public_token/create"
SILENT_BANK = "this institution is not currently responding to this request. please try again soon"
INVALID_CREDENTIALS = Refusal(
    "ITEM_ERROR", "INVALID_CREDENTIALS", "the provided credentials were not correct"
)
# The answer to the password `error_` + code, and whether it has a text for the end user.
FORCED = {
    "INVALID_CREDENTIALS": ("the provided credentials were not correct", True),
    "INVALID_MFA": ("the provided MFA response(s) were not correct", True),
    "INVALID_SEND_METHOD": ("the provided MFA send_method was invalid", False),
    "ITEM_LOCKED": ("the account is locked and must be unlocked at the institution", True),
    "ITEM_LOGIN_REQUIRED": (LOGIN_REQUIRED.message, False),
    "ITEM_NOT_SUPPORTED": ("this account is currently not supported", True),
    "MFA_NOT_SUPPORTED": (
        "this account's type of multi-factor authentication is not supported",
        True,
    ),
    "NO_ACCOUNTS": ("no valid accounts were found for this item", True),
    "USER_SETUP_REQUIRED": ("the account has not been fully set up at the institution", True),
    "USER_INPUT_TIMEOUT": ("user must retry this operation", True),
    "INSTITUTION_DOWN": (SILENT_BANK, True),
    "INSTITUTION_NOT_RESPONDING": (SILENT_BANK, True),
    "INSTITUTION_NOT_AVAILABLE": (SILENT_BANK, True),
    "INSTITUTION_NO_LONGER_SUPPORTED": ("this institution is no longer supported", True),
}


def test_sandbox_public_token_create_answers_public_token(api: plaid_api.PlaidApi) -> None:
    token = sandbox_public_token(api, "auth")
    assert re.fullmatch(r"public-sandbox-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", token)


def test_sandbox_public_token_create_takes_every_documented_option(
    api: plaid_api.PlaidApi, server: Server
) -> None:
    options = {
        "webhook": "https://shop.example/hook",
        "override_username": "user_good",
        "override_password": "pass_good",
        "transactions": {"start_date": "2026-01-01", "end_date": "2026-02-01"},
    }
    body = {
        "institution_id": FIRST_PLATYPUS,
        "initial_products": ["transactions", "auth", "auth"],
        "options": options,
    }
    answer = post(server, PATH, body, READY)
    assert answer.status_code == 200, answer.text
    token = answer.json()["public_token"]
    exchanged = call(api, "item_public_token_exchange", public_token=token)
    item = call(api, "item_get", access_token=exchanged["access_token"])["item"]
    assert item["webhook"] == "https://shop.example/hook"
    assert item["billed_products"] == ["auth", "transactions"]


def test_same_login_twice_gives_items_of_their_own(api: plaid_api.PlaidApi) -> None:
    first, second = link(api), link(api)
    assert first.item_id != second.item_id
    assert first.account_id() != second.account_id()


@pytest.mark.parametrize("institution_id", ["ins_0", "ins_999999999", "", "109508"])
def test_sandbox_public_token_create_refuses_an_unknown_institution(
    api: plaid_api.PlaidApi, institution_id: str
) -> None:
    refused(
        api,
        "sandbox_public_token_create",
        NO_SUCH_INSTITUTION,
        institution_id=institution_id,
        initial_products=["auth"],
    )


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        (
            {"initial_products": []},
            Refusal(
                "INVALID_REQUEST",
                "INVALID_FIELD",
                "initial_products must be a list of strings containing at least one product",
            ),
        ),
        (
            {"initial_products": "auth"},
            Refusal(
                "INVALID_REQUEST",
                "INVALID_FIELD",
                "initial_products must be a list of strings containing at least one product",
            ),
        ),
        ({"initial_products": ["auth", "bogus"]}, not_supported("bogus")),
        ({"initial_products": ["auth", "balance"]}, not_authorized("balance")),
        (
            {"options": {"webhook": "not a url"}},
            Refusal(
                "INVALID_REQUEST",
                "INVALID_FIELD",
                "options.webhook must be a non-empty string URL",
            ),
        ),
        (
            {"options": {"transactions": {"start_date": "01/02/2026"}}},
            Refusal(
                "INVALID_REQUEST",
                "INVALID_FIELD",
                "options.transactions.start_date must be a string of the format 'YYYY-MM-DD'",
            ),
        ),
        (
            {"options": {"count": 1}},
            Refusal(
                "INVALID_REQUEST",
                "UNKNOWN_FIELDS",
                "the following fields are not recognized by this endpoint: options.count",
            ),
        ),
        (
            {"user_token": "user-sandbox-6b8d4bd1-5c6a-4e4e-9d0e-1f2a3b4c5d6e"},
            Refusal("INVALID_INPUT", "INVALID_USER_TOKEN", "could not find matching user token"),
        ),
        (
            {"user_id": "usr_9nSp2KuZ2x4JDw"},
            Refusal("USER_ERROR", "USER_NOT_FOUND", "could not find matching user"),
        ),
    ],
    ids=lambda value: "" if isinstance(value, Refusal) else str(value),
)
def test_sandbox_public_token_create_refuses(
    server: Server, changed: dict[str, Any], refusal: Refusal
) -> None:
    body = {"institution_id": FIRST_PLATYPUS, "initial_products": ["auth"], **changed}
    answer = post(server, PATH, body, READY)
    error = answer.json()
    assert answer.status_code == 400
    assert (error["error_type"], error["error_code"], error["error_message"]) == refusal


@pytest.mark.parametrize(
    ("username", "password"),
    [("user_good", "wrong"), ("user_good", "PASS_GOOD"), ("user_bad", "pass_good")],
)
def test_sandbox_public_token_create_refuses_a_wrong_login(
    api: plaid_api.PlaidApi, username: str, password: str
) -> None:
    refused(
        api,
        "sandbox_public_token_create",
        INVALID_CREDENTIALS,
        institution_id=FIRST_PLATYPUS,
        initial_products=["auth"],
        options={"override_username": username, "override_password": password},
    )


@pytest.mark.parametrize("code", FORCED)
@pytest.mark.parametrize("operation", ["public_token", "processor_token"])
def test_password_forces_an_error(api: plaid_api.PlaidApi, operation: str, code: str) -> None:
    message, has_display_message = FORCED[code]
    products = {"initial_products": ["auth"]} if operation == "public_token" else {}
    error_type = "INSTITUTION_ERROR" if code.startswith("INSTITUTION") else "ITEM_ERROR"
    login = {"override_username": "user_good", "override_password": f"error_{code}"}
    body = expect_error(
        lambda: call(
            api,
            f"sandbox_{operation}_create",
            institution_id=FIRST_PLATYPUS,
            options=login,
            **products,
        ),
        error_type,
        code,
    )
    assert body["error_message"] == message
    assert (body["display_message"] is not None) == has_display_message


@pytest.mark.parametrize("password", ["error_NO_SUCH_CODE", "error_", "error_INVALID_API_KEYS"])
def test_password_with_another_code_is_a_wrong_one(api: plaid_api.PlaidApi, password: str) -> None:
    refused(
        api,
        "sandbox_public_token_create",
        INVALID_CREDENTIALS,
        institution_id=FIRST_PLATYPUS,
        initial_products=["auth"],
        options={"override_username": "user_good", "override_password": password},
    )


def test_item_has_only_the_products_of_its_institution(api: plaid_api.PlaidApi) -> None:
    without_auth = link(api, "identity", institution_id=BANK_WITHOUT_AUTH)
    without_identity = link(api, "auth", institution_id=BANK_WITHOUT_IDENTITY)
    refused(api, "auth_get", not_supported("auth"), access_token=without_auth.access_token)
    refused(
        api,
        "processor_stripe_bank_account_token_create",
        not_supported("auth"),
        access_token=without_auth.access_token,
        account_id=without_auth.account_id(),
    )
    for refusal, item, name in (
        (not_supported("auth"), without_auth, "processor_auth_get"),
        (not_supported("identity"), without_identity, "processor_identity_get"),
    ):
        refused(api, name, refusal, processor_token=mint(api, item))
    token = without_identity.access_token
    refused(api, "identity_get", not_supported("identity"), access_token=token)
    refused(
        api,
        "sandbox_public_token_create",
        not_supported("auth"),
        institution_id=BANK_WITHOUT_AUTH,
        initial_products=["identity", "auth"],
    )


def test_degraded_institution_still_links(api: plaid_api.PlaidApi) -> None:
    link(api, institution_id=DEGRADED_BANK)


def test_oauth_institution_accepts_any_login(api: plaid_api.PlaidApi) -> None:
    linked = link(
        api,
        institution_id=OAUTH_BANK,
        override_username="somebody",
        override_password="error_ITEM_LOCKED",
    )
    assert len(linked.accounts) == 9


@pytest.mark.parametrize(
    ("institution_id", "code"),
    [
        (DOWN_BANK, "INSTITUTION_DOWN"),
        (UNSUPPORTED_BANK, "INSTITUTION_NO_LONGER_SUPPORTED"),
    ],
)
def test_institution_out_of_order_refuses_every_login(
    api: plaid_api.PlaidApi, institution_id: str, code: str
) -> None:
    refused(
        api,
        "sandbox_public_token_create",
        Refusal("INSTITUTION_ERROR", code, FORCED[code][0]),
        institution_id=institution_id,
        initial_products=["auth"],
    )


def test_sandbox_item_reset_login_shows_in_the_item(api: plaid_api.PlaidApi) -> None:
    linked = link(api)
    token = mint(api, linked)
    for _ in range(2):
        answer = call(api, "sandbox_item_reset_login", access_token=linked.access_token)
        assert answer["reset_login"] is True
    error = call(api, "item_get", access_token=linked.access_token)["item"]["error"]
    shown = Refusal(error["error_type"], error["error_code"], error["error_message"])
    assert shown == LOGIN_REQUIRED
    assert error["status"] == 400
    assert error["display_message"] is None
    assert "request_id" not in error
    refused(api, "accounts_get", LOGIN_REQUIRED, access_token=linked.access_token)
    refused(api, "processor_balance_get", LOGIN_REQUIRED, processor_token=token)
