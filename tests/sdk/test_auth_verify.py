"""Checking account numbers without an Item: the documented test numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import call, client_of, new_client, not_authorized, post, refused
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

KNOWN = "1111222233331111"
LIKELY = "1111222233333333"
ROUTING = "021000021"


def verify(api: plaid_api.PlaidApi, account: str, routing: str, **fields: Any) -> dict[str, Any]:
    numbers = {"ach": {"account": account, "routing": routing}}
    return call(api, "auth_verify", numbers=numbers, **fields)


@pytest.mark.parametrize(
    ("account", "routing", "status", "form"),
    [
        (KNOWN, ROUTING, "pass", "valid"),
        (KNOWN, "011401533", "pass", "valid"),
        (LIKELY, ROUTING, "pass_with_caution", "valid"),
        ("1111222233330000", ROUTING, "fail", "invalid"),
        ("", ROUTING, "fail", "invalid"),
        (KNOWN, "021000022", "fail", "unknown"),
        (LIKELY, "", "fail", "unknown"),
    ],
)
def test_auth_verify_answers_by_number(
    api: plaid_api.PlaidApi, account: str, routing: str, status: str, form: str
) -> None:
    answer = verify(api, account, routing)
    assert answer["verification_status"] == f"database_insights_{status}"
    assert answer["item_id"] is None
    known = status == "pass"
    assert answer["verification_insights"] == {
        "network_status": {"has_numbers_match": known, "is_numbers_match_verified": known},
        "account_number_format": form,
    }


def test_auth_verify_scores_the_name_of_a_known_account(api: plaid_api.PlaidApi) -> None:
    scores = {
        name: verify(api, KNOWN, ROUTING, legal_name=name)["verification_insights"][
            "name_match_score"
        ]
        for name in ("John Smith", "Smyth John", "Alberta Charleson")
    }
    assert scores["John Smith"] == 100
    assert 100 > scores["Smyth John"] > 70 > scores["Alberta Charleson"] >= 0


@pytest.mark.parametrize(("account", "name"), [(KNOWN, None), (KNOWN, ""), (LIKELY, "John Smith")])
def test_auth_verify_scores_no_name_without_one_to_compare(
    api: plaid_api.PlaidApi, account: str, name: str | None
) -> None:
    insights = verify(api, account, ROUTING, legal_name=name)["verification_insights"]
    assert "name_match_score" not in insights


def test_auth_verify_needs_numbers(server: Server) -> None:
    keys = {"client_id": CLIENT_ID, "secret": SECRET}
    body = post(server, "/auth/verify", keys | {"numbers": {"ach": {"account": KNOWN}}}).json()
    assert body["error_code"] == "MISSING_FIELDS"
    assert body["error_message"].endswith("numbers.ach.routing")


@pytest.mark.slow
def test_auth_verify_has_nothing_to_compare_with_in_production(
    serve: Callable[..., Server], store: list[str]
) -> None:
    server = serve("--environment", "production", *store)
    api = client_of(server, new_client(server, "Dev", "--environment", "production"))
    numbers = {"ach": {"account": KNOWN, "routing": ROUTING}}
    refused(api, "auth_verify", not_authorized("auth"), numbers=numbers)
