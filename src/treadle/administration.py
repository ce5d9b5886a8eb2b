"""What the commands share that work on the database directly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from treadle.settings import Settings

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.call import Services

T = TypeVar("T")

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder of the key file and of the embedded database.",
)
database_option = click.option(
    "--database",
    metavar="URL",
    help="postgresql://… for PostgreSQL; without it a SQLite file in the data folder.",
)


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, turning what an operator can mend into a plain message."""
    from treadle.keys import KeyFileError
    from treadle.store.change import StoreBusy
    from treadle.store.opening import StoreError

    try:
        return asyncio.run(work)
    except (KeyFileError, StoreBusy, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from None


def administer(
    data: Path,
    database: str | None,
    work: Callable[[Services], Awaitable[T]],
    on_conflict: str,
) -> T:
    """Do something on the database that a server may be using at this very moment."""
    from treadle.app import open_services
    from treadle.store.change import GuardFailed

    async def use_services() -> T:
        # Production settings: they make nothing by themselves, the ready client included.
        settings = Settings(data=data, database=database, environment="production")
        services = await open_services(settings)
        try:
            return await work(services)
        finally:
            await services.store.close()

    try:
        return run_to_end(use_services())
    except GuardFailed:
        raise click.ClickException(on_conflict) from None
