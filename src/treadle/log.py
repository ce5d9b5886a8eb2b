"""One line per request on standard error, in colour on a terminal alone, and failures in full."""

from __future__ import annotations

import asyncio
import logging
import sys
from functools import lru_cache

import msgspec

from treadle.clock import wall_second, wall_text
from treadle.recording.current import REQUEST_ID
from treadle.recording.exchange import Exchange
from treadle.settings import LogFormat

_GREEN, _YELLOW, _RED, _RESET = "\033[32m", "\033[33m", "\033[31m", "\033[0m"
_MAX_PATH_LENGTH = 200
_GATHER_SECONDS = 0.02


class AccessLog:
    """Writes a line for each request: time, method, path, status, code, duration, request id.

    The logging module takes as long over a line as the whole of a redeem takes otherwise, and so
    does a system call for each, so lines are gathered for a moment and written together.
    """

    def __init__(self, log_format: LogFormat) -> None:
        self._json = log_format == "json"
        self._lines: list[str] = []
        self._stream = sys.stderr
        self._colour = sys.stderr.isatty()
        self._second = 0
        self._time = ""

    def write(self, exchange: Exchange) -> None:
        second = wall_second()
        if second != self._second:
            self._second, self._time = second, wall_text(second)
        line = self._as_json(exchange) if self._json else self._as_text(exchange)
        if not self._lines:
            asyncio.get_running_loop().call_later(_GATHER_SECONDS, self.flush)
        self._lines.append(line)

    def _as_json(self, exchange: Exchange) -> str:
        fields = {
            "time": self._time,
            "level": "info",
            "event": "request",
            "method": exchange.method,
            "path": exchange.path[:_MAX_PATH_LENGTH],
            "status": exchange.status,
            "error_code": exchange.error_code,
            "milliseconds": round(exchange.milliseconds, 1),
            "request_id": exchange.request_id,
            "client_id": exchange.client.client_id if exchange.client is not None else None,
        }
        return msgspec.json.encode(fields).decode()

    def _as_text(self, exchange: Exchange) -> str:
        line = (
            f"{self._time} {exchange.method} {_shown(exchange.path)} {exchange.status or '000'} "
            f"{exchange.error_code or '-'} {exchange.milliseconds:.1f}ms {exchange.request_id}"
        )
        if self._colour:
            colour = _GREEN if exchange.status < 400 else _YELLOW
            colour = _RED if exchange.status >= 500 else colour
            line = f"{colour}{line}{_RESET}"
        return line

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


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": self.formatTime(record, self.datefmt),
            "level": record.levelname.lower(),
            "event": record.name,
            "message": record.getMessage(),
            "request_id": REQUEST_ID.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields).decode()


def configure_logging(log_format: LogFormat) -> None:
    """Send failures, and warnings of the server that carries ours, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    kind = _JsonFormatter if log_format == "json" else logging.Formatter
    handler.setFormatter(kind("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    for name, level in (("treadle", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
