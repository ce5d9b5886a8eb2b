"""Locks that the test takes on a server's database, so that what it serves has to wait."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator

import asyncpg

from tests.support.server import Server

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@contextlib.contextmanager
def locked_table(url: str, table: str) -> Iterator[None]:
    """No statement on a PostgreSQL table ends while the block lasts."""
    locked, over = threading.Event(), threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                locked.set()
                await asyncio.to_thread(over.wait)
        finally:
            await connection.close()

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    try:
        assert locked.wait(10)
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def locked_file(server: Server) -> Iterator[None]:
    """Another process, none of Treadle's, writes to a SQLite database while the block lasts."""
    command = [sys.executable, "-c", _HOLD, str(server.data / "treadle.db")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield
        process.communicate()
