"""The commands about the journal of what took access away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from treadle.administration import administer, data_option, database_option, run_to_end

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.call import Services


@click.group()
def journal() -> None:
    """Keep what was revoked revoked when a backup is restored."""


@journal.command("begin")
@data_option
def begin(data: Path) -> None:
    """Begin a journal on a further machine, or in place of one that is lost."""
    from treadle.app import JOURNAL_FILE
    from treadle.journal.file import begin as begin_file

    async def work() -> None:
        begin_file(data / JOURNAL_FILE)

    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    run_to_end(work())
    click.echo(f"made {data / JOURNAL_FILE}; keep it through every restore")


@journal.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
@database_option
def replay(file: Path, data: Path, database: str | None) -> None:
    """Take away again what FILE, the journal of another machine, holds.

    A server replays its own at each start.
    """

    async def work(services: Services) -> int:
        from treadle.journal.file import Journal
        from treadle.journal.replaying import replay as replay_journal

        return await replay_journal(services.store, Journal(file), services.clock.now())

    count = administer(data, database, work, "another process is replaying a journal")
    click.echo(f"took away again what {count} lines say")
