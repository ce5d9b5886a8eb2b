"""Starting the servers to measure, asking /proc about them, and ending them by their ids."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parent.parent
_PATIENCE_SECONDS = 30
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """The benchmark cannot go on; the message says why."""


class Reply(msgspec.Struct):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A server process on a port of loopback."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self.port = _free_port()
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [argument.format(port=self.port) for argument in arguments],
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        self._log = log

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_SECONDS)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return Reply(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def wait(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """The first answer, however long the server takes to come up."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise BenchError(f"the server ended: {self._log.read_text()[-2_000:]}")
            try:
                return self.post(path, body, headers)
            except ConnectionRefusedError:
                time.sleep(0.002)
        raise BenchError("the server does not answer")

    def cpu_seconds(self) -> float:
        """The processor time that all threads of the process have used so far."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    def resident_megabytes(self) -> float:
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1_024
        raise BenchError("the server has no resident memory")

    def peak_megabytes(self) -> float:
        """The most memory that was ever resident."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1_024
        raise BenchError("the server never had resident memory")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def treadle(data: Path, log: Path) -> Server:
    program = str(Path(sys.executable).parent / "treadle")
    arguments = ["serve", "--data", str(data), "--port", "{port}"]
    return Server([program, *arguments], log)


def bare(answers: Path, log: Path) -> Server:
    return Server([sys.executable, "-m", "bench.bare", str(answers), "{port}"], log)


@contextlib.contextmanager
def ending(server: Server) -> Iterator[Server]:
    try:
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    """Ours, without what would change how a server runs, such as an unbuffered Python."""
    prefixes = ("PYTHON", "TREADLE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
