"""The commands about webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from treadle.administration import administer, data_option, database_option
from treadle.settings import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    SANDBOX_CLIENT_ID,
    SANDBOX_SECRET,
    Environment,
)

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.call import Services
    from treadle.webhooks.attack import Shot
    from treadle.webhooks.sending import Outcome

_environment = click.option(
    "--environment",
    type=click.Choice(["sandbox", "production"]),
    default="sandbox",
    show_default=True,
    help="Where the server runs: each environment has keys of its own.",
)


@click.command()
@click.option(
    "--url",
    default=f"http://{DEFAULT_HOST}:{DEFAULT_PORT}",
    show_default=True,
    help="Where the server answers.",
)
@click.option(
    "--client-id",
    default=SANDBOX_CLIENT_ID,
    show_default=True,
    help="The client whose webhooks to follow.",
)
@click.option("--secret", default=SANDBOX_SECRET, show_default=True, help="The client's secret.")
@click.option(
    "--forward-to",
    metavar="URL",
    help="Send each webhook here too, signed, wherever its Item says.",
)
def listen(url: str, client_id: str, secret: str, forward_to: str | None) -> None:
    """Show a client's webhooks as they are delivered, and forward them.

    Works against any running server. Forwarding takes every webhook that the client is owed,
    verifies its signature, and sends it once.
    """
    import httpx

    from treadle.webhooks.listening import Listener, ListeningFailed

    listener = Listener(url, client_id, secret, forward_to)
    click.echo(f"Listening to {url} as {client_id}", err=True)
    try:
        listener.run(click.echo)
    except (ListeningFailed, httpx.HTTPError, httpx.InvalidURL) as error:
        raise click.ClickException(str(error)) from None


@click.group()
def webhook() -> None:
    """Look at webhooks, test a receiver, replace the signing key."""


@webhook.command("rotate-key")
@click.option("--expire-now", is_flag=True, help="The old key may be known to others.")
@_environment
@data_option
@database_option
def rotate_key(
    expire_now: bool, environment: Environment, data: Path, database: str | None
) -> None:
    """Sign with a new key from now on.

    The old key goes on to verify what it signed for an hour, unless it is to expire now.
    """

    async def work(services: Services) -> str:
        key = await services.signer.of(environment).rotate(expire_now=expire_now)
        return key.kid

    kid = administer(data, database, work, "another process replaced the key just now")
    click.echo(f"key_id  {kid}")


@webhook.command("attack")
@click.argument("url")
@click.option(
    "--item-id", default="no-such-item", show_default=True, help="An Item that the receiver knows."
)
@click.option(
    "--yes-this-is-mine",
    is_flag=True,
    help="Allows a receiver that is not on this machine.",
)
@_environment
@data_option
@database_option
def attack(
    url: str,
    item_id: str,
    yes_this_is_mine: bool,
    environment: Environment,
    data: Path,
    database: str | None,
) -> None:
    """Send forged webhooks to a receiver of your own, and see which ones it accepts.

    Nine requests are sent: a genuine webhook, seven forged ones, and the genuine one again. The
    exit code is 1 when a forged one was accepted, and 2 when the genuine one was not.
    """

    from treadle.webhooks.attack import fire
    from treadle.webhooks.egress import anywhere, loopback_only

    async def work(services: Services) -> list[tuple[Shot, Outcome]]:
        signer = services.signer.of(environment)
        rule = anywhere if yes_this_is_mine else loopback_only
        return await fire(signer, environment, url, item_id, rule)

    results = administer(data, database, work, "another process replaced the key just now")
    if results[0][1].error == "address_refused":
        raise click.UsageError(f"{url} is not on this machine; is it yours? See --help.")
    for shot, outcome in results:
        click.echo(_verdict(shot, outcome))
    if any(shot.forged and outcome.taken for shot, outcome in results):
        raise SystemExit(1)
    if not results[0][1].taken:
        click.echo("The genuine one was not accepted, so the rest says little.", err=True)
        raise SystemExit(2)


def _verdict(shot: Shot, outcome: Outcome) -> str:
    answer = str(outcome.status or outcome.error)
    if not shot.forged:
        verdict, colour = ("accepted", "green") if outcome.taken else ("REFUSED", "red")
        if shot.again and outcome.taken:
            verdict = "accepted; see that it acts only once"
    else:
        verdict, colour = ("ACCEPTED", "red") if outcome.taken else ("refused", "green")
    return f"{shot.name:34} {answer:20} {click.style(verdict, fg=colour)}"


@webhook.command("list")
@click.option(
    "--client-id", default=SANDBOX_CLIENT_ID, show_default=True, help="Whose webhooks to list."
)
@click.option(
    "--count",
    type=click.IntRange(1, 500),
    default=20,
    show_default=True,
    help="How many, the newest first.",
)
@data_option
@database_option
def list_webhooks(client_id: str, count: int, data: Path, database: str | None) -> None:
    """List a client's latest webhooks and what became of them."""

    from treadle.clock import SECOND, wall_text
    from treadle.webhooks.outbox import LATEST, Listed, name_of

    async def work(services: Services) -> list[Listed]:
        return await services.store.all(LATEST, client_id=client_id, count=count)

    for one in administer(data, database, work, ""):
        at = wall_text(one.created_at // SECOND)
        state = one.state.replace("_", " ")
        name = name_of(one.body)
        click.echo(f"{at}  {state}  attempts {one.attempts}  {name}  item {one.item_id}  {one.url}")
