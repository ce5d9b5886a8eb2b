"""A server that is killed while Items wake tells of each of them, and of each once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.control.plane import Planned, own_client
from tests.support.server import Server
from tests.waking.listening import NOON, create, owed, settle

ITEMS = 12
KILLED_AFTER_SECONDS = (0.02, 0.1, 0.3)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_while_items_wake(
    serve: Callable[..., Server], store: list[str], workers: str
) -> None:
    server = serve("--workers", workers, *store)
    client = own_client(server)
    client.sandbox("clock", now=NOON)
    webhook = "http://127.0.0.1:9/hook"
    item_ids = [create(client, "transactions", webhook=webhook)[1] for _ in range(ITEMS)]
    settle(server, client)
    client.sandbox("clock/advance", days=30)
    for seconds in KILLED_AFTER_SECONDS:
        time.sleep(seconds)
        server.kill()
        server.start()
    client = Planned(server.url, client.client_id, client.secret)
    settle(server, client)
    told = [row for row in owed(server, client) if row["told"]["webhook_code"] == "ERROR"]
    assert Counter(row["item_id"] for row in told) == dict.fromkeys(item_ids, 1)
    assert {row["told"]["error"]["error_code"] for row in told} == {"ITEM_LOGIN_REQUIRED"}
