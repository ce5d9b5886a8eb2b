"""One line per request on standard error, in colour on a terminal alone, and failures in full."""

from __future__ import annotations

import asyncio
import logging
import sys
from functools import lru_cache

from treadle.clock import wall_second, wall_text
from treadle.recording.exchange import Exchange

_GREEN, _YELLOW, _RED, _RESET = "\033[32m", "\033[33m", "\033[31m", "\033[0m"
_MAX_PATH_LENGTH = 200
_GATHER_SECONDS = 0.02


class AccessLog:
    """Writes a line for each request: time, method, path, status, code, duration, request id.

    The logging module takes as long over a line as the whole of a redeem takes otherwise, and so
    does a system call for each, so lines are gathered for a moment and written together.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._stream = sys.stderr
        self._colour = sys.stderr.isatty()
        self._second = 0
        self._time = ""

    def write(self, exchange: Exchange) -> None:
        second = wall_second()
        if second != self._second:
            self._second, self._time = second, wall_text(second)
        line = (
            f"{self._time} {exchange.method} {_shown(exchange.path)} {exchange.status or '000'} "
            f"{exchange.error_code or '-'} {exchange.milliseconds:.1f}ms {exchange.request_id}"
        )
        if self._colour:
            colour = _GREEN if exchange.status < 400 else _YELLOW
            colour = _RED if exchange.status >= 500 else colour
            line = f"{colour}{line}{_RESET}"
        if not self._lines:
            asyncio.get_running_loop().call_later(_GATHER_SECONDS, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        if self._lines:
            self._lines.append("")
            self._stream.write("\n".join(self._lines))
            self._stream.flush()
            self._lines.clear()


@lru_cache(maxsize=512)
def _shown(path: str) -> str:
    """The caller's path, escaped so that it cannot forge a line of its own."""
    return ascii(path[:_MAX_PATH_LENGTH])[1:-1]


def configure_logging() -> None:
    """Send failures to standard error."""
    logger = logging.getLogger("treadle")
    if logger.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
