"""Opening a database: checking its schema, migrating it, and checking that its keys are ours."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from treadle.keys import Keys
from treadle.store.change import Store
from treadle.store.key_check import check_keys
from treadle.store.sqlite import SqliteStore, connect, lock_file

# The newest migration. A test holds it against the migrations folder, so that a start on a
# database that is up to date need not import Alembic.
HEAD = "0011"

# With PostgreSQL, how many connections a process holds at most.
CONNECTIONS = 16
# How long a statement may take, or SQLite's lock be waited for.
TIMEOUT_SECONDS = 5.0

_MIGRATION_LOCK = 7_269_431_182


class StoreError(Exception):
    """The database cannot be used; the message says why and what to do."""


def database_url(database: str | None, data: Path) -> str:
    """The database's address: what was asked for, or the file in the data folder."""
    return database or f"sqlite:///{(data / 'treadle.db').absolute()}"


async def open_store(
    url: str,
    keys: Keys,
    *,
    connections: int = CONNECTIONS,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Store:
    """Open a database with its schema brought up to date.

    Raises StoreError when it is of an unknown kind, cannot be reached, was made by a newer
    Treadle, or was made with other keys.
    """
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        _prepare_sqlite(path)
        store: Store = SqliteStore(path, timeout_seconds)
    elif url.startswith(("postgresql://", "postgres://")):
        store = await _open_postgresql(url, connections, timeout_seconds)
    else:
        raise StoreError(f"{_without_password(url)}: use postgresql://… or sqlite:///…")
    problem = await check_keys(store, keys)
    if problem is not None:
        await store.close()
        raise StoreError(problem)
    return store


def _prepare_sqlite(path: Path) -> None:
    path.touch(mode=0o600)
    # Processes that start together migrate one after another.
    with lock_file(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        version = _sqlite_version(path)
        _check_version(version, str(path))
        if version != HEAD:
            _migrate(URL.create("sqlite", database=str(path)))


def _sqlite_version(path: Path) -> str | None:
    try:
        with contextlib.closing(connect(path)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master").fetchall()
            if ("alembic_version",) not in names:
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return row[0] if row else None
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} is not a usable SQLite database: {error}") from None


async def _open_postgresql(url: str, connections: int, timeout_seconds: float) -> Store:
    # Imported here since the embedded store needs no driver of it, and the import takes time.
    import asyncpg

    from treadle.store.postgres import open_postgres

    try:
        connection: Any = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        raise StoreError(f"cannot reach {_without_password(url)}: {error}") from None
    try:
        # Processes that start together migrate one after another.
        await connection.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        version = None
        if await connection.fetchval("SELECT to_regclass('alembic_version')"):
            version = await connection.fetchval("SELECT version_num FROM alembic_version")
        _check_version(version, _without_password(url))
        if version != HEAD:
            await asyncio.to_thread(_migrate, url)
    finally:
        await connection.close()
    return await open_postgres(url, connections, timeout_seconds)


def _check_version(version: str | None, where: str) -> None:
    if version is not None and version > HEAD:
        raise StoreError(
            f"{where} has schema {version}, made by a newer Treadle; this one knows up to {HEAD}. "
            "Start the newer version, or use another database."
        )


def _migrate(url: URL | str) -> None:
    """Bring the schema up to date: of SQLite by its SQLAlchemy URL, else by asyncpg's address."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    scripts = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["url"] = url
    command.upgrade(config, "head")


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
