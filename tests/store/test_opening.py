"""Opening a database: it is migrated, checked, kept private, or refused with a plain message."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, pool
from sqlalchemy.ext.asyncio import create_async_engine

from tests.store.databases import commit, execute, facts, file_of, keeping, make_keys, rows
from treadle import store
from treadle.keys import Keys
from treadle.store import tables
from treadle.store.opening import HEAD, StoreError, database_url, open_store


def opened(url: str, keys: Keys) -> None:
    async def run() -> None:
        await (await open_store(url, keys)).close()

    asyncio.run(run())


def open_in_process(url: str) -> None:
    opened(url, make_keys())


def refused(url: str, keys: Keys) -> str:
    with pytest.raises(StoreError) as caught:
        opened(url, keys)
    return str(caught.value)


def differences(url: str) -> list[object]:
    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, tables.metadata))

    async def compare_postgresql() -> list[object]:
        rest = url.partition("://")[2]
        engine = create_async_engine(f"postgresql+asyncpg://{rest}", poolclass=pool.NullPool)
        async with engine.connect() as connection:
            return await connection.run_sync(compare)

    if not url.startswith("sqlite"):
        return asyncio.run(compare_postgresql())
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        return compare(connection)


def test_the_migrations_make_exactly_the_tables(url: str, keys: Keys) -> None:
    opened(url, keys)
    assert differences(url) == []


def test_the_migrations_choose_the_same_primary_keys_and_options(
    tmp_path: Path, keys: Keys
) -> None:
    # The comparison above looks at neither.
    migrated, made = f"sqlite:///{tmp_path}/migrated", f"sqlite:///{tmp_path}/made"
    opened(migrated, keys)
    tables.metadata.create_all(create_engine(made, poolclass=pool.NullPool))
    for table in tables.metadata.tables:
        described = [
            [
                rows(one, f"PRAGMA table_info({table})"),
                rows(one, f"SELECT wr FROM pragma_table_list WHERE name = '{table}'"),
            ]
            for one in (migrated, made)
        ]
        assert described[0] == described[1], table


def test_the_head_is_the_newest_migration() -> None:
    config = Config()
    folder = Path(str(store.__file__)).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_opening_again_changes_nothing(url: str, keys: Keys) -> None:
    async def write() -> None:
        store = await open_store(url, keys)
        assert await commit(store, keeping("a"))
        await store.close()

    async def read() -> None:
        store = await open_store(url, keys)
        assert await facts(store) == {"a": ""}
        await store.close()

    asyncio.run(write())
    asyncio.run(read())
    assert [row["version_num"] for row in rows(url, "SELECT * FROM alembic_version")] == [HEAD]


def test_a_newer_schema_is_refused(url: str, keys: Keys) -> None:
    opened(url, keys)
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    message = refused(url, keys)
    assert "made by a newer Treadle" in message
    assert "9999" in message
    assert "\n" not in message
    # It was left as it is.
    assert [row["version_num"] for row in rows(url, "SELECT * FROM alembic_version")] == ["9999"]


def test_other_keys_are_refused(url: str, keys: Keys) -> None:
    opened(url, keys)
    other = Keys({"1": b"x" * 32}, {"1": b"e" * 32})
    assert "made with other keys" in refused(url, other)
    opened(url, keys)
    opened(url, Keys({"2": b"n" * 32, "1": b"p" * 32}, {"1": b"e" * 32}))


def test_processes_that_start_together_migrate_once(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=open_in_process, args=(url,)) for _ in range(3)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0, 0, 0]
    assert len(rows(url, "SELECT * FROM alembic_version")) == 1


def test_the_database_is_for_its_owner_alone(tmp_path: Path, keys: Keys) -> None:
    url = database_url(None, tmp_path)

    def look() -> dict[str, int]:
        return {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}

    async def run() -> dict[str, int]:
        store = await open_store(url, keys)
        assert await commit(store, keeping("a"))
        modes = look()
        await store.close()
        return modes

    mask = os.umask(0)
    try:
        modes = asyncio.run(run())
    finally:
        os.umask(mask)
    data = {name: mode for name, mode in modes.items() if not name.endswith(".lock")}
    assert data == dict.fromkeys(("treadle.db", "treadle.db-wal", "treadle.db-shm"), 0o600)
    # The lock file holds nothing, but whoever may open it can make the server wait for ever.
    assert modes.get("treadle.lock", 0o600) & 0o022 == 0


@pytest.mark.parametrize(
    "name", ["a b", "a%20b", "a?b", "a#b", "a&b=c", "\u00e4", "a;b", "a'b", "a:b@c"]
)
def test_a_folder_of_any_name_will_do(tmp_path: Path, keys: Keys, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    url = database_url(None, folder)
    opened(url, keys)
    opened(url, keys)
    assert (folder / "treadle.db").stat().st_size > 0
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("content", [b"These are my notes.\n" * 100, b"\x00" * 5_000, b"SQLite"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, keys: Keys, content: bytes) -> None:
    path = tmp_path / "treadle.db"
    path.write_bytes(content)
    message = refused(f"sqlite:///{path}", keys)
    assert str(path) in message
    assert "not a usable SQLite database" in message
    assert path.read_bytes() == content


def test_a_damaged_database_is_refused(tmp_path: Path, keys: Keys) -> None:
    url = database_url(None, tmp_path)
    opened(url, keys)
    with closing(sqlite3.connect(file_of(url))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = file_of(url).read_bytes()
    file_of(url).write_bytes(content[:100] + b"\xff" * 2_000 + content[2_100:])
    assert "not a usable SQLite database" in refused(url, keys)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://treadle:hidden@localhost/treadle",
        "sqlite://treadle.db",
        "treadle.db",
        "",
        "postgresql+asyncpg://treadle:hidden@localhost/treadle",
    ],
)
def test_an_unknown_scheme_is_refused(url: str, keys: Keys) -> None:
    message = refused(url, keys)
    assert "use postgresql://" in message
    assert "hidden" not in message


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://treadle:hidden@127.0.0.1:1/treadle",
        "postgresql://treadle:hidden@127.0.0.1:x/treadle",
        "postgresql://treadle:hidden@host.invalid/treadle",
    ],
)
def test_an_unreachable_server_is_said_without_the_password(url: str, keys: Keys) -> None:
    message = refused(url, keys)
    assert message.startswith("cannot reach postgresql://")
    assert "hidden" not in message


def test_usual_parameters_of_an_address_are_understood(postgres_url: object, keys: Keys) -> None:
    assert callable(postgres_url)
    for parameters in ("?sslmode=disable", "?application_name=treadle"):
        opened(f"{postgres_url()}{parameters}", keys)


def test_the_short_scheme_is_the_same(postgres_url: object, keys: Keys) -> None:
    assert callable(postgres_url)
    url: str = postgres_url()
    opened(url.replace("postgresql://", "postgres://"), keys)
    opened(url, keys)


def test_a_wrong_password_is_refused_plainly(postgres_url: object, keys: Keys) -> None:
    assert callable(postgres_url)
    message = refused(postgres_url().replace("loopback-only", "wrong"), keys)
    assert "cannot reach" in message
