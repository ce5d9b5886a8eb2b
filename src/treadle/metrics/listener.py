"""Answering Prometheus, on a port of its own and for all workers together.

What each process counts it leaves in files of a folder that they share, which is how the library
reaches across processes. The first process reads them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import prometheus_client.multiprocess
from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.registry import Collector

_GAUGE_OF_PROCESS = re.compile(r"gauge_live\w+_(\d+)\.db")


def answer(host: str, port: int, folder: Path) -> None:
    """Begin to answer. Raises ClickException when the port cannot be had."""
    registry = CollectorRegistry()
    registry.register(_Processes(folder))
    try:
        start_http_server(port, host, registry)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen for metrics on {host}:{port} ({error.strerror or error}). "
            "Choose another port with --metrics-port."
        ) from None


class _Processes(Collector):
    """What all processes counted, with those that have ended; and what is so in the others."""

    def __init__(self, folder: Path) -> None:
        # The library leaves these without types.
        multiprocess: Any = prometheus_client.multiprocess
        self._merge: Callable[[list[str]], Iterable[Metric]]
        self._merge = multiprocess.MultiProcessCollector.merge
        self._mark_dead: Callable[[int, str], None] = multiprocess.mark_process_dead
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        for path in self._folder.glob("*.db"):
            match = _GAUGE_OF_PROCESS.fullmatch(path.name)
            if match and not _is_alive(int(match[1])):
                self._mark_dead(int(match[1]), str(self._folder))
        # One that a process is making just now is empty for a moment.
        return self._merge([str(path) for path in self._folder.glob("*.db") if _is_filled(path)])


def _is_filled(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
