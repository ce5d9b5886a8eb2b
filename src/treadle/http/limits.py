"""Bounds on what a request may bring and on how many are served at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from treadle.http import errors

Receive = Callable[[], Awaitable[dict[str, Any]]]

# A body over the limit is read to its end and thrown away, so that the connection stays usable;
# one over this is not worth the wait.
_DISCARD_LIMIT_BYTES = 64 * 1_048_576


# How long to wait for the next piece of a body that is read as it comes.
_PATIENCE_SECONDS = 60


class Disconnected(Exception):
    """The client went away before its request was complete."""


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The whole body. Raises ApiError when it is larger than the limit."""
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        body: bytes = message.get("body", b"")
        if len(body) <= limit_bytes:
            return body
    chunks: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit_bytes:
            chunks.append(chunk)
        if not message.get("more_body") or size > _DISCARD_LIMIT_BYTES:
            break
        message = await receive()
    if size > limit_bytes:
        raise errors.INVALID_BODY(problem=f"body is larger than {limit_bytes} bytes")
    return b"".join(chunks)


class BodyStream:
    """The body piece by piece, of an operation that takes more than fits in memory."""

    def __init__(self, receive: Receive, limit_bytes: int) -> None:
        self._receive = receive
        self._limit_bytes = limit_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Raises ApiError once it is larger than the limit."""
        size, more = 0, True
        while more:
            try:
                message = await asyncio.wait_for(self._receive(), _PATIENCE_SECONDS)
            except TimeoutError:
                raise Disconnected from None
            if message["type"] == "http.disconnect":
                raise Disconnected
            more = message.get("more_body", False)
            piece: bytes = message.get("body", b"")
            size += len(piece)
            if size > self._limit_bytes:
                raise errors.INVALID_BODY(problem=f"body is larger than {self._limit_bytes} bytes")
            yield piece


# They take access away, and so must work while all else is too much. A share of what is served at
# once is kept for them.
REVOCATIONS = frozenset(
    {
        "/item/access_token/invalidate",
        "/item/remove",
        "/processor/token/permissions/set",
        "/treadle/processor_token/give_back",
        "/treadle/processor_token/leaks/report",
        "/treadle/processor_token/revoke",
        "/user/remove",
    }
)
_RESERVED_SHARE = 8


class Load:
    """Counts the requests in flight, as a context manager around each, and sheds what is over."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._usual_limit = limit - limit // _RESERVED_SHARE
        self.in_flight = 0

    def room(self, *, urgent: bool) -> Load:
        """Raises ApiError when there is none."""
        if self.in_flight >= (self._limit if urgent else self._usual_limit):
            raise errors.RATE_LIMIT()
        return self

    def __enter__(self) -> None:
        self.in_flight += 1

    def __exit__(self, *_: object) -> None:
        self.in_flight -= 1
