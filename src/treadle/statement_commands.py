"""The commands about statements in files. They only read, and need no server."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.importing.statement import Entries
    from treadle.importing.summary import AccountSummary

_ENTRIES_A_STEP = 5_000
file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
mapping_option = click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How the columns of a CSV file are to be read, as `treadle statement guess` writes it.",
)


@click.group()
def statement() -> None:
    """Look into statements of banks: OFX, QFX, camt.053, MT940, MT942 and CSV."""


@contextmanager
def refusals(file: Path) -> Iterator[None]:
    from treadle.importing.refusal import FileRefused

    try:
        yield
    except FileRefused as refusal:
        raise click.ClickException(f"{file}: {refusal}") from None


@statement.command("check")
@file_argument
@mapping_option
def check(file: Path, mapping: Path | None) -> None:
    """Read FILE to its end, and show what it holds."""
    from treadle.importing.csv_mapping import read_mapping
    from treadle.importing.detecting import read_file
    from treadle.importing.summary import summarize

    with refusals(file), file.open("rb") as opened:
        declared = read_mapping(mapping.read_bytes()) if mapping else None
        summaries = summarize(showing_progress(opened, read_file(opened, declared)))
    for summary in summaries:
        click.echo(_describe(summary))


@statement.command("guess")
@file_argument
def guess(file: Path) -> None:
    """Write a mapping for the CSV file FILE, to be corrected and given to `check`.

    What the file leaves open is told on standard error.
    """
    from treadle.importing.csv_guessing import guess_mapping
    from treadle.importing.csv_mapping import write_mapping

    with refusals(file), file.open("rb") as opened:
        guessed = guess_mapping(opened)
    for doubt in guessed.doubts:
        click.secho(f"Please check {doubt}.", err=True, fg="yellow")
    click.echo(write_mapping(guessed.mapping))


def showing_progress(file: BinaryIO, entries: Entries) -> Entries:
    """The entries, with a bar on a terminal that shows how much of the file is read."""
    if not sys.stderr.isatty():
        yield from entries
        return
    size = os.fstat(file.fileno()).st_size
    with click.progressbar(length=size, label="Reading", file=sys.stderr) as bar:
        for count, entry in enumerate(entries):
            if count % _ENTRIES_A_STEP == 0:
                bar.update(file.tell() - bar.pos)
            yield entry
        bar.update(size - bar.pos)


def _describe(summary: AccountSummary) -> str:
    account = summary.account
    name = account.name or (account.subtype or account.type).value
    mask = f" ending in {account.mask}" if account.mask else ""
    lines = [click.style(f"{name}{mask}", bold=True)]
    if account.current is not None:
        lines.append(f"  balance {account.current:,} {account.currency}")
    counts = {
        "transactions": summary.transactions,
        "pending": summary.pending,
        "taken back": summary.removals,
        "trades": summary.trades,
        "holdings": summary.holdings,
    }
    told = [f"{count:,} {what}" for what, count in counts.items() if count]
    lines.append(f"  {', '.join(told) or 'no transactions'}")
    if summary.first:
        lines.append(f"  from {summary.first} to {summary.last}")
    if summary.transactions:
        lines.append(f"  {summary.paid_in:,} {account.currency} in, {summary.paid_out:,} out")
    return "\n".join(lines)
