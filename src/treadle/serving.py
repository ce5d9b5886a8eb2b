"""Running the application under uvicorn, in this process or in several."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import msgspec
import uvicorn
from uvicorn.supervisors import Multiprocess

from treadle.app import WORKER_SETTINGS, Application
from treadle.http.protocol import JoiningProtocol
from treadle.settings import Settings

_KEEP_ALIVE_SECONDS = 75
# How long a worker may take to start, or to say that it is alive.
_WORKER_SECONDS = 10


def open_listener(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything else so that a taken port is said at once."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.ClickException(
            f"cannot listen on {host}:{port} ({reason}). Is another server running there? "
            "Choose another port with --port."
        ) from None
    listener.set_inheritable(True)
    return listener


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve until told to stop; requests in flight are finished first."""
    common: dict[str, Any] = {
        "lifespan": "on",
        "access_log": False,
        "proxy_headers": False,
        "log_config": None,
        "log_level": "warning",
        "server_header": False,
        "date_header": True,
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": settings.stop_seconds,
        "timeout_worker_healthcheck": _WORKER_SECONDS,
        "loop": "uvloop",
        "http": JoiningProtocol,
        "ws": "none",
        "ssl_certfile": settings.tls_certificate,
        "ssl_keyfile": settings.tls_key,
    }
    # uvicorn raises the signal that stopped it once more after its orderly stop. By then it has
    # been dealt with, and the program ends as one that did what it was told.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with _answering_metrics(settings):
        if settings.workers == 1:
            server = uvicorn.Server(uvicorn.Config(Application(settings), **common))
            server.run(sockets=[listener])
            return
        # Workers are new processes: they read their settings from a variable of their own.
        os.environ[WORKER_SETTINGS] = msgspec.json.encode(settings, enc_hook=str).decode()
        config = uvicorn.Config(
            "treadle.app:from_environment", factory=True, workers=settings.workers, **common
        )
        _Workers(config, sockets=[listener]).run()


@contextlib.contextmanager
def _answering_metrics(settings: Settings) -> Iterator[None]:
    """With a listener for those who fetch metrics, if that is wanted."""
    if settings.metrics_port is None:
        yield
        return
    with TemporaryDirectory(prefix="treadle-metrics-") as folder:
        # The library looks here, when it is imported, for where to leave what is counted.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from treadle.metrics.listener import answer

        answer(settings.metrics_host, settings.metrics_port, Path(folder))
        yield


class _Workers(Multiprocess):
    """The processes that serve; SIGHUP replaces them, each once its successor serves."""

    def terminate_all(self) -> None:
        super().terminate_all()
        # While this is open, connections are taken that no worker will serve.
        for listener in self.sockets:
            listener.close()
