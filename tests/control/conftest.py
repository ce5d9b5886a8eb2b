"""A client of its own for each test, on the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.plane import Planned, own_client
from tests.support.server import Server


@pytest.fixture
def plane(server: Server) -> Iterator[Planned]:
    client = own_client(server)
    yield client
    client.close()


@pytest.fixture
def other(server: Server) -> Iterator[Planned]:
    """Another client, whom nothing that the first one does may touch."""
    client = own_client(server)
    yield client
    client.close()
