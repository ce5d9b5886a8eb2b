"""Where the keys come from: the key file, or its JSON in the environment or from a command.

The file alone can change while a server runs. It is only ever replaced whole, so that whoever reads
it sees all of it as it was or all of it as it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from treadle.ids import request_id, secret_key

KEY_BYTES = 32
# Each lookup that fails has tried them all.
MOST_KEYS = 8
_COMMAND_SECONDS = 30
# The size, the file itself and when it was written: another file differs in one of them.
_Signature = tuple[int, int, int]

log = logging.getLogger("treadle.error")


class KeyFileError(Exception):
    """The keys cannot be used; the message says why and what to do."""


class Key(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    id: str
    key: bytes
    # Known, so that what others make with it is understood, but not used yet.
    staged: bool = False

    def __repr__(self) -> str:
        return f"Key({self.id!r})"


class KeyFile(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Of both lists the first key that is not staged makes what is new."""

    peppers: list[Key]
    envelope_keys: list[Key]
    # Rises with every change, so that an older file is told from a newer one.
    revision: int = 0

    @property
    def staged(self) -> frozenset[str]:
        return frozenset(key.id for key in (*self.peppers, *self.envelope_keys) if key.staged)


class WatchedFile:
    """A key file that may change while it is in use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._signature: _Signature | None = None
        self._revision = 0

    def read(self) -> KeyFile:
        """Raises KeyFileError when the file is readable by others, or is no key file."""
        # Looked at before it is read: what changes in between is noticed the next time.
        status = self.path.stat()
        if status.st_mode & 0o077:
            raise KeyFileError(
                f"{self.path} can be read by other users; run: chmod 600 {self.path}"
            )
        self._signature = _signature(status)
        file = decode(self.path.read_bytes(), str(self.path))
        if file.revision < self._revision:
            raise KeyFileError(f"{self.path} is older than the one in use")
        self._revision = file.revision
        return file

    def read_if_changed(self) -> KeyFile | None:
        """What the file holds, once after each change of it; a file that is no good is left alone.

        Looking takes about a microsecond, less than the look-up that failed before it.
        """
        try:
            signature = _signature(self.path.stat())
            if signature == self._signature:
                return None
            self._signature = signature
            return self.read()
        except (KeyFileError, OSError) as error:
            log.error("the keys in use stay as they are: %s", error)
            return None


def _signature(status: os.stat_result) -> _Signature:
    return status.st_size, status.st_ino, status.st_mtime_ns


def decode(text: bytes, origin: str) -> KeyFile:
    """Raises KeyFileError, which never repeats what was given."""
    try:
        file = msgspec.json.decode(text, type=KeyFile)
    except msgspec.DecodeError as error:
        raise KeyFileError(f"{origin} is not a key file: {error}") from None
    for keys in (file.peppers, file.envelope_keys):
        if all(key.staged for key in keys):
            raise KeyFileError(f"{origin} holds no keys that are in use")
        if len(keys) > MOST_KEYS:
            raise KeyFileError(f"{origin} holds more than {MOST_KEYS} keys of a kind")
        if any(len(key.key) != KEY_BYTES for key in keys):
            raise KeyFileError(f"{origin}: every key must be {KEY_BYTES} bytes")
        if any(not 0 < len(key.id.encode()) < 64 for key in keys):
            raise KeyFileError(f"{origin}: every key must have an id of 1 to 63 bytes")
        if len({key.id for key in keys}) < len(keys):
            raise KeyFileError(f"{origin}: two keys have the same id")
    return file


def run_command(command: str) -> KeyFile:
    """The keys that a command prints. What it prints is in no message, for it is secret."""
    try:
        done = subprocess.run(  # noqa: S603, the operator's own command
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        problem = f"it did not end within {_COMMAND_SECONDS} seconds"
        raise KeyFileError(f"the keys command failed: {problem}") from None
    except (OSError, ValueError) as error:
        raise KeyFileError(f"the keys command cannot be run: {error}") from None
    if done.returncode != 0:
        raise KeyFileError(f"the keys command failed: it ended with status {done.returncode}")
    return decode(done.stdout, "what the keys command prints")


def create(path: Path) -> bool:
    """Write a new key file whole or not at all; false when there is one already."""
    file = KeyFile([Key("1", secret_key(KEY_BYTES))], [Key("1", secret_key(KEY_BYTES))])
    draft = _write_draft(path, file)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    sync_folder(path)
    return True


def change(path: Path, edit: Callable[[KeyFile], KeyFile]) -> KeyFile:
    """Replace a key file by an edit of it; of two processes one waits for the other.

    When this returns it is on disk, before anything is made with it.
    """
    path = path.resolve()
    with _alone_in(path.parent):
        file = edit(WatchedFile(path).read())
        file.revision += 1
        draft = _write_draft(path, decode(msgspec.json.encode(file), str(path)))
        owner = path.stat()
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            # The server must be able to read what an administrator has written.
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(path)
        sync_folder(path)
    return file


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_draft(path: Path, file: KeyFile) -> Path:
    draft = path.with_suffix(f".{request_id()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(file)) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    return draft


def sync_folder(path: Path) -> None:
    """A new name of a file is on disk only when its folder is."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
