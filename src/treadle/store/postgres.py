"""The store that teams run: PostgreSQL through asyncpg, a transaction of its own per Change."""

from __future__ import annotations

from typing import Any, TypeVar

import asyncpg

from treadle.store.change import EMPTY_HASH, AuditHead, Change, GuardFailed
from treadle.store.statements import Query

R = TypeVar("R")

_POOL_SIZE = 16
_COMMAND_TIMEOUT_SECONDS = 10

# The row is made first and then locked, so that two first entries of a chain cannot both be one.
_MAKE_HEAD = (
    "INSERT INTO audit_heads (client_id, sequence, hash) VALUES ($1, 0, $2) "
    "ON CONFLICT (client_id) DO NOTHING"
)
_LOCK_HEAD = "SELECT sequence, hash FROM audit_heads WHERE client_id = $1 FOR UPDATE"
_MOVE_HEAD = "UPDATE audit_heads SET sequence = $2, hash = $3 WHERE client_id = $1"
_WRITE_ENTRY = "INSERT INTO audit (client_id, sequence, entry, hash) VALUES ($1, $2, $3, $4)"

_CONFLICTS = (
    asyncpg.UniqueViolationError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)


async def open_postgres(url: str) -> PostgresStore:
    pool = await asyncpg.create_pool(
        url, min_size=1, max_size=_POOL_SIZE, command_timeout=_COMMAND_TIMEOUT_SECONDS
    )
    return PostgresStore(pool)


class PostgresStore:
    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def first(self, query: Query[R], /, **parameters: Any) -> R | None:
        sql = query.compiled.postgresql
        row = await self._pool.fetchrow(sql.text, *sql.values(parameters))
        return None if row is None else query.row(*row.values())

    async def all(self, query: Query[R], /, **parameters: Any) -> list[R]:
        sql = query.compiled.postgresql
        return [
            query.row(*row.values())
            for row in await self._pool.fetch(sql.text, *sql.values(parameters))
        ]

    async def commit(self, change: Change) -> None:
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await _run_writes(connection, change)
                await _append_records(connection, change)
        except _CONFLICTS as error:
            raise GuardFailed(str(error)) from error

    async def close(self) -> None:
        await self._pool.close()


async def _run_writes(connection: Any, change: Change) -> None:
    for write, parameter_sets, rows in change.writes:
        sql = write.compiled.postgresql
        if rows is None and len(parameter_sets) > 1:
            await connection.executemany(sql.text, [sql.values(one) for one in parameter_sets])
            continue
        for parameters in parameter_sets:
            status: str = await connection.execute(sql.text, *sql.values(parameters))
            touched = int(status.rpartition(" ")[2])
            if rows is not None and touched != rows:
                raise GuardFailed(f"{touched} rows touched instead of {rows}: {sql.text}")


async def _append_records(connection: Any, change: Change) -> None:
    """Extend the chains last, so that their heads are locked as briefly as can be."""
    for record in change.records:
        await connection.execute(_MAKE_HEAD, record.client_id, EMPTY_HASH)
        row = await connection.fetchrow(_LOCK_HEAD, record.client_id)
        head = AuditHead(row["sequence"], row["hash"])
        entry = head.append(record)
        await connection.execute(_WRITE_ENTRY, record.client_id, head.sequence, entry, head.hash)
        await connection.execute(_MOVE_HEAD, record.client_id, head.sequence, head.hash)
