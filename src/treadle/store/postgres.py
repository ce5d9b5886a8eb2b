"""The store that teams run: PostgreSQL through asyncpg, a transaction of its own per Change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, TypeVar

import asyncpg

from treadle.store.change import EMPTY_HASH, AuditHead, Change, GuardFailed, Record, StoreBusy
from treadle.store.statements import Query
from treadle.store.urgency import URGENT

R = TypeVar("R")

# Of a worker's connections, those for what is urgent alone.
_RESERVED = 2
# How long to wait for a connection that others use.
_WAIT_SECONDS = 1.0
_CLOSING_SECONDS = 3.0

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

_OVERLOADS = (
    TimeoutError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.TooManyConnectionsError,
)


async def open_postgres(url: str, connections: int, timeout_seconds: float) -> PostgresStore:
    async def open_pool(size: int) -> asyncpg.Pool[asyncpg.Record]:
        return await asyncpg.create_pool(
            url, min_size=1, max_size=size, command_timeout=timeout_seconds
        )

    return PostgresStore(await open_pool(connections - _RESERVED), await open_pool(_RESERVED))


class PostgresStore:
    def __init__(
        self, pool: asyncpg.Pool[asyncpg.Record], reserve: asyncpg.Pool[asyncpg.Record]
    ) -> None:
        self._pool = pool
        self._reserve = reserve

    async def first(self, query: Query[R], /, **parameters: Any) -> R | None:
        sql = query.compiled.postgresql
        with _shedding():
            async with self._connection() as connection:
                row = await connection.fetchrow(sql.text, *sql.values(parameters))
        return None if row is None else query.row(*row.values())

    async def all(self, query: Query[R], /, **parameters: Any) -> list[R]:
        sql = query.compiled.postgresql
        with _shedding():
            async with self._connection() as connection:
                rows = await connection.fetch(sql.text, *sql.values(parameters))
        return [query.row(*row.values()) for row in rows]

    async def commit(self, change: Change) -> None:
        decided = False
        try:
            async with self._connection() as connection, connection.transaction():
                await _run_writes(connection, change)
                await _append_records(connection, change)
                decided = True
        except _CONFLICTS as error:
            raise GuardFailed(str(error)) from error
        except _OVERLOADS as error:
            if decided:
                # It may have been kept, so nobody is to be told that it was not.
                raise
            raise StoreBusy(_reason(error)) from error

    async def close(self) -> None:
        for pool in (self._pool, self._reserve):
            try:
                await asyncio.wait_for(pool.close(), _CLOSING_SECONDS)
            except TimeoutError:
                pool.terminate()

    def _connection(self) -> Any:
        # To hand a connection back may take as long; one that does not answer by then is left.
        pool = self._reserve if URGENT.get() else self._pool
        return pool.acquire(timeout=_WAIT_SECONDS)


@contextlib.contextmanager
def _shedding() -> Iterator[None]:
    try:
        yield
    except _OVERLOADS as error:
        raise StoreBusy(_reason(error)) from error


def _reason(error: BaseException) -> str:
    return str(error) or "the database did not answer in time"


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
    """Extend the chains last, so that their heads are locked as briefly as can be.

    They are locked in one order everywhere, so that no two Changes wait for each other.
    """
    chains: dict[str, list[Record]] = {}
    for record in change.records:
        chains.setdefault(record.client_id, []).append(record)
    for client_id, records in sorted(chains.items()):
        await connection.execute(_MAKE_HEAD, client_id, EMPTY_HASH)
        row = await connection.fetchrow(_LOCK_HEAD, client_id)
        head = AuditHead(row["sequence"], row["hash"])
        for record in records:
            entry = head.append(record)
            await connection.execute(_WRITE_ENTRY, client_id, head.sequence, entry, head.hash)
        await connection.execute(_MOVE_HEAD, client_id, head.sequence, head.hash)
