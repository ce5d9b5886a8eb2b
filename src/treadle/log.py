"""One log line per request, in colour on a terminal alone."""

from __future__ import annotations

import logging
import sys

_GREEN, _YELLOW, _RED, _RESET = "\033[32m", "\033[33m", "\033[31m", "\033[0m"


class _AccessFormatter(logging.Formatter):
    def __init__(self, *, colour: bool) -> None:
        super().__init__("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        if not self._colour or not isinstance(record.args, tuple) or len(record.args) < 3:
            return line
        status = record.args[2]
        if not isinstance(status, int):
            return line
        colour = _GREEN if status < 400 else _YELLOW if status < 500 else _RED
        return f"{colour}{line}{_RESET}"


def configure_logging() -> None:
    """Send requests and failures to standard error."""
    logger = logging.getLogger("treadle")
    if logger.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_AccessFormatter(colour=sys.stderr.isatty()))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # What a record says of threads and processes is never printed, and costs time to find out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
