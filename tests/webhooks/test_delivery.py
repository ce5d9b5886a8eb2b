"""Delivery: once or more, in the order of each Item, retried for a day, and nobody in the way."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

import jwt
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import URL

from tests.store.databases import execute
from tests.support.receiver import Answer, Received, Receiver
from tests.webhooks.conftest import NOON, Plane, Run, opened
from treadle import store
from treadle.clock import DAY, MINUTE, SECOND
from treadle.settings import SANDBOX_CLIENT_ID

# When a webhook that is rejected each time is sent, in seconds from the first time.
DOCUMENTED = [0, 30, 150, 630, 2_550, 10_230, 40_950]


def claims(received: Received) -> dict[str, object]:
    decoded: dict[str, object] = jwt.decode(received.signature, options={"verify_signature": False})
    return decoded


def late(seconds: float) -> Answer:
    """A receiver's answer that lets the sender wait."""

    def answer(received: Received) -> int:
        time.sleep(seconds)
        return 200

    return answer


def test_a_webhook_is_sent_as_it_was_written(plane: Run, receiver: Receiver) -> None:
    async def test(plane: Plane) -> None:
        plane.start()
        await plane.owe(f"{receiver.url}?a=1", number=7)
        [row] = await plane.settled("delivered")
        [received] = receiver.received
        assert received.path == "/hook?a=1"
        assert received.body.decode() == row["body"]
        told = {"webhook_type": "TEST", "webhook_code": "TOLD", "number": 7}
        assert received.body.decode() == json.dumps(told, indent=2)
        assert received.headers["Content-Type"] == "application/json"
        assert received.headers["Host"] == f"127.0.0.1:{receiver.port}"
        assert received.event_id == row["event_id"]
        digest = hashlib.sha256(received.body).hexdigest()
        assert claims(received)["request_body_sha256"] == digest
        [attempt] = plane.attempts()
        assert (attempt["number"], attempt["status"], attempt["accepted"]) == (1, 200, 1)
        assert (attempt["error"], attempt["at"]) == (None, NOON)
        assert (row["due_at"], row["attempts"]) == (None, 1)

    plane(test)


def test_anything_but_200_is_a_failure(plane: Run, receiver: Receiver) -> None:
    statuses = [201, 204, 301, 307, 400, 410, 429, 500, 503]
    receiver.answer = lambda received: int(received.path.partition("?")[2])

    async def test(plane: Plane) -> None:
        plane.start()
        for status in statuses:
            await plane.owe(f"{receiver.url}?{status}", f"item {status}")
        await plane.attempted(len(statuses))
        owed = await plane.settled("pending", len(statuses))
        attempts = plane.attempts()
        assert sorted(attempt["status"] for attempt in attempts) == statuses
        assert not any(attempt["accepted"] for attempt in attempts)
        assert {row["due_at"] for row in owed} == {NOON + 30 * SECOND}
        # A redirect was not followed, and nothing happens while time stands still.
        await asyncio.sleep(1.5)
        asked = sorted(one.path for one in receiver.received)
        assert asked == [f"/hook?{status}" for status in statuses]

    plane(test)


def test_retries_follow_the_documented_schedule_for_a_day(plane: Run, receiver: Receiver) -> None:
    receiver.answer = lambda received: 500

    async def test(plane: Plane) -> None:
        plane.start()
        await plane.owe(receiver.url)
        for number in range(1, len(DOCUMENTED)):
            await plane.attempted(number)
            [row] = await plane.settled("pending")
            # A moment before, nothing is due.
            plane.advance(row["due_at"] - plane.clock.instant - 1)
            await asyncio.sleep(0.05)
            assert len(plane.attempts()) == number
            plane.advance(1)
        await plane.settled("given_up")
        attempts = plane.attempts()
        assert [(row["at"] - NOON) / SECOND for row in attempts] == DOCUMENTED
        assert [row["number"] for row in attempts] == list(range(1, 8))
        # It is the same webhook each time, signed anew.
        assert len({one.event_id for one in receiver.received}) == 1
        assert len({one.body for one in receiver.received}) == 1
        assert len({one.signature for one in receiver.received}) == len(DOCUMENTED)
        plane.advance(30 * DAY)
        await asyncio.sleep(0.1)
        assert len(plane.attempts()) == len(DOCUMENTED)

    plane(test)


