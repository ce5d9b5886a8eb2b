"""A small HTTP/1.1 client: one request, one status, over connections that the egress rules allow.

A general client spends several times as long on each webhook, and judges no addresses;
`docs/decisions/webhook-delivery.md` has figures.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from functools import cached_property
from typing import NamedTuple

import httptools

from treadle.webhooks.egress import Address, Egress

# How long one address of several may take before the next one is tried.
_PATIENCE_SECONDS = 3.0
_MAX_ADDRESSES = 4
# A receiver must not have closed what is used again; the least patient ones wait two seconds.
_KEEP_ALIVE_SECONDS = 1.0
_MAX_IDLE = 64
# A connection is used again only when the whole answer was read, which must not take long.
_REST_SECONDS = 1.0
_MAX_ANSWER_BYTES = 65_536
_CHUNK_BYTES = 65_536


class Origin(NamedTuple):
    """Where a URL points. The name stays what TLS is for, whatever address it has."""

    secure: bool
    host: str
    port: int


class ConnectionFailed(Exception):
    """None of the receiver's addresses takes a connection."""


class ConnectionBroken(Exception):
    """The receiver left without an answer, or what it said is no HTTP."""


class Client:
    def __init__(self, egress: Egress, ssl_context: ssl.SSLContext | None) -> None:
        """Without a context, the authorities that this machine trusts are trusted."""
        self._egress = egress
        self._given_context = ssl_context
        self._idle: dict[Origin, list[_Connection]] = defaultdict(list)
        self._idle_count = 0

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        # Reading all authorities takes longer than many a start of a server.
        return self._given_context or ssl.create_default_context()

    async def exchange(self, origin: Origin, request: bytes) -> int:
        """Send a request, and return the status of the answer.

        Raises ConnectionFailed or ConnectionBroken, ssl.SSLError, or what the egress rules do.
        """
        connection = self._take(origin) or await self._connect(origin)
        reusable = False
        try:
            status = await connection.send(request)
            reusable = await connection.finish()
        finally:
            if reusable and self._idle_count < _MAX_IDLE:
                self._keep(origin, connection)
            else:
                connection.close()
        return status

    def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        self._idle_count = 0

    def _take(self, origin: Origin) -> _Connection | None:
        """A connection that was used before and is still good."""
        while self._idle[origin]:
            connection = self._idle[origin].pop()
            self._idle_count -= 1
            connection.expiry.cancel()
            if connection.alive:
                return connection
            connection.close()
        del self._idle[origin]
        return None

    def _keep(self, origin: Origin, connection: _Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.expiry = loop.call_later(_KEEP_ALIVE_SECONDS, self._drop, origin, connection)
        self._idle[origin].append(connection)
        self._idle_count += 1

    def _drop(self, origin: Origin, connection: _Connection) -> None:
        if connection in self._idle[origin]:
            self._idle[origin].remove(connection)
            self._idle_count -= 1
        if not self._idle[origin]:
            del self._idle[origin]
        connection.close()

    async def _connect(self, origin: Origin) -> _Connection:
        """A connection to the very address that was judged."""
        *others, last = (await self._egress.addresses(origin.host))[:_MAX_ADDRESSES]
        for address in others:
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    return await self._open(address, origin)
            except (TimeoutError, ConnectionFailed):
                continue
        return await self._open(last, origin)

    async def _open(self, address: Address, origin: Origin) -> _Connection:
        try:
            reader, writer = await asyncio.open_connection(
                str(address),
                origin.port,
                ssl=self._ssl_context if origin.secure else None,
                server_hostname=origin.host if origin.secure else None,
            )
        except ssl.SSLError:
            raise
        except OSError as error:
            raise ConnectionFailed from error
        return _Connection(reader, writer)


class _Connection:
    expiry: asyncio.TimerHandle

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = _Answer()

    @property
    def alive(self) -> bool:
        return not self._reader.at_eof() and not self._writer.is_closing()

    async def send(self, request: bytes) -> int:
        """Send a request, and read as far as the status."""
        self._answer = _Answer()
        self._writer.write(request)
        while self._answer.status is None:
            if not await self._read():
                raise ConnectionBroken
        return self._answer.status

    async def finish(self) -> bool:
        """Read the rest; whether the connection can be used again."""
        answer = self._answer
        try:
            async with asyncio.timeout(_REST_SECONDS):
                while not answer.complete and answer.size <= _MAX_ANSWER_BYTES:
                    if not await self._read():
                        return False
        except (TimeoutError, ConnectionBroken):
            return False
        return answer.keeps_alive

    def close(self) -> None:
        self._writer.close()

    async def _read(self) -> bool:
        """Whether there was more."""
        try:
            data = await self._reader.read(_CHUNK_BYTES)
            self._answer.parser.feed_data(data)
        except (OSError, httptools.HttpParserError) as error:
            raise ConnectionBroken from error
        return bool(data)


class _Answer:
    """What is known of an answer so far. The parser calls what begins with `on_`."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.status: int | None = None
        self.size = 0
        self.complete = False
        self.keeps_alive = False

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        # Those below 200 announce another one.
        if status >= 200:
            self.status = status

    def on_body(self, data: bytes) -> None:
        self.size += len(data)

    def on_message_complete(self) -> None:
        self.complete = self.status is not None
        self.keeps_alive = self.complete and self.parser.should_keep_alive()
