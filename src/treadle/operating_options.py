"""The options of `treadle serve` for those who run it for others."""

from __future__ import annotations

import ssl
from typing import Any

import click

from treadle.settings import DEFAULT_HOST

_FILE = click.Path(exists=True, dir_okay=False)


def check_tls(certificate: str | None, key: str | None) -> None:
    """Raises UsageError for files that the server could not start with."""
    if certificate is None and key is None:
        return
    if certificate is None or key is None:
        raise click.UsageError("--tls-certificate and --tls-key are given together or not at all")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError) as error:
        raise click.UsageError(
            f"{certificate} with the key {key} cannot be used: {error}"
        ) from None


def operating_options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = [
    click.option(
        "--rate-limits/--no-rate-limits",
        default=None,
        help="Hold callers to the documented rate limits; by default in production alone.",
    ),
    click.option(
        "--tls-certificate",
        type=_FILE,
        help="Serve TLS with this certificate and those above it, in one PEM file.",
    ),
    click.option("--tls-key", type=_FILE, help="The certificate's private key, in a PEM file."),
    click.option(
        "--metrics-port",
        type=click.IntRange(1, 65_535),
        help="Port on which Prometheus finds metrics; without it nothing is counted.",
    ),
    click.option(
        "--metrics-host",
        default=DEFAULT_HOST,
        show_default=True,
        help="Address to listen on for metrics.",
    ),
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Lines of the log for people, or a JSON object each.",
    ),
    click.option(
        "--slow-query-milliseconds",
        type=click.IntRange(0, 600_000),
        help="Log reads and commits that take at least so long; without it none are.",
    ),
    click.option(
        "--max-requests-in-flight",
        type=click.IntRange(8, 65_536),
        default=512,
        show_default=True,
        help="How many requests each worker takes at a time; an eighth is kept for revocations.",
    ),
    click.option(
        "--database-connections",
        type=click.IntRange(3, 1_000),
        default=16,
        show_default=True,
        help="PostgreSQL: connections of each worker at most; two are kept for revocations.",
    ),
    click.option(
        "--database-timeout-seconds",
        type=click.FloatRange(0.1, 600),
        default=5,
        show_default=True,
        help="How long a statement may take, or SQLite's lock be waited for.",
    ),
    click.option(
        "--audit-reads",
        type=click.Choice(["off", "batched", "strict"]),
        show_default="batched in production, off in sandbox",
        help="Audit what partners read within 0.1 seconds of the answer, or before it.",
    ),
    click.option(
        "--audit-days",
        type=click.IntRange(1, 36_500),
        help="Delete entries of audit chains that are older; without it they are kept for ever.",
    ),
    click.option(
        "--stop-seconds",
        type=click.IntRange(0, 600),
        default=20,
        show_default=True,
        help="How long requests in flight may take to end once the server is told to stop.",
    ),
]
