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
F = TypeVar("F", bound=Callable[..., Any])

_KEYS = "treadle.keys"


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    context.meta.setdefault(_KEYS, {})[parameter.name] = value


def _keep_secret(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    source = context.get_parameter_source(str(parameter.name))
    if source is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError(
            "other users can see a command line: give the keys in the environment variable "
            f"{context.auto_envvar_prefix}_KEYS"
        )
    _keep(context, parameter, value)


def key_settings() -> dict[str, Any]:
    """The settings of the running command that say where the keys are from."""
    kept: dict[str, Any] = click.get_current_context().meta.get(_KEYS, {})
    return kept


_data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder of the key file and of the embedded database.",
)
_keys_command_option = click.option(
    "--keys-command",
    metavar="COMMAND",
    expose_value=False,
    callback=_keep,
    help="A command that prints the keys, as the key file holds them; run without a shell.",
)
_keys_option = click.option(
    "--keys",
    metavar="JSON",
    expose_value=False,
    callback=_keep_secret,
    help="The keys themselves, as the key file holds them; in the environment alone.",
)


def data_option(command: F) -> F:
    """The data folder, and where the keys are from unless it is the file there."""
    return _data_option(_keys_command_option(_keys_option(command)))


database_option = click.option(
    "--database",
    metavar="URL",
    help="postgresql://… for PostgreSQL; without it a SQLite file in the data folder.",
)


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, turning what an operator can mend into a plain message."""
    from treadle.journal.file import JournalError
    from treadle.key_files import KeyFileError
    from treadle.store.change import StoreBusy
    from treadle.store.opening import StoreError

    try:
        return asyncio.run(work)
    except (JournalError, KeyFileError, StoreBusy, StoreError, OSError) as error:
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
        settings = Settings(
            data=data, database=database, environment="production", **key_settings()
        )
        services = await open_services(settings)
        try:
            return await work(services)
        finally:
            await services.store.close()

    try:
        return run_to_end(use_services())
    except GuardFailed:
        raise click.ClickException(on_conflict) from None
