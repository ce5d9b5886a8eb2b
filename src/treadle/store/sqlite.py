"""The embedded store: statements run in place, and a thread commits what is waiting together.

A statement takes a few microseconds, so it runs on the event loop itself. Changes are gathered to
one transaction, which a thread commits, and are answered after that.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import IO, Any, TypeVar

from treadle.clock import stopwatch
from treadle.store.change import EMPTY_HASH, AuditHead, Change, GuardFailed, StoreBusy
from treadle.store.statements import Parameters, Query, Sql

R = TypeVar("R")

_BATCH_LIMIT = 256
_BUSY_TIMEOUT_SECONDS = 10
# How often to look whether another process has ended its turn.
_LOOK_SECONDS = 0.0005

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
    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._reader = connect(path)
        self._in_snapshot = False
        # The shared rows that were read in this snapshot.
        self._shared: dict[tuple[Any, ...], Any] = {}
        self._writer = _Writer(path, timeout_seconds)

    def watch_batches(self, watch: Callable[[int], None]) -> None:
        """Have somebody told of each batch, and of how many Changes it was."""
        self._writer.watch = watch

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
        await self._writer.close()
        self._end_snapshot()
        self._reader.close()


class _Writer:
    """What this process writes, batch by batch.

    A batch runs on the event loop and only its commit, which waits for the disk, on a thread:
    handing the interpreter from thread to thread costs more than a statement does. What comes
    while a commit is under way is the next batch.
    """

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._connection = connect(path)
        self._wait_for_others(0)
        # Several processes take turns by this lock, since SQLite's own busy wait sleeps ever
        # longer and lets one of them starve.
        self._lock = lock_file(path)
        self._waiting: list[Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "treadle-writer")
        self.watch: Callable[[int], None] | None = None

    async def commit(self, change: Change) -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.append((change, future))
        if self._writing is None:
            # It starts after this turn of the event loop, so what the turn decides is one batch.
            self._writing = loop.create_task(self._write_waiting())
        await future

    async def close(self) -> None:
        """Finish what is waiting, then stop."""
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()
        self._connection.close()
        self._lock.close()

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch = self._waiting[:_BATCH_LIMIT]
            del self._waiting[:_BATCH_LIMIT]
            outcomes = await self._write([change for change, _ in batch])
            if self.watch is not None:
                self.watch(len(batch))
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if outcome is None:
                    future.set_result(None)
                else:
                    future.set_exception(outcome)
        self._writing = None

    async def _write(self, batch: list[Change]) -> list[Exception | None]:
        """Keep what can be kept; answers what became of each Change."""
        loop = asyncio.get_running_loop()
        try:
            if not any(change.heavy for change in batch) and self._run_at_once(batch):
                await loop.run_in_executor(self._thread, self._commit)
                return [None] * len(batch)
            return await loop.run_in_executor(self._thread, self._write_one_by_one, batch)
        except (StoreBusy, sqlite3.Error, OSError) as error:
            return [error] * len(batch)

    def _run_at_once(self, batch: list[Change]) -> bool:
        """Run a batch up to its commit, waiting for nobody.

        False when another process is writing or a Change fails; nothing has been done then.
        """
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        heads: dict[str, AuditHead] = {}
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for change in batch:
                self._run(change, heads)
            self._write_heads(heads)
        except Exception:
            # Which Change it was, and whether it is to blame, shows when they run one by one.
            self._end()
            return False
        return True

    def _write_one_by_one(self, batch: list[Change]) -> list[Exception | None]:
        """The same for a batch that is long or of which some may fail, once nobody is writing."""
        deadline = stopwatch() + self._timeout_seconds
        self._take_turn(deadline)
        try:
            self._wait_for_others(deadline - stopwatch())
            self._begin()
            heads: dict[str, AuditHead] = {}
            outcomes = [self._attempt(change, heads) for change in batch]
            self._write_heads(heads)
            self._connection.execute("COMMIT")
        finally:
            self._wait_for_others(0)
            self._end()
        return outcomes

    def _take_turn(self, deadline: float) -> None:
        """Raises StoreBusy when other processes write until then."""
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if stopwatch() > deadline:
                    raise StoreBusy("other processes write all the time") from None
                time.sleep(_LOOK_SECONDS)
            else:
                return

    def _begin(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise StoreBusy("another program keeps the database locked") from error
            raise

    def _wait_for_others(self, seconds: float) -> None:
        """How long to wait for a program that writes without taking the lock."""
        self._connection.execute(f"PRAGMA busy_timeout = {max(0, round(seconds * 1_000))}")

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        finally:
            self._end()

    def _end(self) -> None:
        """Undo what was not committed, and let other processes write."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _attempt(self, change: Change, heads: dict[str, AuditHead]) -> Exception | None:
        """Run one Change in a savepoint, so that undoing it leaves the others alone."""
        self._connection.execute("SAVEPOINT change")
        try:
            self._run(change, heads)
        except Exception as error:
            # Whatever is wrong with one Change must not stop the thread that serves them all.
            self._connection.execute("ROLLBACK TO change")
            self._connection.execute("RELEASE change")
            return error
        self._connection.execute("RELEASE change")
        return None

    def _run(self, change: Change, heads: dict[str, AuditHead]) -> None:
        self._run_writes(change)
        self._append_records(change, heads)

    def _run_writes(self, change: Change) -> None:
        for write, parameter_sets, rows in change.writes:
            if rows is None and len(parameter_sets) > 1:
                self._run_many(write.compiled.sqlite, parameter_sets)
                continue
            for parameters in parameter_sets:
                touched = self._touch(write.compiled.sqlite, parameters)
                if rows is not None and touched != rows:
                    text = write.compiled.sqlite.text
                    raise GuardFailed(f"{touched} rows touched instead of {rows}: {text}")

    def _run_many(self, sql: Sql, parameter_sets: list[Parameters]) -> None:
        try:
            self._connection.executemany(sql.text, map(sql.values, parameter_sets))
        except sqlite3.IntegrityError as error:
            raise GuardFailed(str(error)) from error

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

    def _write_heads(self, heads: dict[str, AuditHead]) -> None:
        for client_id, head in heads.items():
            self._connection.execute(_WRITE_HEAD, (client_id, head.sequence, head.hash))

    def _read_head(self, client_id: str) -> AuditHead:
        row = self._connection.execute(_READ_HEAD, (client_id,)).fetchone()
        return AuditHead(*(row or (0, EMPTY_HASH)))
