"""A client of its own for each test, whose clock stands at noon, and a receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.plane import Planned, own_client
from tests.support.receiver import Receiver
from tests.support.server import Server
from tests.waking.listening import NOON


@pytest.fixture
def app(server: Server) -> Iterator[Planned]:
    client = own_client(server)
    client.sandbox("clock", now=NOON)
    yield client
    client.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
