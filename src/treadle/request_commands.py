"""The command that shows recorded requests."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treadle.administration import administer, data_option, database_option
from treadle.clock import SECOND, wall_text
from treadle.settings import SANDBOX_CLIENT_ID

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.call import Services
    from treadle.recording.rows import Recorded

_FOLLOW_SECONDS = 0.5
# How much later than others' a worker's requests may come to be written.
_LATE = 10 * SECOND
_MOST = 500
_HEAD = f"{'time':20}  {'method':6}  {'path':44}  {'status':6}  {'ms':>8}  request_id       outcome"


@click.command()
@click.option(
    "--client-id", default=SANDBOX_CLIENT_ID, show_default=True, help="Whose requests to show."
)
@click.option("--path", default="", help="Those to this path alone.")
@click.option("--code", default="", help="Those that answered this error code alone.")
@click.option("--request-id", default="", help="The one with this request_id alone.")
@click.option(
    "--count",
    type=click.IntRange(1, 500),
    default=20,
    show_default=True,
    help="How many, the latest ones.",
)
@click.option("--follow", is_flag=True, help="Go on with those that come, until interrupted.")
@data_option
@database_option
def requests(
    client_id: str,
    path: str,
    code: str,
    request_id: str,
    count: int,
    follow: bool,
    data: Path,
    database: str | None,
) -> None:
    """Show the last requests of a sandbox client, the latest last."""
    from treadle.recording.rows import RECORDED

    wanted = {"client_id": client_id, "path": path, "error_code": code, "request_id": request_id}

    async def work(services: Services) -> None:
        find = partial(services.store.all, RECORDED, offset=0, **wanted)
        found = await find(after=0, count=count)
        click.echo(_HEAD)
        _show(found)
        first = found[-1].answered_at - 1 if found else 0
        while follow:
            await asyncio.sleep(_FOLLOW_SECONDS)
            newest = found[0].answered_at if found else 0
            shown = {recorded.request_id for recorded in found}
            found = await find(after=max(first, newest - _LATE), count=_MOST) or found
            _show([recorded for recorded in found if recorded.request_id not in shown])

    administer(data, database, work, "")


def _show(found: list[Recorded]) -> None:
    for recorded in reversed(found):
        click.echo(_line(recorded))


def _line(recorded: Recorded) -> str:
    time = wall_text(recorded.answered_at // SECOND)
    outcome = recorded.error_code or "ok"
    if recorded.fault_id is not None:
        outcome += f", fault {recorded.fault_id}"
    if recorded.reason is not None:
        outcome += f" ({recorded.reason})"
    # What a caller wrote is escaped, so that it cannot forge a line of its own.
    path, outcome = repr(recorded.path)[1:-1], repr(outcome)[1:-1]
    milliseconds = recorded.microseconds / 1_000
    return (
        f"{time:20}  {recorded.method:6}  {path:44}  {recorded.status:6}  {milliseconds:8.1f}  "
        f"{recorded.request_id}  {outcome}"
    )
