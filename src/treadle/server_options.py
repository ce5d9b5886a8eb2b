"""What the commands share that ask a running server, on whatever machine it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from treadle.settings import DEFAULT_HOST, DEFAULT_PORT, SANDBOX_CLIENT_ID, SANDBOX_SECRET

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.client import Treadle

url_option = click.option(
    "--url",
    default=f"http://{DEFAULT_HOST}:{DEFAULT_PORT}",
    show_default=True,
    help="Where the server answers.",
)


def client_options(whose: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The server, and the client of it that the command acts for; `whose` describes that one."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option("--secret", default=SANDBOX_SECRET, show_default=True, help="Its secret."),
            click.option("--client-id", default=SANDBOX_CLIENT_ID, show_default=True, help=whose),
            url_option,
        ):
            command = option(command)
        return command

    return decorate


@contextmanager
def asking(url: str, client_id: str, secret: str) -> Iterator[Treadle]:
    """A client of the server; that it refuses or is not there is said plainly."""
    from treadle.client import Refused, Treadle, Unreachable

    try:
        with Treadle(url, client_id, secret) as treadle:
            yield treadle
    except Refused as refusal:
        raise click.ClickException(refusal.error_message) from None
    except Unreachable as problem:
        raise click.ClickException(str(problem)) from None
