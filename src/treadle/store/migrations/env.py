"""Runs the migrations on either store, through asyncpg where the database is PostgreSQL."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import URL, Connection, create_engine, pool

from treadle.store.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


async def _run_postgresql(address: str) -> None:
    # SQLAlchemy's asyncio layer is needed for this alone, and takes a while to import.
    import asyncpg
    from sqlalchemy.ext.asyncio import create_async_engine

    # asyncpg reads the address itself, as it does for every other connection.
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(address),
        poolclass=pool.NullPool,
    )
    async with engine.begin() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


def _main() -> None:
    url: URL | str = context.config.attributes["url"]
    if isinstance(url, URL):
        with create_engine(url, poolclass=pool.NullPool).begin() as connection:
            _run(connection)
    else:
        asyncio.run(_run_postgresql(url))


_main()
