"""A server that is killed while it delivers loses no webhook and makes none up."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

from tests.promises.database import query
from tests.support.raw import Api
from tests.support.receiver import Received, Receiver
from tests.support.server import Server

ITEMS = 8
KILLS = 3
PER_KILL = 40
# A lease outlives an attempt by ten seconds.
PATIENCE_SECONDS = 40


@pytest.mark.slow
def test_killed_while_delivering(serve: Callable[..., Server], store: list[str]) -> None:
    going_down = threading.Event()
    accepted: set[str] = set()

    def slowly(received: Received) -> int:
        time.sleep(0.05)
        if going_down.is_set():
            # Whoever sent it does not live to hear the answer.
            time.sleep(0.5)
            return 500
        accepted.add(received.event_id)
        return 200

    with Receiver(slowly) as receiver:
        server = serve("--webhook-timeout-seconds", "1", "--workers", "2", *store)
        api = Api(server.url)
        tokens = [api.link().access_token for _ in range(ITEMS)]
        acknowledged: list[str] = []
        for round_number in range(KILLS):
            api = Api(server.url, keep_alive=False)
            for number in range(PER_KILL):
                url = f"{receiver.url}/{round_number}/{number}"
                answer = api.post(
                    "/item/webhook/update", access_token=tokens[number % ITEMS], webhook=url
                )
                assert answer.code == "OK"
                acknowledged.append(url)
            under_way = pending(server)
            going_down.set()
            server.kill()
            time.sleep(0.1)
            going_down.clear()
            assert under_way, "nothing was at stake"
            server.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while pending(server) and time.monotonic() < deadline:
            time.sleep(0.2)
        rows = query(server, "SELECT * FROM outbox")
        received = list(receiver.received)
    assert Counter(row["state"] for row in rows) == {"delivered": len(rows)}
    owed = {row["event_id"]: row["body"] for row in rows}
    # Some may have come twice, as the same ones; none is missing, and none was made up.
    assert accepted == {one.event_id for one in received} == set(owed)
    assert all(one.body.decode() == owed[one.event_id] for one in received)
    told = {json.loads(body)["new_webhook_url"] for body in owed.values()}
    assert set(acknowledged) <= told
    numbers = defaultdict(set)
    for row in query(server, "SELECT event_id, number FROM webhook_attempts"):
        numbers[row["event_id"]].add(row["number"])
    assert all(found == {1} for found in numbers.values())


def pending(server: Server) -> int:
    [row] = query(server, "SELECT count(*) AS number FROM outbox WHERE due_at IS NOT NULL")
    number: int = row["number"]
    return number
