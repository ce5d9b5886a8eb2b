"""A look into a server's database from outside, and the verification of its audit chains."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from typing import Any

import asyncpg

from tests.support.server import Server
from treadle.store.change import EMPTY_HASH, audit_hash

Row = dict[str, Any]


class ChainBroken(Exception):
    """An audit chain is not what its head says."""


def address(server: Server) -> str | None:
    """The address of the server's PostgreSQL database; None when it uses SQLite."""
    if "--database" not in server.args:
        return None
    return str(server.args[server.args.index("--database") + 1])


def query(server: Server, sql: str) -> list[Row]:
    url = address(server)
    if url is None:
        with closing(sqlite3.connect(server.data / "treadle.db", timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    async def fetch() -> list[Row]:
        connection = await asyncpg.connect(url)
        try:
            return [dict(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


def execute(server: Server, *statements: str) -> None:
    url = address(server)
    if url is None:
        with closing(sqlite3.connect(server.data / "treadle.db", timeout=10)) as connection:
            for sql in statements:
                connection.execute(sql)
            connection.commit()
        return

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            for sql in statements:
                await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(run())


def tables(server: Server) -> list[str]:
    if address(server) is None:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table'"
    else:
        sql = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    return [row["name"] for row in query(server, sql)]


def audit(server: Server) -> tuple[list[Row], list[Row]]:
    """The entries of all chains, in order, and their heads."""
    # In this order a chain that grows meanwhile is never shorter than its head says.
    heads = query(server, "SELECT * FROM audit_heads")
    entries = query(server, "SELECT * FROM audit ORDER BY client_id, sequence")
    return entries, heads


def verify_chains(entries: list[Row], heads: list[Row]) -> None:
    """Recompute every chain from nothing. Raises ChainBroken."""
    chains: dict[str, list[Row]] = defaultdict(list)
    for row in entries:
        chains[row["client_id"]].append(row)
    if chains.keys() != {head["client_id"] for head in heads}:
        raise ChainBroken("a chain without a head, or a head without a chain")
    for head in heads:
        digest, number = EMPTY_HASH, 0
        for row in chains[head["client_id"]]:
            number += 1
            digest = audit_hash(digest, number, row["entry"].encode())
            if (row["sequence"], row["hash"]) != (number, digest):
                raise ChainBroken(f"entry {number} of {head['client_id']}")
            if json.loads(row["entry"])["client_id"] != head["client_id"]:
                raise ChainBroken(f"entry {number} belongs to another chain")
        if (head["sequence"], head["hash"]) != (number, digest):
            raise ChainBroken(f"the head of {head['client_id']}")


def records(server: Server, client_id: str) -> list[Row]:
    """What a client's chain says of changes, in order; what partners read comes in between."""
    return [one for one in chain(server, client_id) if one["action"] != "processor_token.use"]


def chain(server: Server, client_id: str) -> list[Row]:
    """All that a client's chain says, in order."""
    entries, _ = audit(server)
    return [json.loads(row["entry"]) for row in entries if row["client_id"] == client_id]
