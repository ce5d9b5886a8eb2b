"""Reading a file in a process of its own: it takes a while, and as much as it takes is bounded.

Run as `python -m treadle.ingest.reading`, which takes an order on its standard input and answers on
its standard output. The file itself and its records pass through files that it inherits.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from typing import BinaryIO

import msgspec

from treadle.importing.csv_mapping import read_mapping
from treadle.importing.detecting import read_file
from treadle.importing.refusal import FileRefused
from treadle.ingest.described import Describer
from treadle.ingest.spool import Beginning, Spool

_MOST_SECONDS = 600
_MOST_MEMORY_BYTES = 2 * 1_073_741_824


class Unreadable(Exception):
    """A file that is refused; the message names the place and what to do."""


class _Order(msgspec.Struct):
    institution_id: str
    user_id: str
    mapping_json: str | None
    # Numbers of open files.
    statement: int
    entries: int


class _Answer(msgspec.Struct):
    beginning: Beginning | None = None
    refusal: str = ""


async def read_apart(
    statement: BinaryIO,
    entries: BinaryIO,
    institution_id: str,
    user_id: str,
    mapping_json: str | None,
) -> Beginning:
    """Read a statement, and write its entries as lines. Raises Unreadable."""
    order = _Order(institution_id, user_id, mapping_json, statement.fileno(), entries.fileno())
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "treadle.ingest.reading",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=(order.statement, order.entries),
    )
    try:
        printed, _ = await process.communicate(msgspec.json.encode(order))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Unreadable("The file takes too long or too much memory to read. Split it.")
    answer = msgspec.json.decode(printed, type=_Answer)
    if answer.beginning is None:
        raise Unreadable(answer.refusal)
    return answer.beginning


def _read(order: _Order) -> Beginning:
    with (
        os.fdopen(order.statement, "rb") as statement,
        os.fdopen(order.entries, "wb") as entries,
    ):
        told = order.mapping_json
        mapping = read_mapping(told.encode()) if told is not None else None
        spool = Spool(Describer(order.institution_id, order.user_id), entries)
        return spool.read(read_file(statement, mapping))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    try:
        told = _Answer(_read(msgspec.json.decode(sys.stdin.buffer.read(), type=_Order)))
    except FileRefused as refused:
        told = _Answer(refusal=str(refused))
    sys.stdout.buffer.write(msgspec.json.encode(told))
