"""The command that imports a file. It works on the database, while a server may be using it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

import click

from treadle.administration import administer, data_option, database_option
from treadle.statement_commands import file_argument, mapping_option, refusals, showing_progress

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.call import Services
    from treadle.ingest.spool import Beginning
    from treadle.ingest.statement_import import Outcome

_ANOTHER = "another import is writing the same accounts; run this one again"


@click.command("import")
@file_argument
@click.option("--client", "client_id", required=True, help="The client_id whose data it is.")
@click.option(
    "--user", "user_id", required=True, help="The client's own id of the user whose accounts it is."
)
@click.option(
    "--institution",
    "institution_id",
    default="statements",
    show_default=True,
    help="An institution that the client has brought.",
)
@mapping_option
@click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing.")
@data_option
@database_option
def import_(
    file: Path,
    client_id: str,
    user_id: str,
    institution_id: str,
    mapping: Path | None,
    dry_run: bool,
    data: Path,
    database: str | None,
) -> None:
    """Import the statement FILE as accounts of a client's user, to be linked to Items."""
    from treadle.importing.csv_mapping import read_mapping
    from treadle.importing.detecting import read_file
    from treadle.ingest.described import Describer
    from treadle.ingest.spool import Spool

    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryFile(dir=data) as entries:
        with refusals(file), file.open("rb") as opened:
            declared = read_mapping(mapping.read_bytes()) if mapping else None
            spool = Spool(Describer(institution_id, user_id), entries)
            beginning = spool.read(showing_progress(opened, read_file(opened, declared)))

        async def work(services: Services) -> Outcome:
            place = client_id, institution_id, user_id
            return await _keep(services, place, beginning, entries, dry=dry_run)

        outcome = administer(data, database, work, _ANOTHER)
    click.echo(_describe(outcome, dry=dry_run))


async def _keep(
    services: Services,
    place: tuple[str, str, str],
    beginning: Beginning,
    entries: BinaryIO,
    *,
    dry: bool,
) -> Outcome:
    from treadle.clients import CLIENT, OPERATOR
    from treadle.ingest.intake import Intake
    from treadle.ingest.statement_import import ImportRefused, StatementImport
    from treadle.worlds import Worlds

    client_id, institution_id, user_id = place
    client = await services.store.first(CLIENT, client_id=client_id)
    if client is None or client.removed_at is not None:
        raise click.ClickException(f"there is no client {client_id}")
    # The clock of a sandbox's client, which a command does not know to be one.
    worlds = Worlds(services.store, services.keys, services.clock, None, sandbox=True)
    now = worlds.now(client)
    intake = Intake(services.store, services.keys, client_id, now, actor=OPERATOR, dry=dry)
    importing = StatementImport(services.store, intake, client_id, institution_id, user_id)
    brought = await services.sources.named("stored").institutions(client_id)
    try:
        with _showing_writing(entries) as progress:
            return await importing.keep(brought.get(institution_id), beginning, entries, progress)
    except ImportRefused as refusal:
        raise click.ClickException(str(refusal)) from None


@contextmanager
def _showing_writing(entries: BinaryIO) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda size: None
        return
    with click.progressbar(length=entries.tell(), label="Writing", file=sys.stderr) as bar:
        yield bar.update


def _describe(outcome: Outcome, *, dry: bool) -> str:
    counts = {
        "new accounts": outcome.accounts_added,
        "accounts changed": outcome.accounts_changed,
        "added": outcome.added,
        "modified": outcome.modified,
        "removed": outcome.removed,
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    verb = "would be: " if dry else ""
    return f"{verb}{told or 'no change'}; {outcome.unchanged:,} as they were"
