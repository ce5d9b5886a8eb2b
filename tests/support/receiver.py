"""A receiver of webhooks on loopback: an HTTP server that keeps what it is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any

WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    began: float
    ended: float = field(compare=False, default=0.0)

    @property
    def event_id(self) -> str:
        return self.headers["Treadle-Event-Id"]

    @property
    def signature(self) -> str:
        return self.headers["Plaid-Verification"]


# What a receiver answers: a status, perhaps after a while.
Answer = Callable[[Received], int]


class Receiver:
    """Answers 200 unless `answer` is set, over TLS where there is a context.

    As a context manager it closes at the end.
    """

    def __init__(self, answer: Answer | None = None, tls: SSLContext | None = None) -> None:
        self.answer: Answer = answer or (lambda received: 200)
        self.received: list[Received] = []
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Heads and bodies leave together.
            wbufsize = -1

            def do_POST(self) -> None:
                receiver._take(self)

            do_GET = do_POST

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *args: Any) -> None:
                """Senders leave when they lose patience."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, handler: BaseHTTPRequestHandler) -> None:
        began = time.monotonic()
        body = handler.rfile.read(int(handler.headers["Content-Length"] or 0))
        received = Received(handler.path, dict(handler.headers), body, began)
        status = self.answer(received)
        handler.send_response(status)
        if 300 <= status < 400:
            handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        ended = Received(handler.path, received.headers, body, began, time.monotonic())
        with self._changed:
            self.received.append(ended)
            self._changed.notify_all()

    def wait(self, count: int, seconds: float = WAIT_SECONDS) -> list[Received]:
        """What has come, once it is this much."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.received) >= count, seconds)
            assert arrived, f"{len(self.received)} webhooks came instead of {count}"
            return list(self.received)
