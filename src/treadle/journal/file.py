"""The journal itself: a file of JSON lines that is only ever appended to, and on disk at once.

The first line names it, so that a database knows one journal from another.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from treadle.ids import request_id
from treadle.journal.withdrawals import AnyWithdrawal
from treadle.key_files import sync_folder


class JournalError(Exception):
    """The journal cannot be used; the message says why and what to do."""


class _Name(msgspec.Struct, forbid_unknown_fields=True):
    journal: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AnyWithdrawal).decode
_decode_name = msgspec.json.Decoder(_Name).decode


class Journal:
    def __init__(self, path: Path) -> None:
        """Raises JournalError when there is none, or it is something else."""
        self.path = path
        try:
            with path.open("rb") as file:
                self.name = _decode_name(file.readline()).journal
        except (OSError, msgspec.DecodeError) as error:
            raise JournalError(f"{path} is not a journal: {error}") from None

    async def append(self, withdrawals: Sequence[AnyWithdrawal]) -> None:
        """When this returns they are on disk. Raises OSError when they may not be."""
        lines = b"".join(_encode(one) + b"\n" for one in withdrawals)
        await asyncio.to_thread(self._append, lines)

    def _append(self, lines: bytes) -> None:
        with self._alone() as descriptor:
            written = os.write(descriptor, lines)
            if written < len(lines):
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
                raise OSError(f"{self.path} has no room")
        # Outside of the lock, so that those who come together are on disk together.
        descriptor = os.open(self.path, os.O_WRONLY)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def end(self) -> int:
        """Where it ends, after what a process that died has written of a line is cut off.

        Such a line was not on disk when the process died, so nothing was answered.
        """
        with self._alone() as descriptor:
            size = os.fstat(descriptor).st_size
            with self.path.open("rb") as file:
                file.seek(max(0, size - _LONGEST))
                whole = file.read().rfind(b"\n") + 1 + max(0, size - _LONGEST)
            if whole < size:
                os.ftruncate(descriptor, whole)
            return whole

    def read(self, start: int, end: int) -> Iterator[AnyWithdrawal]:
        """What is between two places. Raises JournalError for a line that is damaged."""
        with self.path.open("rb") as file:
            if start == 0:
                file.readline()
            else:
                file.seek(start)
            while file.tell() < end:
                place = file.tell()
                try:
                    yield _decode(file.readline())
                except msgspec.DecodeError as error:
                    raise JournalError(f"{self.path} is damaged at byte {place}: {error}") from None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[int]:
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


# Of what is appended at once.
_LONGEST = 1 << 20


def find(path: Path) -> Journal | None:
    """Raises JournalError when it is no journal that is there."""
    return Journal(path) if path.exists() else None


def begin(path: Path) -> Journal:
    """Make a new journal. Raises JournalError when there is one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise JournalError(f"{path} is there already") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(_encode(_Name(request_id())) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path)
    return Journal(path)