def test_an_attempt_succeeds_late(plane: Run, receiver: Receiver) -> None:
    receiver.answer = lambda received: 200 if len(receiver.received) == 2 else 500

    async def test(plane: Plane) -> None:
        plane.start()
        await plane.owe(receiver.url)
        for number in (1, 2):
            await plane.attempted(number)
            plane.advance(3 * MINUTE)
        [row] = await plane.settled("delivered")
        assert row["attempts"] == 3

    plane(test)


def test_the_webhooks_of_an_item_keep_their_order(plane: Run, receiver: Receiver) -> None:
    """Each is rejected the first time; none overtakes the one before it."""
    seen: set[str] = set()

    def answer(received: Received) -> int:
        known = received.event_id in seen
        seen.add(received.event_id)
        return 200 if known else 500

    receiver.answer = answer

    async def test(plane: Plane) -> None:
        plane.start()
        for number in range(4):
            for item in ("one", "two", "three"):
                await plane.owe(f"{receiver.url}/{item}", item, number)
        async with asyncio.timeout(20):
            while any(row["state"] == "pending" for row in plane.outbox()):
                plane.advance(30 * SECOND)
                await asyncio.sleep(0.1)
        order = defaultdict(list)
        for received in receiver.received:
            order[received.path].append(json.loads(received.body)["number"])
        assert set(order) == {"/hook/one", "/hook/two", "/hook/three"}
        for numbers in order.values():
            assert numbers == [0, 0, 1, 1, 2, 2, 3, 3]

    plane(test)


def test_what_waits_behind_a_rejected_webhook_is_not_lost(plane: Run, receiver: Receiver) -> None:
    receiver.answer = lambda received: 500

    async def test(plane: Plane) -> None:
        plane.start()
        await plane.owe(receiver.url, number=0)
        await plane.attempted(1)
        # It joins the lane while that waits, and waits with it.
        await plane.owe(receiver.url, number=1)
        assert {row["due_at"] for row in plane.outbox()} == {NOON + 30 * SECOND}
        receiver.answer = lambda received: 200
        plane.advance(30 * SECOND)
        await plane.settled("delivered", 2)
        numbers = [json.loads(one.body)["number"] for one in receiver.received]
        assert numbers == [0, 0, 1]

    plane(test)


def test_a_dead_receiver_holds_up_nobody_else(plane: Run, receiver: Receiver) -> None:
    """Not the Item's other receiver, not other Items, however many wait for the dead one."""
    with Receiver() as dead:
        dead.answer = late(5)

        async def test(plane: Plane) -> None:
            plane.start()
            for number in range(300):
                await plane.owe(dead.url, f"item {number}")
            for number in range(20):
                began = time.monotonic()
                await plane.owe(receiver.url, f"item {number}")
                await asyncio.to_thread(receiver.wait, number + 1, 3.0)
                assert time.monotonic() - began < 3
            attempts = [row for row in plane.attempts() if not row["accepted"]]
            assert {row["error"] for row in attempts} <= {"timed_out"}

        plane(test)


def test_a_receiver_that_hangs_is_left_after_the_time_is_up(plane: Run, receiver: Receiver) -> None:
    receiver.answer = late(3)

    async def test(plane: Plane) -> None:
        plane.start()
        await plane.owe(receiver.url)
        await plane.attempted(1)
        [attempt] = plane.attempts()
        assert (attempt["status"], attempt["error"]) == (None, "timed_out")
        assert 900 <= attempt["milliseconds"] < 2_500

    plane(test)


