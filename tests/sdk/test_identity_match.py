"""How well what an app knows of a person agrees with the owner of the accounts."""

from __future__ import annotations

from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    BANK_WITHOUT_IDENTITY,
    FIRST_PLATYPUS,
    NO_SUCH_ACCOUNT,
    UNKNOWN_ACCOUNT,
    Keys,
    Linked,
    Refusal,
    call,
    link,
    mint,
    narrow,
    not_authorized,
    not_supported,
    post,
    refused,
)
from tests.support.server import Server
from treadle.settings import SANDBOX_CLIENT_ID, SANDBOX_SECRET

# The default sandbox user, as somebody would write it into a form.
USER: dict[str, Any] = {
    "legal_name": "Alberta Charleson",
    "phone_number": "+1 (111) 222-4444",
    "email_address": "AccountHolder1@example.com",
    "address": {
        "street": "2493 Leisure Ln",
        "city": "San Matias",
        "region": "California",
        "postal_code": "93405",
        "country": "US",
    },
}
SCORES = {
    "legal_name": {
        "score": 96,
        "is_first_name_or_last_name_match": True,
        "is_nickname_match": False,
        "is_business_name_detected": False,
    },
    "phone_number": {"score": 100},
    "email_address": {"score": 100},
    "address": {"score": 100, "is_postal_code_match": True},
}
STRANGER: dict[str, Any] = {
    "legal_name": "Omar Haddad",
    "phone_number": "+14157452130",
    "email_address": "omar.haddad@example.org",
    "address": {"street": "9 Elm Street", "city": "Salem", "region": "OR", "postal_code": "97301"},
}
NO_SCORES = {
    "legal_name": dict.fromkeys(SCORES["legal_name"]),
    "phone_number": {"score": None},
    "email_address": {"score": None},
    "address": {"score": None, "is_postal_code_match": None},
}


def scores(account: dict[str, Any]) -> dict[str, Any]:
    return {field: account[field] for field in SCORES}


def match(api: plaid_api.PlaidApi, item: Linked, **fields: Any) -> list[dict[str, Any]]:
    answer = call(api, "identity_match", access_token=item.access_token, **fields)
    assert answer["item"]["item_id"] == item.item_id
    accounts: list[dict[str, Any]] = answer["accounts"]
    return accounts


def test_identity_match_scores_every_account(api: plaid_api.PlaidApi, shared_item: Linked) -> None:
    accounts = match(api, shared_item, user=USER)
    assert [scores(account) for account in accounts] == [SCORES] * 9
    shown = {account["mask"]: account["balances"] for account in accounts}
    assert shown == {mask: account["balances"] for mask, account in shared_item.accounts.items()}


def test_identity_match_keeps_to_the_accounts_asked_for(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    wanted = [shared_item.account_id("1111"), shared_item.account_id("8888")]
    accounts = match(api, shared_item, user=USER, options={"account_ids": wanted})
    assert [account["account_id"] for account in accounts] == wanted


def test_identity_match_refuses_an_account_of_no_item(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    refused(
        api,
        "identity_match",
        NO_SUCH_ACCOUNT,
        access_token=shared_item.access_token,
        user=USER,
        options={"account_ids": [UNKNOWN_ACCOUNT]},
    )


def test_identity_match_scores_a_stranger_below_the_threshold(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    account = match(api, shared_item, user=STRANGER)[0]
    assert all(account[field]["score"] < 70 for field in SCORES)
    assert account["address"]["is_postal_code_match"] is False


@pytest.mark.parametrize("field", SCORES)
def test_identity_match_scores_what_is_told_alone(
    api: plaid_api.PlaidApi, shared_item: Linked, field: str
) -> None:
    account = match(api, shared_item, user={field: USER[field]})[0]
    assert scores(account) == {**NO_SCORES, field: SCORES[field]}


def test_identity_match_without_a_user_has_no_scores(
    api: plaid_api.PlaidApi, shared_item: Linked, server: Server
) -> None:
    assert scores(match(api, shared_item)[0]) == NO_SCORES
    assert scores(match(api, shared_item, user={})[0]) == NO_SCORES
    body = {
        "access_token": shared_item.access_token,
        "user": {"legal_name": None, "address": {"street": None, "city": ""}},
    }
    answer = post(server, "/identity/match", body, Keys(SANDBOX_CLIENT_ID, SANDBOX_SECRET)).json()
    assert scores(answer["accounts"][0]) == NO_SCORES


def test_identity_match_refuses_a_text_too_long_to_compare(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    user = {"legal_name": "x" * 501, "address": {"street": "x" * 501, "city": "x" * 500}}
    problem = (
        "user.legal_name must be at most 500 characters; "
        "user.address.street must be at most 500 characters"
    )
    refusal = Refusal("INVALID_REQUEST", "INVALID_FIELD", problem)
    token = mint(api, shared_item)
    refused(api, "processor_identity_match", refusal, processor_token=token, user=user)
    refused(api, "identity_match", refusal, access_token=shared_item.access_token, user=user)


def test_identity_match_belongs_to_identity(api: plaid_api.PlaidApi) -> None:
    item = link(api, institution_id=FIRST_PLATYPUS)
    match(api, item, user=USER)
    billed = call(api, "item_get", access_token=item.access_token)["item"]["billed_products"]
    assert "identity" in billed
    without = link(api, institution_id=BANK_WITHOUT_IDENTITY)
    refused(
        api,
        "identity_match",
        not_supported("identity"),
        access_token=without.access_token,
        user=USER,
    )


def test_processor_identity_match_scores_its_account_and_tells_no_balance(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item, mask="1111")
    answer = call(api, "processor_identity_match", processor_token=token, user=USER)
    assert set(answer) == {"account", "request_id"}
    account = answer["account"]
    assert account["account_id"] == shared_item.account_id("1111")
    assert scores(account) == SCORES
    assert set(account["balances"].values()) == {None}
    stranger = call(api, "processor_identity_match", processor_token=token, user=STRANGER)
    assert all(stranger["account"][field]["score"] < 70 for field in SCORES)
    silent = call(api, "processor_identity_match", processor_token=token)
    assert scores(silent["account"]) == NO_SCORES


def test_processor_identity_match_is_admitted_by_either_permission(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item)
    for permission in ("identity", "identity_match"):
        narrow(api, token, permission)
        call(api, "processor_identity_match", processor_token=token, user=USER)
    refused(api, "processor_identity_get", not_authorized("identity"), processor_token=token)
