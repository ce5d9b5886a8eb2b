"""A database looked at directly, and Changes to put into it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import bindparam, delete, insert, select, update

from treadle.keys import Keys
from treadle.store import tables
from treadle.store.change import EMPTY_HASH, Change, GuardFailed, Record, Store, audit_hash
from treadle.store.opening import open_store
from treadle.store.statements import Query, Write

INSERT = Write(insert(tables.facts))
UPDATE = Write(
    update(tables.facts)
    .where(tables.facts.c.name == bindparam("the_name"))
    .values(value=bindparam("value"))
)
EVERY = Write(
    update(tables.facts)
    .where(tables.facts.c.value == bindparam("old"))
    .values(value=bindparam("value"))
)
DELETE = Write(delete(tables.facts).where(tables.facts.c.name == bindparam("the_name")))
ALL = Query(
    select(tables.facts).where(tables.facts.c.name != "key_check").order_by(tables.facts.c.name),
    lambda name, value: (name, value),
)


def keeping(name: str, value: str = "", client: str = "one") -> Change:
    """A Change that inserts one fact and tells of it."""
    change = Change()
    change.write(INSERT, name=name, value=value)
    change.record(record(name, client))
    return change


def record(text: str, client: str = "one") -> Record:
    return Record(at=0, client_id=client, actor=client, action="test", detail={"text": text})


def failing(name: str, client: str = "one") -> Change:
    """A Change whose first two writes work and whose third fails its guard."""
    change = keeping(name, client=client)
    change.write(UPDATE, the_name=name, value="changed")
    change.write(UPDATE, the_name="nobody", value="changed")
    return change


async def commit(store: Store, change: Change) -> bool:
    """Whether the Change was kept rather than refused by a guard."""
    try:
        await store.commit(change)
    except GuardFailed:
        return False
    return True


async def facts(store: Store) -> dict[str, str]:
    return dict(await store.all(ALL))


def rows(url: str, sql: str) -> list[dict[str, Any]]:
    """What another connection sees."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]
    return asyncio.run(_fetch(url, sql))


async def _fetch(url: str, sql: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


def execute(url: str, sql: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute(sql)
            connection.commit()
    else:
        asyncio.run(_fetch(url, sql))


def chains(url: str) -> dict[str, int]:
    """Recompute every audit chain from its rows; answers their lengths."""
    hashes: dict[str, bytes] = defaultdict(lambda: EMPTY_HASH)
    lengths: dict[str, int] = defaultdict(int)
    for row in rows(url, "SELECT * FROM audit ORDER BY client_id, sequence"):
        client = row["client_id"]
        lengths[client] += 1
        hashes[client] = audit_hash(hashes[client], lengths[client], row["entry"].encode())
        assert (row["sequence"], row["hash"]) == (lengths[client], hashes[client])
    heads = {row["client_id"]: row for row in rows(url, "SELECT * FROM audit_heads")}
    assert {name: (head["sequence"], head["hash"]) for name, head in heads.items()} == {
        name: (lengths[name], hashes[name]) for name in lengths
    }
    return dict(lengths)


def make_keys() -> Keys:
    return Keys({"1": b"p" * 32}, {"1": b"e" * 32})


def write_many(url: str, prefix: str, count: int) -> None:
    """Commit many Changes at once, every third of which fails: the work of one process."""

    async def run() -> None:
        store = await open_store(url, make_keys())
        try:
            changes = [
                failing(f"{prefix}{n}", f"client{n % 2}")
                if n % 3 == 2
                else keeping(f"{prefix}{n}", client=f"client{n % 2}")
                for n in range(count)
            ]
            kept = await asyncio.gather(*(commit(store, change) for change in changes))
            assert kept == [n % 3 != 2 for n in range(count)]
        finally:
            await store.close()

    asyncio.run(run())


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