def test_what_cannot_be_reached_is_told_apart(plane: Run) -> None:
    async def test(plane: Plane) -> None:
        plane.start()
        await plane.owe("http://127.0.0.1:1/hook", "one")
        await plane.owe("http://no-such-host.invalid/hook", "two")
        await plane.owe("https://127.0.0.1:1/hook", "three")
        await plane.attempted(3)
        errors = Counter(row["error"] for row in plane.attempts())
        assert errors == {"connection_failed": 2, "name_not_found": 1}

    plane(test)


@pytest.mark.parametrize(("accepted_first", "state"), [(0, "given_up"), (15, "pending")])
def test_an_endpoint_that_rejects_nearly_everything_is_given_up_on_early(
    plane: Run, receiver: Receiver, accepted_first: int, state: str
) -> None:
    async def test(plane: Plane) -> None:
        plane.start()
        for number in range(accepted_first):
            await plane.owe(receiver.url, f"first {number}")
        await plane.settled("delivered", accepted_first)
        receiver.answer = lambda received: 500
        for number in range(100):
            # Addresses that differ in their parameters alone are one endpoint.
            await plane.owe(f"{receiver.url}?number={number}", f"item {number}")
        await plane.attempted(100 + accepted_first)
        await plane.owe(receiver.url, "last")
        await plane.attempted(101 + accepted_first)
        [last] = [row for row in plane.outbox() if row["item_id"] == "last"]
        assert last["state"] == state
        with Receiver(lambda received: 500) as other:
            await plane.owe(other.url, "elsewhere")
            await plane.attempted(102 + accepted_first)
        [elsewhere] = [row for row in plane.outbox() if row["item_id"] == "elsewhere"]
        assert elsewhere["state"] == "pending"

    plane(test)


def test_two_processes_never_send_one_webhook_at_once(
    url: str, tmp_path: Path, receiver: Receiver
) -> None:
    """Two planes on one database, each with connections, leases and a task of its own."""
    receiver.answer = late(0.02)

    async def run() -> None:
        async with opened(url, tmp_path) as one, opened(url, tmp_path) as two:
            one.start()
            two.start()
            for number in range(200):
                owing, other = (one, two) if number % 2 else (two, one)
                await owing.owe(receiver.url, f"item {number % 40}", number)
                # Both look at once.
                other.advance(0)
            await one.settled("delivered", 200)

    asyncio.run(run())
    assert max(Counter(one.event_id for one in receiver.received).values()) == 1
    assert len(receiver.received) == 200
    order = defaultdict(list)
    for received in sorted(receiver.received, key=lambda one: one.began):
        number = json.loads(received.body)["number"]
        order[number % 40].append(number)
    assert all(numbers == sorted(numbers) for numbers in order.values())


def test_a_lease_that_ran_out_passes_to_another(plane: Run, receiver: Receiver) -> None:
    async def test(plane: Plane) -> None:
        await plane.owe(receiver.url)
        # As if a process had died while it was sending.
        plane.execute("UPDATE outbox SET lease = 'dead', leased_until = 9000000000000000")
        plane.start()
        await asyncio.sleep(1.2)
        assert receiver.received == []
        plane.execute("UPDATE outbox SET leased_until = 1000000000000000")
        await plane.settled("delivered")
        assert len(receiver.received) == 1

    plane(test)


def test_what_other_processes_wrote_is_found(plane: Run, receiver: Receiver) -> None:
    async def test(plane: Plane) -> None:
        await plane.owe(receiver.url)
        # The bell of another process does not ring here.
        lines, _ = await plane.services.bell.wait(1)
        assert [line.client_id for line in lines] == [SANDBOX_CLIENT_ID]
        plane.start()
        await plane.settled("delivered")

    plane(test)


def test_a_stop_waits_for_what_is_under_way(plane: Run, receiver: Receiver) -> None:
    receiver.answer = late(0.4)

    async def test(plane: Plane) -> None:
        delivery = plane.start()
        await plane.owe(receiver.url)
        await plane.until(lambda: plane.outbox()[0]["lease"] is not None)
        await delivery.close()
        plane.deliveries.clear()
        assert [row["state"] for row in plane.outbox()] == ["delivered"]

    plane(test)


