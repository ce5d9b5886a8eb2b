"""A client of its own for each test, whose clock stands at noon, and ears for its webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from plaid.api import plaid_api

from tests.control.plane import Planned, own_client
from tests.events.hearing import Ear
from tests.support.receiver import Receiver
from tests.support.sdk import plaid_client
from tests.support.server import Server
from tests.waking.listening import NOON


@pytest.fixture
def app(server: Server) -> Iterator[Planned]:
    client = own_client(server)
    client.sandbox("clock", now=NOON)
    yield client
    client.close()


@pytest.fixture
def api(server: Server, app: Planned) -> plaid_api.PlaidApi:
    """The same client through the SDK."""
    return plaid_client(server, app.client_id, app.secret)


@pytest.fixture
def ear(server: Server, app: Planned) -> Iterator[Callable[[str], Ear]]:
    """A function that gives a URL of its own to whom a name is given."""
    with Receiver() as receiver:
        yield lambda name: Ear(server, app, receiver, name)
