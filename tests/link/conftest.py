"""A client of its own and a frame for each test, on the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.plane import Planned, own_client
from tests.support.link import Frame
from tests.support.server import Server


@pytest.fixture
def app(server: Server) -> Iterator[Planned]:
    client = own_client(server)
    yield client
    client.close()


@pytest.fixture
def other(server: Server) -> Iterator[Planned]:
    """Another client, for whom nothing of the first one exists."""
    client = own_client(server)
    yield client
    client.close()


@pytest.fixture
def frame(server: Server) -> Iterator[Frame]:
    frame = Frame(server.url)
    yield frame
    frame.close()
