"""The commands about snapshots. They ask a running server, on whatever machine it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from treadle.settings import DEFAULT_HOST, DEFAULT_PORT, SANDBOX_CLIENT_ID, SANDBOX_SECRET

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.client.state import Snapshots


def _server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    url = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
    for option in (
        click.option("--secret", default=SANDBOX_SECRET, show_default=True, help="Its secret."),
        click.option(
            "--client-id",
            default=SANDBOX_CLIENT_ID,
            show_default=True,
            help="The client whose world it is.",
        ),
        click.option("--url", default=url, show_default=True, help="Where the server answers."),
    ):
        command = option(command)
    return command


@contextmanager
def _snapshots(url: str, client_id: str, secret: str) -> Iterator[Snapshots]:
    from treadle.client import Refused, Treadle, Unreachable

    try:
        with Treadle(url, client_id, secret) as treadle:
            yield treadle.snapshots
    except Refused as refusal:
        raise click.ClickException(refusal.error_message) from None
    except Unreachable as problem:
        raise click.ClickException(str(problem)) from None


@click.group()
def snapshot() -> None:
    """Save a sandbox client's world under a name, and put it back."""


@snapshot.command("save")
@click.argument("name")
@_server_options
def save(name: str, url: str, client_id: str, secret: str) -> None:
    """Save the world as it is, in the place of what was saved under this name."""
    with _snapshots(url, client_id, secret) as snapshots:
        saved = snapshots.save(name)
    click.echo(f"saved {saved.name}: {saved.items} Items, {saved.size_bytes:,} bytes")


@snapshot.command("list")
@_server_options
def list_snapshots(url: str, client_id: str, secret: str) -> None:
    """List the snapshots, with the instants of the client's clock at which they were saved."""
    with _snapshots(url, client_id, secret) as snapshots:
        found = snapshots.list()
    for one in found:
        at = f"{one.created_at:%Y-%m-%dT%H:%M:%SZ}"
        click.echo(f"{at}  {one.items:4} Items  {one.size_bytes:10,} bytes  {one.name}")


@snapshot.command("restore")
@click.argument("name")
@_server_options
def restore(name: str, url: str, client_id: str, secret: str) -> None:
    """Put a snapshot in the place of the world as it is."""
    with _snapshots(url, client_id, secret) as snapshots:
        snapshots.restore(name)
    click.echo(f"restored {name}")


@snapshot.command("remove")
@click.argument("name")
@_server_options
def remove(name: str, url: str, client_id: str, secret: str) -> None:
    """Remove a snapshot; the world stays as it is."""
    with _snapshots(url, client_id, secret) as snapshots:
        snapshots.remove(name)
    click.echo(f"removed {name}")
