"""What is answered is kept: an answer waits for its commit, and a commit for the disk."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import http.client
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.promises.database import Row, address, query
from tests.support.raw import Answer, Api, Linked
from tests.support.server import Server
from treadle.store.sqlite import SqliteStore

# Long enough for any answer that does not wait.
PATIENCE_SECONDS = 0.4


def test_every_connection_of_the_embedded_store_commits_to_disk(tmp_path: Path) -> None:
    """SIGKILL cannot show this, for what a process wrote outlives it in the kernel's cache, and
    no power can be cut here. FULL (2) in write-ahead mode is SQLite's promise that COMMIT returns
    after the log was flushed; so the connections that the store really uses are asked."""
    store = SqliteStore(tmp_path / "treadle.db", timeout_seconds=1)
    try:
        for connection in (store._writer._connection, store._reader):
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    finally:
        asyncio.run(store.close())


@contextlib.contextmanager
def commits_held(server: Server) -> Iterator[None]:
    """While this holds, nobody can commit a new token, though all can read."""
    url = address(server)
    if url is None:
        database = server.data / "treadle.db"
        with database.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with closing(sqlite3.connect(database, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield
        return
    held, release = threading.Event(), threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            await connection.execute("LOCK TABLE tokens, permissions, items IN EXCLUSIVE MODE")
            held.set()
            await asyncio.to_thread(release.wait)
        await connection.close()

    thread = threading.Thread(target=asyncio.run, args=(hold(),))
    thread.start()
    assert held.wait(10)
    try:
        yield
    finally:
        release.set()
        thread.join()


CHANGES = ("exchange", "mint", "permit", "rotate", "remove", "bill")


def requests(api: Api, linked: Linked) -> dict[str, tuple[str, dict[str, Any]]]:
    """What makes each of the changes to an Item."""
    token = {"processor_token": api.mint(linked)}
    access = {"access_token": linked.access_token}
    return {
        "exchange": ("/item/public_token/exchange", {"public_token": api.public_token()}),
        "mint": (
            "/processor/token/create",
            {**access, "account_id": linked.checking, "processor": "dwolla"},
        ),
        "permit": ("/processor/token/permissions/set", {**token, "products": ["auth"]}),
        "rotate": ("/item/access_token/invalidate", access),
        "remove": ("/item/remove", access),
        "bill": ("/processor/identity/get", token),
    }


@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_waits_for_its_commit(server: Server, change: str) -> None:
    api = Api(server.url)
    linked = api.link("transactions")
    path, fields = requests(api, linked)[change]
    answers: list[Answer] = []
    caller = threading.Thread(target=lambda: answers.append(Api(server.url).post(path, **fields)))
    with commits_held(server):
        caller.start()
        caller.join(PATIENCE_SECONDS)
        assert answers == [], "answered before it could be kept"
        # Meanwhile reading goes on.
        assert api.post("/item/get", access_token=linked.access_token).code == "OK"
    caller.join(10)
    assert [answer.code for answer in answers] == ["OK"]


def kept(server: Server) -> dict[str, list[Row]]:
    """All that changes are kept in."""
    tables = ("tokens", "permissions", "items", "outbox", "audit", "audit_heads")
    return {table: query(server, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}


def test_of_a_server_that_dies_before_a_commit_nothing_is_kept(
    serve: Callable[..., Server], store: list[str]
) -> None:
    server = serve(*store)
    api = Api(server.url)
    asked = [requests(api, api.link("transactions"))[change] for change in CHANGES]
    before = kept(server)

    answers: list[Answer] = []

    def ask(path: str, fields: dict[str, Any]) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            answers.append(Api(server.url).post(path, **fields))

    callers = [threading.Thread(target=ask, args=one) for one in asked]
    with commits_held(server):
        for caller in callers:
            caller.start()
        time.sleep(PATIENCE_SECONDS)
        server.kill()
    for caller in callers:
        caller.join(10)
    assert answers == []
    assert kept(server) == before
    server.start()
    again = Api(server.url)
    assert [again.post(path, **fields).code for path, fields in asked] == ["OK"] * len(asked)


def test_a_change_whose_caller_went_away_is_whole(server: Server) -> None:
    """Nobody hears the answer, and what was asked is still done as a whole or not at all."""
    api = Api(server.url)
    for _ in range(10):
        linked = api.link()
        token = api.mint(linked)
        body = api.body({"access_token": linked.access_token})
        head = f"POST /item/remove HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(head.encode() + body)
        codes = [api.post("/item/get", access_token=linked.access_token).code for _ in range(30)]
        # Once it is gone it stays gone, and all that came of it is.
        assert codes == sorted(codes, key=["OK", "ITEM_NOT_FOUND"].index)
        removed = codes[-1] == "ITEM_NOT_FOUND"
        assert api.redeem(token).code == ("ITEM_NOT_FOUND" if removed else "OK")
