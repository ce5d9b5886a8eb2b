"""Production: no ready client, no sandbox operation, no Item without Link."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    UNKNOWN_TOKEN,
    WRONG_KEYS,
    Refusal,
    call,
    client_of,
    implemented,
    new_client,
    post,
    refused,
    unknown_token,
)
from tests.support.sdk import plaid_client
from tests.support.server import Server

SANDBOX_PATHS = [one.path for one in implemented().values() if one.path.startswith("/sandbox/")]

pytestmark = pytest.mark.slow


@pytest.fixture
def production(serve: Callable[..., Server], store: list[str]) -> Server:
    return serve("--environment", "production", *store)


@pytest.fixture
def developer(production: Server) -> plaid_api.PlaidApi:
    return client_of(production, new_client(production, "Dev", "--environment", "production"))


def test_production_serves_its_own_clients_alone(
    production: Server, developer: plaid_api.PlaidApi
) -> None:
    for api in (plaid_client(production), developer):
        refusal = UNKNOWN_TOKEN["access"] if api is developer else WRONG_KEYS
        for environment in ("sandbox", "production"):
            token = unknown_token("access", environment)
            refused(api, "item_get", refusal, access_token=token)
    call(developer, "categories_get")


def test_production_has_no_sandbox_operations(production: Server) -> None:
    keys = new_client(production, "Dev", "--environment", "production")
    for path in SANDBOX_PATHS:
        for answer in (post(production, path, {}), post(production, path, {}, keys)):
            body = answer.json()
            assert (answer.status_code, body["error_type"]) == (400, "INVALID_REQUEST")
            assert body["error_code"] == "SANDBOX_ONLY"
            message = f"access to {path} is only available in the sandbox environment"
            assert body["error_message"] == message


def test_production_makes_no_item_without_link(developer: plaid_api.PlaidApi) -> None:
    refused(
        developer,
        "item_import",
        Refusal(
            "INVALID_INPUT",
            "DIRECT_INTEGRATION_NOT_ENABLED",
            "this client can only create items through Link",
        ),
        products=["auth"],
        user_auth={"user_id": "user_good", "auth_token": "pass_good"},
    )
