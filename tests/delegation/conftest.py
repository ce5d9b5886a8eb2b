"""A developer with clients for partners, on the shared server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.plane import Planned, own_client
from tests.support.raw import Answer
from tests.support.server import Server

DWOLLA, PAYNOTE = "dwolla", "paynote"
UNKNOWN = "INVALID_PROCESSOR_TOKEN"


class Developer(Planned):
    """A client that mints tokens and administers them."""

    def delegate(self, what: str, /, **fields: Any) -> Answer:
        return self.post(f"/treadle/processor_token/{what}", **fields)

    def listed(self, **fields: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.delegate("list", **fields)["processor_tokens"]
        return found

    def handle(self, token: str) -> str:
        """The handle of a token that was used just now for the first time, or minted last."""
        token_id: str = self.delegate("limits/get", processor_token=token)["token_id"]
        return token_id


def developer_on(server: Server, *, keep_alive: bool = True) -> Developer:
    made = own_client(server)
    made.close()
    return Developer(server.url, made.client_id, made.secret, keep_alive=keep_alive)


@pytest.fixture
def developer(server: Server) -> Iterator[Developer]:
    developer = developer_on(server)
    yield developer
    developer.close()


@pytest.fixture
def partner(server: Server) -> Iterator[Planned]:
    partner = own_client(server, processors=[DWOLLA])
    yield partner
    partner.close()


@pytest.fixture
def stranger(server: Server) -> Iterator[Developer]:
    """Another developer, to whom the first one's tokens must mean nothing."""
    stranger = developer_on(server)
    yield stranger
    stranger.close()
