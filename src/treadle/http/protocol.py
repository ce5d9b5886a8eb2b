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
# How long an idle connection is kept once the server is told to stop.
_LINGER_SECONDS = 0.5


class JoiningProtocol(HttpToolsProtocol):
    # Whether this process has been told to stop.
    stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_JoiningTransport(transport, self.loop))  # type: ignore[arg-type]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # The method that makes the cycle names its class, and does much else.
        cycle.__class__ = _JoiningCycle
        if self.stopping:
            cycle.keep_alive = False
        super()._start_asgi_task(cycle, app)

    def shutdown(self) -> None:
        """Close the connection: after its answer, or once it has been idle for a moment more.

        Its sender may be writing a request just now, which closing at once would lose. What comes
        in that moment is answered, and its sender told to use another connection.
        """
        JoiningProtocol.stopping = True
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.loop.call_later(_LINGER_SECONDS, super().shutdown)
        else:
            super().shutdown()


# What the application may send beside the messages of ASGI: a whole answer with its body in pieces,
# and that the connection is to be closed without one.
ANSWER = "treadle.answer"
DROP = {"type": "treadle.drop"}


class _JoiningCycle(RequestResponseCycle):
    """One request and its answer."""

    async def send(self, message: Any) -> None:
        if message is DROP:
            # uvicorn is told what the sender will see: that nobody is there.
            self.disconnected = True
            self.transport.close()
        elif message["type"] != ANSWER:
            await super().send(message)
        elif self._is_usual(message):
            self._write(message)
        else:
            start: Any = {**message, "type": "http.response.start"}
            await super().send(start)
            body = b"".join(message["pieces"])
            await super().send({"type": "http.response.body", "body": body})

    def _is_usual(self, answer: Any) -> bool:
        """Whether uvicorn would only write; it has a way with all else."""
        return (
            self.keep_alive
            and not self.disconnected
            and not self.flow.write_paused
            and self.scope["method"] == "POST"
            # With a failure of its own uvicorn closes the connection.
            and answer["status"] < 500
        )

    def _write(self, answer: Any) -> None:
        self.response_started = True
        joined = [STATUS_LINE[answer["status"]]]
        for name, value in (*self.default_headers, *answer["headers"]):
            joined += (name, b": ", value, b"\r\n")
        joined.append(b"\r\n")
        for piece in answer["pieces"]:
            if len(piece) > _LARGE_BYTES:
                # Copying so much costs more than another piece does.
                self.transport.write(b"".join(joined))
                self.transport.write(piece)
                joined = []
            else:
                joined.append(piece)
        self.transport.write(b"".join(joined))
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
