"""The commands about clients. They work on the database, whether a server runs or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from treadle import ids
from treadle.administration import administer, data_option, database_option
from treadle.settings import Environment


def check_stripe_key(key: str | None, environment: str) -> None:
    from treadle.partners.stripe import key_environment

    if key is None:
        return
    belongs = key_environment(key)
    if belongs is None:
        raise click.UsageError("the Stripe key must start with sk_ or rk_, then test_ or live_")
    if belongs != environment:
        kinds = {"sandbox": "test", "production": "live"}
        raise click.UsageError(
            f"a {kinds[belongs]} Stripe key is refused in {environment}; "
            f"use a {kinds[environment]} key"
        )


@click.group()
def client() -> None:
    """Manage clients: developers, partners, or both."""


def _client_options(command: Any) -> Any:
    return data_option(database_option(command))


def _names(text: str | None) -> list[str]:
    """A comma-separated list of processors. Raises UsageError for one that does not exist."""
    from treadle.partners.processors import PROCESSORS

    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    unknown = [name for name in names if name not in PROCESSORS]
    if unknown:
        raise click.UsageError(f"unknown processors: {', '.join(unknown)}")
    return names


@client.command("create")
@click.argument("name")
@click.option("--client-id", help="Choose the id instead of having one made.")
@click.option("--processors", metavar="LIST", help="Comma-separated: partner for these processors.")
@click.option(
    "--integrations",
    metavar="LIST",
    help="Comma-separated: the processors it may mint tokens for. Default: all.",
)
@click.option("--stripe-key", metavar="KEY", help="This client's own Stripe secret key.")
@click.option(
    "--environment",
    type=click.Choice(["sandbox", "production"]),
    default="sandbox",
    show_default=True,
    help="Where the client will be served: a sandbox takes test keys, production live ones.",
)
@_client_options
def client_create(
    name: str,
    client_id: str | None,
    processors: str | None,
    integrations: str | None,
    stripe_key: str | None,
    environment: Environment,
    data: Path,
    database: str | None,
) -> None:
    """Create a client and print its secret, which is shown this once."""
    from treadle.clients import NewClient, create_client

    check_stripe_key(stripe_key, environment)
    new = NewClient(
        client_id=client_id or ids.client_id(),
        secret=ids.client_secret(),
        name=name,
        processors=_names(processors),
        integrations=None if integrations is None else _names(integrations),
        stripe_key=stripe_key,
    )

    async def work(services: Any) -> None:
        await create_client(services.store, services.keys, new, services.clock.now())

    administer(data, database, work, f"a client {new.client_id} exists already")
    click.echo(f"client_id  {new.client_id}\nsecret     {new.secret}")


@client.command("list")
@_client_options
def client_list(data: Path, database: str | None) -> None:
    """List the clients."""
    from treadle.clients import CLIENTS

    async def work(services: Any) -> None:
        for one in await services.store.all(CLIENTS):
            integrations = "all" if one.integrations is None else ",".join(one.integrations)
            state = "removed" if one.removed_at is not None else "active"
            processors = ",".join(one.processors) or "-"
            click.echo(
                f"{one.client_id}  {state}  {one.name}  "
                f"processors={processors}  integrations={integrations or '-'}"
            )

    administer(data, database, work, "")


@client.command("rotate-secret")
@click.argument("client_id")
@_client_options
def client_rotate_secret(client_id: str, data: Path, database: str | None) -> None:
    """Give a client a new secret; the old one stops working at once."""
    from treadle.clients import rotate_secret

    secret = ids.client_secret()

    async def work(services: Any) -> None:
        now = services.clock.now()
        await rotate_secret(services.store, services.keys, client_id, secret, now)

    administer(data, database, work, f"there is no client {client_id}")
    click.echo(f"client_id  {client_id}\nsecret     {secret}")


@client.command("remove")
@click.argument("client_id")
@_client_options
def client_remove(client_id: str, data: Path, database: str | None) -> None:
    """Remove a client, its Items and every token that it made."""
    from treadle.clients import remove_client

    async def work(services: Any) -> None:
        await remove_client(services.store, client_id, services.clock.now())

    administer(data, database, work, f"there is no client {client_id}")
    click.echo(f"removed {client_id}")
