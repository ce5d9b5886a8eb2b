"""Clients of the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from plaid.api import plaid_api

from tests.conftest import store_arguments
from tests.support.flows import Linked, link
from tests.support.sdk import plaid_client
from tests.support.server import Server


@pytest.fixture(scope="session")
def api(server: Server) -> plaid_api.PlaidApi:
    """The ready client, through the SDK."""
    return plaid_client(server)


@pytest.fixture(scope="session")
def shared_item(api: plaid_api.PlaidApi) -> Linked:
    """An Item with Auth and Identity, for tests that leave it as it is."""
    return link(api, "auth", "identity")


@pytest.fixture(scope="session")
def september(
    store_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[plaid_api.PlaidApi]:
    """An SDK client of a server on which it is the first of September 2026."""
    data = tmp_path_factory.mktemp(f"september-{store_kind}") / "data"
    server = Server(data, "--clock", "2026-09-01T12:00:00Z", *store_arguments(store_kind, request))
    server.start()
    yield plaid_client(server)
    server.stop()
