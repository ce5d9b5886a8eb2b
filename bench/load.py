"""Making load with wrk, and what came of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from statistics import median

import msgspec

from bench.servers import BenchError, Server

CONNECTIONS = 32
THREADS = 2
_SCRIPT = Path(__file__).parent / "load.lua"


class Target(msgspec.Struct, frozen=True):
    """What to send: bodies, one per line, to one path."""

    path: str
    bodies: Path
    headers: dict[str, str]

    def first_body(self) -> bytes:
        with self.bodies.open("rb") as stream:
            return stream.readline().strip()


class _Summary(msgspec.Struct):
    requests: int
    # How long the load lasted.
    microseconds: int
    # The 99th percentile of the latency, in microseconds.
    p99: int
    # Answers with another status than success, and trouble with connections.
    refused: int
    broken: int


class Load(msgspec.Struct):
    """One run's figures, or the medians of several."""

    per_second: float
    p99_milliseconds: float
    cpu_microseconds: float
    # What went wrong; empty when nothing did.
    trouble: str = ""


def run(server: Server, target: Target, seconds: int) -> Load:
    """Load a server for some seconds."""
    before = server.cpu_seconds()
    summary = _wrk(server.port, target, seconds)
    used = server.cpu_seconds() - before
    trouble = ""
    if summary.refused or summary.broken or not summary.requests:
        trouble = f"{summary.refused} refused, {summary.broken} broken of {summary.requests}"
    return Load(
        per_second=summary.requests / summary.microseconds * 1e6,
        p99_milliseconds=summary.p99 / 1e3,
        cpu_microseconds=used / max(summary.requests, 1) * 1e6,
        trouble=trouble,
    )


def middle(loads: list[Load]) -> Load:
    """The medians; trouble in one run is trouble in all."""
    return Load(
        per_second=median(load.per_second for load in loads),
        p99_milliseconds=median(load.p99_milliseconds for load in loads),
        cpu_microseconds=median(load.cpu_microseconds for load in loads),
        trouble=next((load.trouble for load in loads if load.trouble), ""),
    )


def _wrk(port: int, target: Target, seconds: int) -> _Summary:
    program = shutil.which("wrk")
    if program is None:
        raise BenchError("wrk is missing; on Debian and Ubuntu: apt-get install wrk")
    command = [program, f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT)]
    command += [f"http://127.0.0.1:{port}{target.path}", "--", str(target.bodies)]
    for name, value in target.headers.items():
        command += [name, value]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise BenchError(f"wrk failed: {done.stdout}{done.stderr}")
    return msgspec.json.decode(lines[-1], type=_Summary)
