"""Clients of the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.raw import Api, new_client
from tests.support.server import Server


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    api = Api(server.url)
    yield api
    api.close()


@pytest.fixture(scope="session")
def stranger_credentials(server: Server) -> tuple[str, str]:
    return new_client(server)


@pytest.fixture
def stranger(server: Server, stranger_credentials: tuple[str, str]) -> Iterator[Api]:
    """Another client, with a chain of its own, to whom the first one's tokens must mean nothing."""
    api = Api(server.url, *stranger_credentials)
    yield api
    api.close()
