"""An operator of its own for each test, whose clock stands at noon, and ears for its webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.events.hearing import Ear
from tests.ingest.pushing import Operator, operator
from tests.support.receiver import Receiver
from tests.support.server import Server
from tests.waking.listening import NOON


@pytest.fixture
def bank(server: Server) -> Iterator[Operator]:
    client = operator(server)
    client.sandbox("clock", now=NOON)
    yield client
    client.close()


@pytest.fixture
def ear(server: Server, bank: Operator) -> Iterator[Callable[[str], Ear]]:
    """A function that gives a URL of its own to whom a name is given."""
    with Receiver() as receiver:
        yield lambda name: Ear(server, bank, receiver, name)
