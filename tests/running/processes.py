"""The processes of a server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.support.server import Server


def workers(server: Server) -> list[int]:
    """The processes that serve, without Python's own that keeps track of resources."""
    return [
        child.pid
        for child in psutil.Process(server.pid).children()
        if "resource_tracker" not in " ".join(_command(child.pid))
    ]


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ["resource_tracker"]


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.02)
