"""What the tests of rotation share: the key commands, and what they say of each key."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.promises.database import query
from tests.support.raw import cli
from tests.support.server import Server
from treadle.keys import envelope_key_id


class Counted(NamedTuple):
    """A line of `treadle keys status`."""

    state: str
    tokens: int
    secrets: int
    link_tokens: int
    envelopes: int


def status(server: Server) -> dict[str, Counted]:
    found = {}
    for line in cli(server, "keys", "status").splitlines()[1:]:
        key_id, *rest = line.split()
        state = " ".join(rest[:-4])
        found[key_id] = Counted(state, *map(int, rest[-4:]))
    return found


def rotate(server: Server, *options: str) -> str:
    """Rotate, and answer the id of the new keys."""
    return cli(server, "keys", "rotate", *options).split()[0]


def settle(data: Path) -> None:
    """Let the key file look as if it had not changed for a while."""
    long_ago = time.time() - 3_600
    os.utime(data / "keys.json", (long_ago, long_ago))


def peppers(server: Server, table: str = "tokens") -> list[str]:
    return [row["pepper_id"] for row in query(server, f"SELECT pepper_id FROM {table}")]


def envelopes(server: Server, *columns: tuple[str, str]) -> Iterator[str]:
    """The keys of the envelopes in some columns."""
    for table, column in columns:
        for row in query(server, f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"):
            yield envelope_key_id(row[column])
