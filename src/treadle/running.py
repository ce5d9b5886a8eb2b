"""A server of one's own, started from Python: `with treadle.serve() as server:`.

It runs as a process beside this one, on a port that the system chooses, and ends with the block
or with this process, whichever is first.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from treadle.client import Treadle
from treadle.clock import stopwatch
from treadle.settings import SANDBOX_CLIENT_ID, SANDBOX_SECRET

_STOP_SECONDS = 25.0
_LOOK_SECONDS = 0.02
_LOG_TAIL = 8_000
# The server prints its address once it has the port.
_ADDRESS = re.compile(r'(?:^  base URL   |"base_url":")(https?://[^\s"]+)', re.MULTILINE)


class StartFailed(RuntimeError):
    """The server did not start; the message holds the end of what it wrote."""


class Server:
    """A running server."""

    def __init__(self, base_url: str, log_path: Path | None = None) -> None:
        """`log_path` is where it writes; None when it was started elsewhere."""
        self.base_url = base_url
        self.client = Treadle(base_url, SANDBOX_CLIENT_ID, SANDBOX_SECRET)
        self._log_path = log_path

    def __repr__(self) -> str:
        return f"Server({self.base_url!r})"

    @property
    def log(self) -> str:
        """What the server has written so far; empty for one that was started elsewhere."""
        return "" if self._log_path is None else self._log_path.read_text(errors="replace")


@contextlib.contextmanager
def serve(
    *arguments: str, data: Path | str | None = None, start_seconds: float = 30.0
) -> Iterator[Server]:
    """Run `treadle serve` with these arguments, beside `--port 0` and `--data`.

    `data` names its data folder; without it the data goes when the block ends. Variables of the
    environment choose no options of this server. Raises StartFailed.
    """
    with TemporaryDirectory(prefix="treadle-") as folder:
        log_path = Path(folder) / "server.log"
        options = ["--port", "0", "--data", str(data or Path(folder) / "data"), *arguments]
        with _process(options, log_path) as process:
            server = Server(_wait_until_healthy(process, log_path, start_seconds), log_path)
            with server.client:
                yield server


@contextlib.contextmanager
def _process(options: list[str], log_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The server's process, which ends when the pipe to it is closed, be it by our own end."""
    # -P: modules of the folder that the tests are in do not stand in for the server's.
    command = [sys.executable, "-P", "-m", "treadle.attended", *options]
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603, our own program
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # An interrupt from the keyboard is for the tests, which then stop their servers.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # Its workers too.
            os.killpg(process.pid, signal.SIGKILL)
        # Closes the pipe as well.
        process.communicate()


def _wait_until_healthy(
    process: subprocess.Popen[bytes], log_path: Path, start_seconds: float
) -> str:
    deadline = stopwatch() + start_seconds
    while process.poll() is None:
        if stopwatch() > deadline:
            raise StartFailed(f"no answer within {start_seconds:g} s:\n{_tail(log_path)}")
        found = _ADDRESS.search(log_path.read_text(errors="replace"))
        if found and _is_healthy(found[1]):
            return found[1]
        time.sleep(_LOOK_SECONDS)
    code = process.returncode
    raise StartFailed(f"`treadle serve` ended with exit code {code}:\n{_tail(log_path)}")


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2.0, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _tail(log_path: Path) -> str:
    return log_path.read_text(errors="replace")[-_LOG_TAIL:]
