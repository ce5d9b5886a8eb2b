"""uvicorn's HTTP protocol, with the head and the body of an answer written together.

uvicorn checks every header of an answer, and writes the head and the body one after the other.
Treadle's headers need no check. uvloop makes a system call of each write at once; what is written
at the end of a turn leaves together, and so the next requests come together: they share a snapshot
and a commit.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

_LARGE_BYTES = 65_536


class JoiningProtocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_JoiningTransport(transport, self.loop))  # type: ignore[arg-type]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # The method that makes the cycle names its class, and does much else.
        cycle.__class__ = _JoiningCycle
        super()._start_asgi_task(cycle, app)


# What an application sends to close a connection without an answer.
DROP = {"type": "treadle.drop"}


class _JoiningCycle(RequestResponseCycle):
    """One request and its answer, of which the head is kept until the body comes."""

    _head: Any

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._head = message
        elif message is DROP:
            # uvicorn is told what the sender will see: that nobody is there.
            self.disconnected = True
            self.transport.close()
        elif self._is_usual(message):
            self._write(self._head, message["body"])
        else:
            await super().send(self._head)
            await super().send(message)

    def _is_usual(self, message: Any) -> bool:
        """Whether uvicorn would only write; it has a way with all else."""
        return (
            self.keep_alive
            and not self.disconnected
            and not self.flow.write_paused
            and self.scope["method"] == "POST"
            # With a failure of its own uvicorn closes the connection.
            and self._head["status"] < 500
            and not message.get("more_body")
        )

    def _write(self, head: Any, body: bytes) -> None:
        self.response_started = True
        pieces = [STATUS_LINE[head["status"]]]
        for name, value in (*self.default_headers, *head["headers"]):
            pieces += (name, b": ", value, b"\r\n")
        pieces.append(b"\r\n")
        if len(body) > _LARGE_BYTES:
            # Copying so much costs more than another piece does.
            self.transport.write(b"".join(pieces))
            self.transport.write(body)
        else:
            pieces.append(body)
            self.transport.write(b"".join(pieces))
        self.response_complete = True
        self.message_event.set()
        self.on_response()


class _JoiningTransport:
    """A transport that writes at the end of a turn of the event loop what was given in it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._transport.writelines(pieces)
