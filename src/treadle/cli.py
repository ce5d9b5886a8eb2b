"""The command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from treadle import __version__
from treadle.administration import data_option, database_option, key_settings, run_to_end
from treadle.audit_commands import audit
from treadle.client_commands import check_stripe_key, client
from treadle.doctor import doctor
from treadle.exec_command import exec_command
from treadle.import_commands import import_
from treadle.journal_commands import journal
from treadle.key_commands import keys
from treadle.link_commands import link
from treadle.operating_options import check_tls, operating_options
from treadle.request_commands import requests
from treadle.settings import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    SANDBOX_CLIENT_ID,
    SANDBOX_SECRET,
    Settings,
)
from treadle.snapshot_commands import snapshot
from treadle.statement_commands import statement
from treadle.webhook_commands import listen, webhook

_EPILOG = """Every option can also be set in the environment: --stripe-key of `treadle serve` is
TREADLE_SERVE_STRIPE_KEY, --database of `treadle client list` is TREADLE_CLIENT_LIST_DATABASE."""

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@click.group(epilog=_EPILOG, context_settings={"auto_envvar_prefix": "TREADLE"})
@click.version_option(__version__, prog_name="treadle")
def main() -> None:
    """Treadle: a self-hosted server compatible with the Plaid API (version 2020-09-14).

    Start a sandbox with `treadle serve`, point an official Plaid SDK at it by changing the base
    URL, and use the client_id and secret that it prints.
    """


_environment = click.option(
    "--environment",
    type=click.Choice(["sandbox", "production"]),
    default="sandbox",
    show_default=True,
    help="In production there is no ready client and no /sandbox/* operation.",
)


@main.command()
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 picks a free one.",
)
@data_option
@database_option
@_environment
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that serve the port together.",
)
@click.option(
    "--allowed-host",
    multiple=True,
    metavar="NAME",
    help="A further name by which a server on loopback may be addressed; repeatable.",
)
@click.option(
    "--strict-partners",
    is_flag=True,
    help="Processor tokens work only for clients registered for their processor "
    "(always so in production).",
)
@click.option("--seed", metavar="TEXT", help="Sandbox: derive every id and token from this text.")
@click.option(
    "--clock",
    metavar="INSTANT",
    help="Sandbox: the instant at which time stands still, such as 2026-01-31T12:00:00Z.",
)
@click.option(
    "--product-ready-seconds",
    type=click.IntRange(0, 86_400),
    default=0,
    show_default=True,
    help="How long a product takes to have its first data, and as long again its whole history.",
)
@click.option(
    "--requests-kept",
    type=click.IntRange(0, 100_000),
    default=1_000,
    show_default=True,
    help="Sandbox: how many of the last requests of each client are kept with their answers.",
)
@click.option("--stripe-key", metavar="KEY", help="Stripe secret key for bank account tokens.")
@click.option(
    "--stripe-url",
    default="https://api.stripe.com",
    show_default=True,
    metavar="URL",
    help="Where Stripe answers.",
)
@click.option(
    "--webhook-timeout-seconds",
    type=click.IntRange(1, 60),
    default=10,
    show_default=True,
    help="How long a receiver of webhooks may take to answer.",
)
@click.option(
    "--webhook-key-days",
    type=click.IntRange(1, 365),
    default=30,
    show_default=True,
    help="After how many days the key that webhooks are signed with is replaced.",
)
@click.option(
    "--webhook-network",
    multiple=True,
    metavar="NETWORK",
    help="Production: a network that webhooks may reach although it is not public, such as "
    "10.1.0.0/16; repeatable.",
)
@click.option(
    "--public-url",
    metavar="URL",
    help="The address by which browsers reach the server; default: where it listens.",
)
@click.option(
    "--redirect-uri",
    "redirect_uris",
    multiple=True,
    metavar="URI",
    help="Where banks may send users back to, such as https://*.shop.example/return; repeatable. "
    "Without any, a sandbox takes every address on loopback.",
)
@click.option(
    "--tls",
    is_flag=True,
    help="Sandbox: answer by HTTPS, with a certificate made for it, also as cdn.plaid.com.",
)
@operating_options
def serve(
    data: Path,
    clock: str | None,
    strict_partners: bool,
    allowed_host: tuple[str, ...],
    webhook_network: tuple[str, ...],
    tls: bool,
    **options: Any,
) -> None:
    """Start the server."""
    from treadle.certificates import CDN, provide_certificate
    from treadle.log import configure_logging
    from treadle.serving import open_listener, run

    sandbox = options["environment"] == "sandbox"
    if not sandbox and (options["seed"] is not None or clock is not None):
        raise click.UsageError(
            "--seed and --clock are for the sandbox: production is not repeatable"
        )
    check_stripe_key(options["stripe_key"], options["environment"])
    check_tls(options["tls_certificate"], options["tls_key"])
    if tls:
        if not sandbox or options["tls_certificate"] is not None:
            raise click.UsageError("--tls is for a sandbox without a certificate of yours")
        allowed_host = (*allowed_host, CDN)
        made = provide_certificate(data, {*_LOOPBACK_NAMES, options["host"], *allowed_host})
        options["tls_certificate"] = options["tls_key"] = str(made)
    settings = Settings(
        data=data,
        clock=_parse_clock(clock),
        strict_partners=strict_partners or not sandbox,
        allowed_hosts=allowed_host,
        webhook_networks=_check_networks(webhook_network),
        **key_settings(),
        **options,
    )
    listener = open_listener(settings.host, settings.port)
    settings = msgspec.structs.replace(settings, port=listener.getsockname()[1])
    configure_logging(settings.log_format)
    # Opened once before any worker is, so that what is wrong is said once and plainly.
    run_to_end(_open_and_close(msgspec.structs.replace(settings, metrics_port=None)))
    click.echo(_banner(settings), err=True)
    run(settings, listener)


def _check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    from ipaddress import ip_network

    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise click.UsageError(f"--webhook-network {network}: {error}") from None
    return networks


def _parse_clock(text: str | None) -> int | None:
    from treadle.clock import parse_instant

    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        raise click.UsageError(
            f"--clock {text!r} is no date-time, such as 2026-01-31T12:00:00Z"
        ) from None


async def _open_and_close(settings: Settings) -> None:
    from treadle.app import JOURNAL_FILE, open_services, refuse_published_secret
    from treadle.journal.replaying import prepare_journal

    services = await open_services(settings)
    try:
        if not settings.sandbox:
            await refuse_published_secret(services)
            path = settings.data / JOURNAL_FILE
            await prepare_journal(services.store, path, services.clock.now())
    finally:
        await services.store.close()


def _banner(settings: Settings) -> str:
    url = settings.url
    store = "SQLite" if settings.database is None else settings.database.partition("://")[0]
    if settings.log_format == "json":
        said = {"event": "started", "base_url": url, "environment": settings.environment}
        return msgspec.json.encode(said).decode()
    lines = [
        f"Treadle {__version__}  {settings.environment} on {store}, {_origin(settings)}",
        f"  base URL   {url}",
    ]
    if settings.sandbox:
        from treadle.certificates import made_authority
        from treadle.http.headers import answers_on_loopback

        body = f'{{"client_id":"{SANDBOX_CLIENT_ID}","secret":"{SANDBOX_SECRET}",'
        body += '"institution_id":"ins_109508","initial_products":["auth"]}'
        if authority := made_authority(settings.tls_certificate, settings.data):
            lines.append(f"  authority  {authority}")
        lines += [
            f"  client_id  {SANDBOX_CLIENT_ID}",
            f"  secret     {SANDBOX_SECRET}",
            *([f"  console    {url}/console"] if answers_on_loopback(settings.host) else []),
            "",
            "Try it:",
            f"  curl {url}/sandbox/public_token/create \\",
            "    -H 'Content-Type: application/json' \\",
            f"    -d '{body}'",
            "",
        ]
        if settings.stripe_key is None:
            lines.append(
                "Stripe: no key is set, so bank account tokens are made up here and Stripe "
                "will not know them."
            )
        if not answers_on_loopback(settings.host):
            lines.append(
                "Careful: a sandbox has published credentials, and others can reach this one."
            )
    return "\n".join(lines)


def _origin(settings: Settings) -> str:
    """What the banner says of the keys and the data."""
    if settings.keys is not None or settings.keys_command is not None:
        given = "in the environment" if settings.keys is not None else "from a command"
        return f"keys {given}, data in {settings.data}"
    return f"keys in {settings.data}"


main.add_command(client)
main.add_command(audit)
main.add_command(doctor)
main.add_command(exec_command)
main.add_command(import_)
main.add_command(journal)
main.add_command(keys)
main.add_command(link)
main.add_command(listen)
main.add_command(webhook)
main.add_command(requests)
main.add_command(snapshot)
main.add_command(statement)


if __name__ == "__main__":
    sys.exit(main())
