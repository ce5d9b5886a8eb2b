"""Running the application under uvicorn, in this process or in several."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

import msgspec
import uvicorn
from uvicorn.supervisors import Multiprocess

from treadle.app import WORKER_SETTINGS, Application
from treadle.http.protocol import JoiningProtocol
from treadle.log import configure_logging
from treadle.settings import Settings

_KEEP_ALIVE_SECONDS = 75
_GRACEFUL_SECONDS = 20


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve until told to stop; requests in flight are finished first."""
    configure_logging()
    common: dict[str, Any] = {
        "lifespan": "on",
        "access_log": False,
        "proxy_headers": False,
        "log_level": "warning",
        "server_header": False,
        "date_header": True,
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": _GRACEFUL_SECONDS,
        "loop": "uvloop",
        "http": JoiningProtocol,
        "ws": "none",
    }
    # uvicorn raises the signal that stopped it once more after its orderly stop. By then it has
    # been dealt with, and the program ends as one that did what it was told.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    if settings.workers == 1:
        server = uvicorn.Server(uvicorn.Config(Application(settings), **common))
        server.run(sockets=[listener])
        return
    # Workers are new processes: they read their settings from a variable of their own.
    os.environ[WORKER_SETTINGS] = msgspec.json.encode(settings, enc_hook=str).decode()
    config = uvicorn.Config(
        "treadle.app:from_environment", factory=True, workers=settings.workers, **common
    )
    Multiprocess(config, sockets=[listener]).run()
