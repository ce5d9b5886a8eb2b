"""The log of requests: gathered in memory, and written to the table a little later.

Noting a request costs an entry of a list. What costs more, decoding and masking and writing, comes
after the answer, in batches, and takes a small share of the time however many requests there are:
of each client only the newest are ever kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from treadle.clients import CLIENT
from treadle.clock import wall_instant
from treadle.http.credentials import Credentials, authenticate
from treadle.http.errors import ApiError
from treadle.keys import Keys
from treadle.recording.exchange import Exchange
from treadle.recording.masking import Masker, decode
from treadle.recording.rows import DELETE_OLD, INSERT_REQUEST
from treadle.store.change import Change, Store

# Looking at what happened is nothing that happened.
_LOOKS = ("/treadle/sandbox/requests", "/treadle/webhooks/get")
_SOON_SECONDS = 0.2
# How long to rest for each request that was written, which takes about a hundredth of that.
_REST_SECONDS = 0.008
# So many are written together; more would keep others waiting.
_SLICE = 20
# Longer bodies are told of by their size alone.
_MAX_BODY_BYTES = 16_384
_MAX_TEXT_LENGTH = 200


class RequestLog:
    def __init__(self, store: Store, keys: Keys, kept: int) -> None:
        """`kept` is how many requests of each client are kept; with zero none is."""
        self._store = store
        self._keys = keys
        self._kept = kept
        # By client, and under the empty text those whose caller is yet to be found out.
        self._noted: dict[str, deque[Exchange]] = {}
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._turn = asyncio.Lock()

    def note(self, exchange: Exchange) -> None:
        """Remember an exchange that is over."""
        if not self._kept or exchange.path in _LOOKS:
            return
        client_id = exchange.client.client_id if exchange.client is not None else ""
        noted = self._noted.get(client_id)
        if noted is None:
            noted = self._noted[client_id] = deque(maxlen=self._kept)
        exchange.given = _shortened(exchange.given)
        exchange.answer = [_shortened(*exchange.answer)]
        exchange.answered_at = wall_instant()
        noted.append(exchange)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_later())

    async def flush(self) -> int:
        """Write what has been noted so far; answers how much that was."""
        async with self._turn:
            noted, self._noted = self._noted, {}
            count = sum(map(len, noted.values()))
            for exchange in noted.pop("", ()):
                client_id = await self._caller(exchange)
                if client_id is not None:
                    noted.setdefault(client_id, deque(maxlen=self._kept)).append(exchange)
            for client_id, exchanges in noted.items():
                await self._write(client_id, exchanges)
            return count

    async def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        if self._writing is not None:
            await self._writing

    async def _write_later(self) -> None:
        rest = _SOON_SECONDS
        try:
            while self._noted:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), rest)
                rest = max(_SOON_SECONDS, await self.flush() * _REST_SECONDS)
        finally:
            self._writing = None

    async def _caller(self, exchange: Exchange) -> str | None:
        """Who made a call that failed before its credentials were looked at, if they are right."""
        body = decode(exchange.given)
        given = body if isinstance(body, dict) else {}
        header = exchange.credentials
        client_id = (header and header.client_id) or given.get("client_id")
        secret = (header and header.secret) or given.get("secret")
        if not isinstance(client_id, str) or not isinstance(secret, str) or "\0" in client_id:
            return None
        try:
            await authenticate(self._store, self._keys, Credentials(client_id, secret))
        except ApiError:
            return None
        return client_id

    async def _write(self, client_id: str, exchanges: Iterable[Exchange]) -> None:
        client = await self._store.first(CLIENT, client_id=client_id)
        if client is None or client.removed_at is not None:
            return
        left = list(exchanges)
        while left:
            some, left = left[:_SLICE], left[_SLICE:]
            change = Change()
            rows = [{"client_id": client_id, **_row(exchange)} for exchange in some]
            change.write_many(INSERT_REQUEST, rows)
            if not left:
                change.write(DELETE_OLD, rows=None, the_client_id=client_id, kept=self._kept)
            await self._store.commit(change)


def _shortened(*pieces: bytes) -> bytes:
    length = sum(map(len, pieces))
    if length <= _MAX_BODY_BYTES:
        return b"".join(pieces)
    return b'{"left_out":"%d bytes"}' % length


def _row(exchange: Exchange) -> dict[str, Any]:
    given, answer = _decode_given(exchange), decode(b"".join(exchange.answer))
    secret = exchange.credentials.secret if exchange.credentials is not None else None
    masker = Masker((given, answer), (secret,))
    return {
        "answered_at": exchange.answered_at,
        "request_id": exchange.request_id,
        "method": exchange.method,
        "path": _short(masker.text(exchange.path)),
        "status": exchange.status,
        "error_code": exchange.error_code,
        "microseconds": round(exchange.milliseconds * 1_000),
        "decision": exchange.decision,
        # It may repeat what was given.
        "reason": exchange.reason and _short(masker.text(exchange.reason)),
        "fault_id": exchange.fault_id,
        "request": _encode(masker.body(given)),
        "response": _encode(masker.body(answer)),
    }


def _short(text: str) -> str:
    # PostgreSQL takes no NUL in a text.
    return text[:_MAX_TEXT_LENGTH].replace("\0", "\ufffd")


def _decode_given(exchange: Exchange) -> Any:
    if exchange.in_query:
        return dict(parse_qsl(exchange.given.decode(errors="replace"), keep_blank_values=True))
    return decode(exchange.given)


def _encode(body: Any) -> str | None:
    return None if body is None else msgspec.json.encode(body).decode()
