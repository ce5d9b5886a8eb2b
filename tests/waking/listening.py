"""What was told of an Item, and whether anything is left to be done about it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.control.plane import Planned
from tests.promises.database import Row, query
from tests.support.receiver import Receiver
from tests.support.server import Server
from treadle.clock import parse_instant

NOON = "2026-03-01T12:00:00Z"
PATIENCE_SECONDS = 30.0


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"it did not come about that {what}"
        time.sleep(0.02)


def codes(receiver: Receiver, item_id: str) -> list[str]:
    """The names of the webhooks that came for an Item, in order."""
    told = [json.loads(one.body) for one in list(receiver.received)]
    return [
        f"{one['webhook_type']}:{one['webhook_code']}"
        for one in told
        if one.get("item_id") == item_id
    ]


def hear(receiver: Receiver, item_id: str, name: str, count: int = 1) -> None:
    """Wait until a webhook has come so often for an Item."""
    until(lambda: codes(receiver, item_id).count(name) == count, f"{name} came {count} times")


def item_row(server: Server, item_id: str) -> Row:
    [row] = query(server, f"SELECT * FROM items WHERE item_id = '{item_id}'")
    return row


def update_rows(server: Server, item_id: str) -> list[Row]:
    return query(server, f"SELECT * FROM updates WHERE item_id = '{item_id}' ORDER BY product")


def owed(server: Server, client: Planned) -> list[Row]:
    """Each webhook that the client was ever owed, with what it says."""
    sql = f"SELECT * FROM outbox WHERE client_id = '{client.client_id}' ORDER BY event_id"
    rows = query(server, sql)
    return [row | {"told": json.loads(row["body"])} for row in rows]


def settle(server: Server, client: Planned) -> None:
    """Wait until nothing is left to be done by the client's clock."""
    now = parse_instant(client.read("clock")["now"])
    sql = (
        f"SELECT count(*) AS number FROM items WHERE client_id = '{client.client_id}' "
        f"AND wakes_at <= {now}"
    )
    until(lambda: bool(query(server, sql)[0]["number"] == 0), "all Items slept")


def create(
    client: Planned, *products: str, institution_id: str = "ins_109508", **options: Any
) -> tuple[str, str]:
    """The access token and the id of a new Item, of which nothing has been read."""
    public_token = client.post(
        "/sandbox/public_token/create",
        institution_id=institution_id,
        initial_products=products,
        options=options,
    )["public_token"]
    exchanged = client.exchange(public_token)
    return exchanged["access_token"], exchanged["item_id"]