def test_a_stop_at_any_moment_leaves_nothing_claimed(plane: Run, receiver: Receiver) -> None:
    receiver.answer = late(0.05)

    async def test(plane: Plane) -> None:
        for milliseconds in range(30):
            await plane.owe(receiver.url)
            delivery = plane.start()
            await asyncio.sleep(milliseconds / 2_000)
            await delivery.close()
            assert [row for row in plane.outbox() if row["lease"] is not None] == []
        plane.deliveries.clear()

    plane(test)


def test_withheld_webhooks_are_never_sent(url: str, tmp_path: Path, receiver: Receiver) -> None:
    """They come from a database that was made before there was a delivery."""
    migrate(url, "0002")
    execute(
        url,
        "INSERT INTO outbox (event_id, client_id, item_id, url, body, state, created_at) "
        f"VALUES ('old', 'client_sandbox', 'item', '{receiver.url}', '{{}}', 'withheld', 1)",
    )

    async def run() -> None:
        async with opened(url, tmp_path) as plane:
            plane.start()
            await plane.owe(receiver.url)
            await plane.settled("delivered")
            plane.advance(30 * DAY)
            await asyncio.sleep(1.2)
            states = {row["event_id"]: row["state"] for row in plane.outbox()}
            assert states["old"] == "withheld"

    asyncio.run(run())
    assert [one.event_id == "old" for one in receiver.received] == [False]


def migrate(url: str, revision: str) -> None:
    """Bring an empty database to an older schema."""
    config = Config()
    config.set_main_option("script_location", str(Path(store.__file__ or "").parent / "migrations"))
    path = url.removeprefix("sqlite:///")
    config.attributes["url"] = url if path == url else URL.create("sqlite", database=path)
    command.upgrade(config, revision)


def test_a_webhook_need_not_be_about_an_item(plane: Run, receiver: Receiver) -> None:
    async def test(plane: Plane) -> None:
        plane.start()
        await plane.owe(receiver.url, None, 1, subject="report")
        await plane.owe(receiver.url, None, 2)
        rows = await plane.settled("delivered", 2)
        assert {row["item_id"] for row in rows} == {None}
        assert len({row["lane"] for row in rows}) == 2

    plane(test)


def test_what_is_old_is_deleted(plane: Run, receiver: Receiver) -> None:
    async def test(plane: Plane) -> None:
        delivery = plane.start()
        await plane.owe(receiver.url, "old")
        await plane.owe(receiver.url, "new")
        await plane.settled("delivered", 2)
        await delivery.close()
        plane.deliveries.clear()
        plane.execute("UPDATE outbox SET recorded_at = 1 WHERE item_id = 'old'")
        await plane.owe("http://127.0.0.1:1/", "pending")
        plane.execute("UPDATE outbox SET recorded_at = 1 WHERE item_id = 'pending'")
        plane.start()
        await plane.until(lambda: len(plane.outbox()) == 2)
        assert {row["item_id"] for row in plane.outbox()} == {"new", "pending"}
        kept = {row["event_id"] for row in plane.outbox()}
        assert {row["event_id"] for row in plane.attempts()} <= kept

    plane(test)


@pytest.mark.parametrize("networks", [(), ("127.0.0.0/8",)])
def test_in_production_a_private_receiver_is_refused(
    url: str, tmp_path: Path, receiver: Receiver, networks: tuple[str, ...]
) -> None:
    """Once and for good, unless the operator allows its network."""

    async def run() -> None:
        async with opened(url, tmp_path):
            # Makes the client that owes.
            pass
        options = {"environment": "production", "webhook_networks": networks}
        async with opened(url, tmp_path, **options) as plane:
            plane.start()
            await plane.owe(receiver.url)
            [row] = await plane.settled("delivered" if networks else "refused")
            [attempt] = plane.attempts()
            assert attempt["error"] == (None if networks else "address_refused")
            plane.advance(2 * DAY)
            await asyncio.sleep(0.2)
            assert (row["due_at"], len(plane.attempts())) == (None, 1)

    asyncio.run(run())
    assert len(receiver.received) == len(networks)
