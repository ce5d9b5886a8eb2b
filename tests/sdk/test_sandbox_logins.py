"""Passwords of the sandbox: their faults, and the errors, questions and challenges they mean."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.custom import create, link
from tests.support.flows import FIRST_PLATYPUS, OAUTH_BANK, Refusal, refused
from tests.support.sdk import expect_error

NO_ACCOUNTS = Refusal("ITEM_ERROR", "NO_ACCOUNTS", "no valid accounts were found for this item")
# What `force_error` is answered by, beside ITEM_ERROR.
FORCED_TYPES = {
    "INSTITUTION_NOT_RESPONDING": ("INSTITUTION_ERROR", "INSTITUTION_NOT_RESPONDING"),
    "INSTITUTION_NO_LONGER_SUPPORTED": ("INSTITUTION_ERROR", "INSTITUTION_NO_LONGER_SUPPORTED"),
    "INVALID_LINK_TOKEN": ("INVALID_INPUT", "INVALID_LINK_TOKEN"),
    "PLAID_ERROR": ("API_ERROR", "INTERNAL_SERVER_ERROR"),
}
FORCED_CODES = """
    INVALID_CREDENTIALS INVALID_MFA ITEM_LOCKED ITEM_LOGIN_REQUIRED ITEM_NOT_SUPPORTED
    MFA_NOT_SUPPORTED NO_ACCOUNTS USER_INPUT_TIMEOUT USER_SETUP_REQUIRED
"""


def test_payroll_alone_is_no_account(api: plaid_api.PlaidApi) -> None:
    refused_login(api, NO_ACCOUNTS, {"override_accounts": [{"type": "payroll"}]})


def refused_login(api: plaid_api.PlaidApi, refusal: Refusal, user: Any, **fields: Any) -> None:
    body = expect_error(lambda: create(api, user, **fields), refusal.error_type, refusal.error_code)
    assert body["error_message"] == refusal.message


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("{", "line 1, column 2: is not JSON: Expecting property name enclosed in double quotes"),
        ("[]", "the document: must be an object"),
        (
            '{"override_accounts": [{}, {"curency": "USD"}]}',
            "override_accounts[1].curency: is not a field of a custom user",
        ),
        (
            '{"override_accounts": [{"numbers": {"ach_routing": "011401534"}}]}',
            "override_accounts[0].numbers.ach_routing: is not a valid routing number: its checksum "
            "is wrong",
        ),
    ],
)
def test_a_malformed_user_is_told_where(api: plaid_api.PlaidApi, password: str, fault: str) -> None:
    message = f"{{}} is not a valid custom user: {fault}"
    override = message.format("options.override_password")
    refused_login(api, Refusal("INVALID_REQUEST", "INVALID_FIELD", override), password)
    refused(
        api,
        "sandbox_processor_token_create",
        Refusal("INVALID_REQUEST", "INVALID_FIELD", override),
        institution_id=FIRST_PLATYPUS,
        options={"override_username": "user_custom", "override_password": password},
    )
    refused(
        api,
        "item_import",
        Refusal("INVALID_REQUEST", "INVALID_FIELD", message.format("user_auth.auth_token")),
        products=["identity"],
        user_auth={"user_id": "user_custom", "auth_token": password},
    )


@pytest.mark.parametrize("code", [*FORCED_CODES.split(), *FORCED_TYPES])
def test_a_user_can_force_an_error(api: plaid_api.PlaidApi, code: str) -> None:
    expected = FORCED_TYPES.get(code, ("ITEM_ERROR", code))
    expect_error(lambda: create(api, {"force_error": code}), *expected)


def test_a_challenge_is_passed_or_not(api: plaid_api.PlaidApi) -> None:
    for username in ("user_good", "user_custom"):
        assert link(api, {"recaptcha": "good"}, username=username).accounts
        expect_error(
            partial(create, api, {"recaptcha": "bad"}, username=username),
            "RECAPTCHA_ERROR",
            "RECAPTCHA_BAD",
        )


@pytest.mark.parametrize(
    "password", ["mfa_device", "mfa_questions_2_2", "mfa_selections", "mfa_selections_1_2_3"]
)
def test_questions_count_as_answered(api: plaid_api.PlaidApi, password: str) -> None:
    assert len(link(api, password, username="user_good").accounts) == 9
    assert link(api, {"mfa": {"type": "device"}}).accounts


@pytest.mark.parametrize("password", ["mfa_questions", "mfa_questions_0_1", "mfa_devices", "{}"])
def test_other_passwords_are_wrong(api: plaid_api.PlaidApi, password: str) -> None:
    expect_error(
        lambda: create(api, password, username="user_good"), "ITEM_ERROR", "INVALID_CREDENTIALS"
    )


def test_a_bank_with_oauth_takes_anything(api: plaid_api.PlaidApi) -> None:
    assert len(link(api, "{", "identity", institution_id=OAUTH_BANK).accounts) == 9
