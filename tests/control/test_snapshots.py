"""Snapshots: the world as it was, with the very tokens it had, put back as often as asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.control.plane import Planned, over, own_client
from tests.control.world import exported, fill, seen, settle, without_request_id
from tests.promises.database import address, query, records
from tests.support.effort import tries
from tests.support.server import Server
from treadle.app import open_services
from treadle.call import ClientCall
from treadle.clients import CLIENT
from treadle.settings import Settings
from treadle.store.change import GuardFailed

Serve = Callable[..., Server]


def save(plane: Planned, name: str = "base") -> dict[str, Any]:
    snapshot: dict[str, Any] = plane.sandbox("snapshots", name=name)["snapshot"]
    return snapshot


def restore(plane: Planned, name: str = "base") -> None:
    answer = plane.sandbox("snapshots/restore", name=name)
    assert answer.code == "OK", answer.raw


def names(plane: Planned) -> list[str]:
    return [one["name"] for one in plane.read("snapshots")["snapshots"]]


def test_everything_is_put_back(plane: Planned, other: Planned) -> None:
    settle(plane)
    item, token = fill(plane)
    kept, _ = fill(other)
    theirs = seen(other, kept)
    before = seen(plane, item)
    whole = exported(plane)
    save(plane)
    plane.sandbox("clock/advance", days=40)
    plane.sandbox("seed", seed="shuttle")
    plane.sandbox("faults/clear")
    plane.post("/item/webhook/update", access_token=item.access_token, webhook=None)
    plane.permit(token, "identity")
    plane.link("auth")
    plane.post("/item/remove", access_token=item.access_token)
    restore(plane)
    assert exported(plane) == whole
    assert seen(plane, item) == before
    assert seen(other, kept) == theirs


def test_tokens_are_what_they_were(plane: Planned) -> None:
    item, token = fill(plane)
    plane.sandbox("faults/clear")
    save(plane)
    later = plane.mint(item)
    plane.post("/item/access_token/invalidate", access_token=item.access_token)
    assert plane.post("/item/get", access_token=item.access_token).code == "INVALID_ACCESS_TOKEN"
    restore(plane)
    assert plane.post("/item/get", access_token=item.access_token).code == "OK"
    assert plane.redeem(token).code == "OK"
    assert plane.redeem(later).code == "INVALID_PROCESSOR_TOKEN"


def test_the_same_follows_each_time(plane: Planned) -> None:
    settle(plane)
    item, _ = fill(plane)
    save(plane)

    def go_on() -> list[bytes]:
        restore(plane)
        answers = [
            plane.post("/item/public_token/create", access_token=item.access_token),
            plane.sandbox("clock/advance", days=9),
            plane.post("/transactions/sync", access_token=item.access_token, count=500),
            plane.post("/transactions/sync", access_token=item.access_token, count=3),
        ]
        return [without_request_id(one.raw) for one in answers]

    assert go_on() == go_on()


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_page_is_never_of_a_world_that_is_gone(
    serve: Serve, store: list[str], workers: int
) -> None:
    """After a restore other changes get the numbers that some had before it."""
    server = serve("--workers", str(workers), *store)
    client = own_client(server)
    plane = over(server, client)
    access = {
        "access_token": plane.link(
            "transactions", override_username="user_transactions_dynamic"
        ).access_token
    }
    plane.post("/transactions/sync", **access, count=500)
    cursor = plane.post("/transactions/sync", **access, count=500)["next_cursor"]
    save(plane)
    today = plane.read("clock")["now"][:10]
    for name in ("Loom", "Shuttle", "Weft", "Warp"):
        restore(plane)
        added = plane.post(
            "/sandbox/transactions/create",
            **access,
            transactions=[
                {
                    "amount": 12.5,
                    "date_posted": today,
                    "date_transacted": today,
                    "description": name,
                }
            ],
        )
        assert added.code == "OK", added.raw
        pages = plane.volley([("/transactions/sync", {**access, "cursor": cursor})] * 8)
        assert [[one["name"] for one in page["added"]] for page in pages] == [[name]] * 8


def test_webhooks_of_a_world_that_is_gone_are_not_sent(plane: Planned, server: Server) -> None:
    settle(plane)
    item = plane.link("auth", webhook="http://127.0.0.1:9/")
    save(plane)
    plane.post(
        "/sandbox/item/fire_webhook", access_token=item.access_token, webhook_code="LOGIN_REPAIRED"
    )
    owed = f"SELECT * FROM outbox WHERE client_id = '{plane.client_id}'"
    assert query(server, owed)
    restore(plane)
    assert query(server, owed) == []


def test_a_change_that_was_decided_in_the_old_world_is_not_kept(
    plane: Planned, server: Server
) -> None:
    async def change(between: Callable[[], object]) -> None:
        settings = Settings(data=server.data, database=address(server))
        services = await open_services(settings)
        client = await services.store.first(CLIENT, client_id=plane.client_id)
        assert client is not None
        call = ClientCall(services, "", services.clock.now(), client)
        between()
        call.record("test")
        try:
            await call.commit()
        finally:
            await services.store.close()

    save(plane)
    asyncio.run(change(lambda: plane.link("auth")))
    before = records(server, plane.client_id)
    with pytest.raises(GuardFailed):
        asyncio.run(change(lambda: restore(plane)))
    after = records(server, plane.client_id)
    assert [one["action"] for one in after[len(before) :]] == ["snapshot.restore"]


def test_a_restore_amid_requests_leaves_one_world_or_the_other(plane: Planned) -> None:
    fill(plane)
    plane.sandbox("faults/clear")
    save(plane)
    whole = exported(plane)
    enough = threading.Event()
    strange: list[str] = []

    def ask() -> None:
        api = Planned(plane.url, plane.client_id, plane.secret)
        while not enough.is_set():
            answer = api.post(
                "/sandbox/public_token/create",
                institution_id="ins_109508",
                initial_products=["auth"],
            )
            if answer.code == "OK":
                answer = api.exchange(answer["public_token"])
                if answer.code == "OK":
                    answer = api.post("/auth/get", access_token=answer["access_token"])
            if answer.code not in (
                "OK",
                "INVALID_PUBLIC_TOKEN",
                "INVALID_ACCESS_TOKEN",
                "RATE_LIMIT",
            ):
                strange.append(answer.raw.decode())
        api.close()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for one in askers:
        one.start()
    try:
        for _ in range(tries(5, thorough=100)):
            answer = plane.sandbox("snapshots/restore", name="base")
            assert answer.code in ("OK", "RATE_LIMIT"), answer.raw
    finally:
        enough.set()
        for one in askers:
            one.join()
    assert strange == []
    restore(plane)
    after = exported(plane)
    assert after["items"] == whole["items"]
    assert after["tokens"] == whole["tokens"]


def test_the_list_and_what_is_in_it(plane: Planned, other: Planned) -> None:
    settle(plane)
    fill(plane)
    saved = save(plane, "two-items")
    assert (saved["name"], saved["items"]) == ("two-items", 2)
    assert saved["created_at"].startswith("2026-01-31T12:00:00")
    assert saved["size_bytes"] > 1_000
    plane.sandbox("state/reset")
    empty = save(plane, "empty")
    assert plane.read("snapshots")["snapshots"] == [empty, saved]
    assert names(other) == []
    assert other.sandbox("snapshots/restore", name="empty").code == "INVALID_FIELD"
    assert other.sandbox("snapshots/remove", name="empty").code == "INVALID_FIELD"
    assert plane.sandbox("snapshots/remove", name="empty").code == "OK"
    assert names(plane) == ["two-items"]


def test_a_name_is_used_anew(plane: Planned) -> None:
    save(plane)
    plane.link("auth")
    assert save(plane)["items"] == 1
    assert names(plane) == ["base"]
    plane.sandbox("state/reset")
    restore(plane)
    assert len(exported(plane)["items"]) == 1


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "x" * 65, "a\u0000"])
def test_a_name_that_is_none_is_refused(plane: Planned, name: str) -> None:
    assert plane.sandbox("snapshots", name=name).code == "INVALID_FIELD"
    assert names(plane) == []


def test_there_is_room_for_fifty(plane: Planned) -> None:
    for number in range(50):
        save(plane, f"{number}")
    refused = plane.sandbox("snapshots", name="one more")
    assert refused.code == "INVALID_FIELD"
    refused = plane.sandbox("snapshots", name="one-more")
    assert refused.code == "SANDBOX_LIMIT_REACHED"
    save(plane, "49")
    assert len(names(plane)) == 50


def test_they_outlive_a_restart(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    client = own_client(server)
    item, _ = fill(client)
    save(client)
    client.sandbox("state/reset")
    server.restart()
    client = over(server, client)
    restore(client)
    assert client.post("/item/get", access_token=item.access_token).code == "OK"


def test_what_is_kept_is_sealed(plane: Planned, server: Server) -> None:
    plane.link("auth", override_username="user_good")
    save(plane)
    [row] = query(server, f"SELECT * FROM snapshots WHERE client_id = '{plane.client_id}'")
    assert row["contents"][1:2] == b"1"
    assert b"Plaid Checking" not in row["contents"]
    actions = [one["action"] for one in records(server, plane.client_id)]
    assert actions[-1] == "snapshot.save"
