"""A Change: what a handler decided, to be kept whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec

from treadle.journal.withdrawals import AnyWithdrawal
from treadle.store.statements import Parameters, Query, Write

R = TypeVar("R")


_MANY_ROWS = 50


class GuardFailed(Exception):
    """A write touched another number of rows than it must: the world moved since it was read."""


class StoreBusy(Exception):
    """The database has no room or takes too long. Nothing of what was asked has been done."""


class Record(msgspec.Struct, omit_defaults=True):
    """One entry of a client's audit chain. It names rows, and never holds a token."""

    at: int
    client_id: str
    actor: str
    action: str
    item_id: str | None = None
    account_id: str | None = None
    token_id: str | None = None
    detail: dict[str, Any] = msgspec.field(default_factory=dict)


class Change:
    """Ordered writes, each with the number of rows it must touch, and their audit records."""

    def __init__(self) -> None:
        self.writes: list[tuple[Write, list[Parameters], int | None]] = []
        self.records: list[Record] = []
        # What this takes away, for the journal.
        self.withdrawals: list[AnyWithdrawal] = []
        # So many rows that running it takes long enough to hold others up.
        self.heavy = False
        # What is to be done in this process once the Change is kept.
        self.when_kept: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self.writes or self.records)

    def write(self, write: Write, /, *, rows: int | None = 1, **parameters: Any) -> None:
        """Run once. `rows` is the number of rows it must touch; None when any will do."""
        self.writes.append((write, [parameters], rows))

    def hold(self, write: Write, /, **parameters: Any) -> None:
        """Run before all others, so that what it locks is locked in the same order everywhere."""
        self.writes.insert(0, (write, [parameters], 1))

    def write_many(self, write: Write, parameters: list[Parameters]) -> None:
        """Insert one row for each set of parameters."""
        if parameters:
            self.writes.append((write, parameters, None))
            self.heavy |= len(parameters) > _MANY_ROWS

    def record(self, record: Record) -> None:
        self.records.append(record)

    def withdraw(self, withdrawal: AnyWithdrawal) -> None:
        self.withdrawals.append(withdrawal)


class AuditHead(msgspec.Struct):
    """Where a client's chain ends: the number and the hash of its last entry."""

    sequence: int
    hash: bytes

    def append(self, record: Record) -> str:
        """Move the head past a record; answers the entry's text."""
        entry = msgspec.json.encode(record)
        self.sequence += 1
        self.hash = audit_hash(self.hash, self.sequence, entry)
        return entry.decode()


def audit_hash(previous: bytes, sequence: int, entry: bytes) -> bytes:
    """The hash of an entry: SHA-256 over the hash before it, its number and its text."""
    return hashlib.sha256(previous + sequence.to_bytes(8) + entry).digest()


EMPTY_HASH = bytes(32)


class Store(Protocol):
    """What the rest of the program knows of a database."""

    async def first(self, query: Query[R], /, **parameters: Any) -> R | None:
        """The first row, or None."""
        ...

    async def all(self, query: Query[R], /, **parameters: Any) -> list[R]:
        """Every row; the query itself bounds how many there can be."""
        ...

    async def commit(self, change: Change) -> None:
        """Keep a Change. When this returns, it is on disk.

        Raises GuardFailed when a write touched another number of rows than it must; then
        nothing of the Change is kept.
        """
        ...

    async def close(self) -> None: ...
