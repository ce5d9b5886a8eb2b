"""`treadle exec -- COMMAND`: a server for as long as a command runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from treadle.settings import SANDBOX_CLIENT_ID, SANDBOX_SECRET

# What shells answer for a command that is not there, or that a signal has ended.
_NOT_FOUND = 127
_SIGNALLED = 128


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the server's data in this folder; without it they go at the end.",
)
@click.option("--seed", metavar="TEXT", help="As of treadle serve.")
@click.option("--clock", metavar="INSTANT", help="As of treadle serve.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(
    data: Path | None, seed: str | None, clock: str | None, command: tuple[str, ...]
) -> None:
    """Start a sandbox, run COMMAND with the way to it in the environment, and stop it.

    COMMAND finds PLAID_BASE_URL, PLAID_CLIENT_ID, PLAID_SECRET and PLAID_ENV. The server has a port
    of its own, and the command's exit status is the one that this ends with.
    """
    from treadle.running import StartFailed, serve

    given = {"--seed": seed, "--clock": clock}
    options = [word for name, value in given.items() if value is not None for word in (name, value)]
    try:
        with serve(*options, data=data) as server:
            environment = {
                "PLAID_BASE_URL": server.base_url,
                "PLAID_CLIENT_ID": SANDBOX_CLIENT_ID,
                "PLAID_SECRET": SANDBOX_SECRET,
                "PLAID_ENV": "sandbox",
            }
            status = _run(command, os.environ | environment)
    except StartFailed as failure:
        raise click.ClickException(str(failure)) from None
    sys.exit(status)


def _run(command: tuple[str, ...], environment: dict[str, str]) -> int:
    try:
        process = subprocess.Popen(command, env=environment)  # noqa: S603, what we were asked for
    except OSError as error:
        click.echo(f"{command[0]}: {error.strerror}", err=True)
        return _NOT_FOUND
    with _passing_on(process):
        code = process.wait()
    return code if code >= 0 else _SIGNALLED - code


@contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave the end to the command: an interrupt from the keyboard reaches it by itself."""

    def pass_on(number: int, frame: Any) -> None:
        process.send_signal(number)

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
