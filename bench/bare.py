"""The yardstick: an ASGI function that reads a request and answers recorded bytes, no more."""

from __future__ import annotations

import argparse
import signal
import socket
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Those that uvicorn adds by itself, to these answers as to Treadle's.
_ADDED_BY_UVICORN = ("date", "connection", "server")


class Answer(msgspec.Struct):
    """What Treadle answered at one path, in a form that JSON can hold."""

    headers: list[tuple[str, str]]
    body: str

    @classmethod
    def of(cls, headers: list[tuple[str, str]], body: bytes) -> Answer:
        kept = [(name, value) for name, value in headers if name.lower() not in _ADDED_BY_UVICORN]
        return cls(kept, b64encode(body).decode())


class Bare:
    def __init__(self, answers: dict[str, Answer]) -> None:
        self._messages = {path: _messages(answer) for path, answer in answers.items()}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        start, body = self._messages[scope["path"]]
        await send(start)
        await send(body)


def _messages(answer: Answer) -> tuple[dict[str, Any], dict[str, Any]]:
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    return (
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": b64decode(answer.body)},
    )


def serve(answers: Path, port: int) -> None:
    """Serve on loopback, under the settings that `treadle serve` gives uvicorn."""
    bare = Bare(msgspec.json.decode(answers.read_bytes(), type=dict[str, Answer]))
    config = uvicorn.Config(
        bare,
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        timeout_keep_alive=75,
        loop="uvloop",
        http="httptools",
        ws="none",
    )
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("answers", type=Path)
    parser.add_argument("port", type=int)
    arguments = parser.parse_args()
    serve(arguments.answers, arguments.port)


if __name__ == "__main__":
    main()
