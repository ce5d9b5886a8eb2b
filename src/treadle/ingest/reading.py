"""Reading a file in a process of its own: it takes a while, and what it may take is bounded.

The process is `python -m treadle.ingest.reader`. The file and its records pass through open files
that it inherits.
"""

from __future__ import annotations

import asyncio
import sys
from typing import BinaryIO

import msgspec

from treadle.ingest.spool import Beginning


class Unreadable(Exception):
    """A file that is refused; the message names the place and what to do."""


class Order(msgspec.Struct):
    institution_id: str
    user_id: str
    mapping_json: str | None
    # Numbers of open files.
    statement: int
    entries: int


class Answer(msgspec.Struct):
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
    order = Order(institution_id, user_id, mapping_json, statement.fileno(), entries.fileno())
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "treadle.ingest.reader",
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
    answer = msgspec.json.decode(printed, type=Answer)
    if answer.beginning is None:
        raise Unreadable(answer.refusal)
    return answer.beginning
