"""The commands about the audit chains. They read the database, whether a server runs or not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treadle.administration import administer, data_option, database_option

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.call import Services

Kept = dict[str, dict[int, str]]


@click.group()
def audit() -> None:
    """Verify and export the audit chains of clients."""


def _read_heads(path: Path) -> Kept:
    """What an earlier `verify` printed: a client, a number and a hash on each line."""
    kept: Kept = {}
    for place, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            client_id, number, digest = line.split()
            kept.setdefault(client_id, {})[int(number)] = digest
        except ValueError:
            raise click.ClickException(
                f"{path}, line {place}: this is not a client_id, a number and a hash"
            ) from None
    return kept


@audit.command("verify")
@click.option(
    "--heads",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What an earlier verification printed, kept out of the database's reach.",
)
@data_option
@database_option
def verify(heads: Path | None, data: Path, database: str | None) -> None:
    """Recompute every chain, and print where each of them ends.

    Ends with status 1 and the first broken place of each chain that is not what was written.
    """
    kept = _read_heads(heads) if heads else {}

    async def work(services: Services) -> int:
        return await _verify(services, kept)

    if administer(data, database, work, ""):
        sys.exit(1)


async def _verify(services: Services, kept: Mapping[str, Mapping[int, str]]) -> int:
    """Answers how many chains are broken."""
    from treadle.audit.chain import CHAINS, COUNT
    from treadle.audit.verifying import ChainBroken, verify

    store = services.store
    chains = sorted({*await store.all(CHAINS), *kept})
    broken = 0
    length = await store.first(COUNT) or 0
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=length, file=sys.stderr, hidden=hidden, label="Verifying") as bar:
        for client_id in chains:
            try:
                whole = await verify(
                    store, client_id, kept.get(client_id, {}), lambda: bar.update(1)
                )
            except ChainBroken as problem:
                broken += 1
                click.echo(f"{client_id}: {problem}", err=True)
            else:
                click.echo(f"{client_id} {whole.sequence} {whole.hash.hex()}")
                if whole.trimmed:
                    click.echo(f"{client_id}: up to {whole.trimmed} they were deleted", err=True)
    return broken


@audit.command("export")
@click.argument("client_id")
@click.option(
    "--after",
    metavar="NUMBER",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Leave out the entries up to this one.",
)
@data_option
@database_option
def export(client_id: str, after: int, data: Path, database: str | None) -> None:
    """Print a client's chain as JSON Lines, from the entry that follows a number."""
    from treadle.audit.chain import entries

    async def work(services: Services) -> None:
        async for entry in entries(services.store, client_id, after):
            # The text stands as it was hashed.
            head = f'{{"sequence":{entry.sequence},"hash":"{entry.hash.hex()}","entry":'
            click.echo(f"{head}{entry.text}}}")

    administer(data, database, work, "")
