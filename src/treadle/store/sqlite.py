"""The embedded store: reads in place, writes on one thread that commits what is waiting together.

A point read takes a few microseconds, so it runs on the event loop itself. Writes queue for a
thread, which runs each Change in a savepoint of one transaction and answers them after the commit.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import sqlite3
import threading
from copy import copy
from pathlib import Path
from typing import IO, Any, TypeVar

from treadle.store.change import EMPTY_HASH, AuditHead, Change, GuardFailed
from treadle.store.statements import Parameters, Query, Sql

R = TypeVar("R")

_BATCH_LIMIT = 256
_BUSY_TIMEOUT_SECONDS = 10

_READ_HEAD = "SELECT sequence, hash FROM audit_heads WHERE client_id = ?"
_WRITE_HEAD = (
    "INSERT INTO audit_heads (client_id, sequence, hash) VALUES (?, ?, ?) "
    "ON CONFLICT (client_id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash"
)
_WRITE_ENTRY = "INSERT INTO audit (client_id, sequence, entry, hash) VALUES (?, ?, ?, ?)"

Waiting = tuple[Change, "asyncio.Future[None]"]


def connect(path: Path) -> sqlite3.Connection:
    """A connection in write-ahead mode whose commits are on disk when they return."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=_BUSY_TIMEOUT_SECONDS
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # Only address space is taken, and pages are then read without a system call for each.
    connection.execute("PRAGMA mmap_size = 2147418112")
    # Checkpoints less often than every 4 MB, for they write anew what is on disk already.
    connection.execute("PRAGMA wal_autocheckpoint = 8000")
    return connection


def lock_file(path: Path) -> IO[str]:
    """The file on which the processes that share a database take turns."""
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    return os.fdopen(descriptor, "w")


class SqliteStore:
    def __init__(self, path: Path) -> None:
        self._reader = connect(path)
        self._in_snapshot = False
        # The shared rows that were read in this snapshot.
        self._shared: dict[tuple[Any, ...], Any] = {}
        self._writer = _Writer(path)

    async def first(self, query: Query[R], /, **parameters: Any) -> R | None:
        if query.shared:
            return self._first_shared(query, parameters)
        row = self._read(query, parameters).fetchone()
        return None if row is None else query.row(*row)

    def _first_shared(self, query: Query[R], parameters: Parameters) -> R | None:
        key = (query, *parameters.values())
        if key not in self._shared:
            row = self._read(query, parameters).fetchone()
            self._shared[key] = None if row is None else query.row(*row)
        found: R | None = self._shared[key]
        return found

    async def all(self, query: Query[R], /, **parameters: Any) -> list[R]:
        return [query.row(*row) for row in self._read(query, parameters)]

    def _read(self, query: Query[R], parameters: Parameters) -> sqlite3.Cursor:
        """Run a query in the snapshot of this turn of the event loop.

        Opening and closing a snapshot costs as much as a point read, so all reads of one turn
        share one. A request that arrives later runs in a later turn, for the end of the snapshot
        is queued before it: what was committed before it came, it sees.
        """
        if not self._in_snapshot:
            self._reader.execute("BEGIN")
            self._in_snapshot = True
            asyncio.get_running_loop().call_soon(self._end_snapshot)
        sql = query.compiled.sqlite
        return self._reader.execute(sql.text, sql.values(parameters))

    def _end_snapshot(self) -> None:
        if self._in_snapshot:
            self._in_snapshot = False
            self._shared.clear()
            self._reader.execute("COMMIT")

    async def commit(self, change: Change) -> None:
        await self._writer.commit(change)

    async def close(self) -> None:
        await asyncio.to_thread(self._writer.close)
        self._end_snapshot()
        self._reader.close()


class _Writer:
    """The one thread of this process that writes."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        # Several processes take turns by this lock, since SQLite's own busy wait sleeps ever
        # longer and lets one of them starve.
        self._lock = lock_file(path)
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._gathered: list[Waiting] = []
        self._thread = threading.Thread(target=self._run, name="treadle-writer", daemon=True)
        self._thread.start()

    async def commit(self, change: Change) -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if not self._gathered:
            # What this turn of the event loop decides is handed over together, to be one batch.
            loop.call_soon(self._hand_over)
        self._gathered.append((change, future))
        await future

    def _hand_over(self) -> None:
        for waiting in self._gathered:
            self._queue.put(waiting)
        self._gathered.clear()

    def close(self) -> None:
        """Finish what is queued, then stop."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()
        self._lock.close()

    def _run(self) -> None:
        running = True
        while running:
            batch: list[Waiting] = []
            waiting = self._queue.get()
            while waiting is not None:
                batch.append(waiting)
                if len(batch) == _BATCH_LIMIT or self._queue.empty():
                    break
                waiting = self._queue.get()
            running = waiting is not None
            if batch:
                self._settle(batch, self._commit_batch(batch))

    def _commit_batch(self, batch: list[Waiting]) -> list[Exception | None]:
        """Commit what can be committed; answers what became of each Change."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            heads: dict[str, AuditHead] = {}
            outcomes = [self._attempt(change, heads) for change, _ in batch]
            for client_id, head in heads.items():
                self._connection.execute(_WRITE_HEAD, (client_id, head.sequence, head.hash))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return [error] * len(batch)
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
        return outcomes

    def _attempt(self, change: Change, heads: dict[str, AuditHead]) -> Exception | None:
        """Run one Change in a savepoint, so that undoing it leaves the others alone."""
        self._connection.execute("SAVEPOINT change")
        try:
            self._run_writes(change)
            self._append_records(change, heads)
        except Exception as error:
            # Whatever is wrong with one Change must not stop the thread that serves them all.
            self._connection.execute("ROLLBACK TO change")
            self._connection.execute("RELEASE change")
            return error
        self._connection.execute("RELEASE change")
        return None

    def _run_writes(self, change: Change) -> None:
        for write, parameter_sets, rows in change.writes:
            for parameters in parameter_sets:
                touched = self._touch(write.compiled.sqlite, parameters)
                if rows is not None and touched != rows:
                    text = write.compiled.sqlite.text
                    raise GuardFailed(f"{touched} rows touched instead of {rows}: {text}")

    def _touch(self, sql: Sql, parameters: Parameters) -> int:
        """The number of rows that a statement changed or, if it is a select, found."""
        try:
            cursor = self._connection.execute(sql.text, sql.values(parameters))
        except sqlite3.IntegrityError as error:
            raise GuardFailed(str(error)) from error
        # A select needs no lock here, where one transaction writes at a time.
        return len(cursor.fetchall()) if cursor.description else cursor.rowcount

    def _append_records(self, change: Change, heads: dict[str, AuditHead]) -> None:
        """Extend the chains. The heads move only when every entry has been written."""
        moved: dict[str, AuditHead] = {}
        for record in change.records:
            client_id = record.client_id
            head = moved.get(client_id)
            if head is None:
                head = moved[client_id] = copy(heads.get(client_id)) or self._read_head(client_id)
            entry = head.append(record)
            values = (client_id, head.sequence, entry, head.hash)
            self._connection.execute(_WRITE_ENTRY, values)
        heads.update(moved)

    def _read_head(self, client_id: str) -> AuditHead:
        row = self._connection.execute(_READ_HEAD, (client_id,)).fetchone()
        return AuditHead(*(row or (0, EMPTY_HASH)))

    def _settle(self, batch: list[Waiting], outcomes: list[Exception | None]) -> None:
        def settle() -> None:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if outcome is None:
                    future.set_result(None)
                else:
                    future.set_exception(outcome)

        loop = batch[0][1].get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle)
