"""Clients of the shared server."""

from __future__ import annotations

import pytest
from plaid.api import plaid_api

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
