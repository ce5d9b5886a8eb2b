"""The commands about snapshots. They ask a running server, on whatever machine it is."""

from __future__ import annotations

import click

from treadle.server_options import asking, client_options

_server_options = client_options("The client whose world it is.")


@click.group()
def snapshot() -> None:
    """Save a sandbox client's world under a name, and put it back."""


@snapshot.command("save")
@click.argument("name")
@_server_options
def save(name: str, url: str, client_id: str, secret: str) -> None:
    """Save the world as it is, in the place of what was saved under this name."""
    with asking(url, client_id, secret) as treadle:
        saved = treadle.snapshots.save(name)
    click.echo(f"saved {saved.name}: {saved.items} Items, {saved.size_bytes:,} bytes")


@snapshot.command("list")
@_server_options
def list_snapshots(url: str, client_id: str, secret: str) -> None:
    """List the snapshots, with the instants of the client's clock at which they were saved."""
    with asking(url, client_id, secret) as treadle:
        found = treadle.snapshots.list()
    for one in found:
        at = f"{one.created_at:%Y-%m-%dT%H:%M:%SZ}"
        click.echo(f"{at}  {one.items:4} Items  {one.size_bytes:10,} bytes  {one.name}")


@snapshot.command("restore")
@click.argument("name")
@_server_options
def restore(name: str, url: str, client_id: str, secret: str) -> None:
    """Put a snapshot in the place of the world as it is."""
    with asking(url, client_id, secret) as treadle:
        treadle.snapshots.restore(name)
    click.echo(f"restored {name}")


@snapshot.command("remove")
@click.argument("name")
@_server_options
def remove(name: str, url: str, client_id: str, secret: str) -> None:
    """Remove a snapshot; the world stays as it is."""
    with asking(url, client_id, secret) as treadle:
        treadle.snapshots.remove(name)
    click.echo(f"removed {name}")
