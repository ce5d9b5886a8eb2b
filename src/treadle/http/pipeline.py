"""The stages that every request passes, in the order they are written in `Pipeline.answer`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from treadle import ids
from treadle.call import ClientCall, OpenCall, Services
from treadle.clock import stopwatch
from treadle.http import errors
from treadle.http.credentials import Credentials, authenticate
from treadle.http.errors import ApiError
from treadle.http.headers import API_VERSION, HostCheck, check_content
from treadle.http.limits import Disconnected, Load, Receive, read_body
from treadle.http.routing import Routes
from treadle.log import AccessLog
from treadle.operations import Implementation
from treadle.store.change import GuardFailed

Send = Callable[[dict[str, Any]], Awaitable[None]]
Scope = dict[str, Any]

_ATTEMPTS = 3
_HEADERS = [
    (b"content-type", b"application/json; charset=utf-8"),
    (b"plaid-version", API_VERSION.encode()),
    (b"x-content-type-options", b"nosniff"),
]

error_log = logging.getLogger("treadle.error")


class Pipeline:
    """Answers the operations of the API."""

    def __init__(self, services: Services, implemented: dict[str, Implementation]) -> None:
        settings = services.settings
        self._services = services
        self._routes = Routes(implemented, sandbox=settings.sandbox)
        guarded = settings.sandbox and answers_on_loopback(settings.host)
        self._hosts = HostCheck(settings.allowed_hosts if guarded else None)
        self._load = Load(settings.max_requests_in_flight)
        self._access_log = AccessLog()
        self._encode = msgspec.json.Encoder().encode
        # With a seed requests take turns, for those of a client all draw on the same counter.
        self._turn = None if settings.seed is None else asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: answer it, or answer the error that came up, and log a line."""
        started = stopwatch()
        request_id = ids.request_id()
        status, code = 200, "-"
        try:
            body = await self.answer(scope, receive, request_id)
        except Disconnected:
            return
        except ApiError as error:
            status, code = error.kind.status, error.kind.error_code
            body = self._encode(error.body(request_id))
        except Exception:
            error_log.exception("request %s failed", request_id)
            kind = errors.INTERNAL_SERVER_ERROR
            status, code = kind.status, kind.error_code
            body = self._encode(kind().body(request_id))
        await send_json(send, status, body)
        milliseconds = (stopwatch() - started) * 1_000
        self._access_log.write(scope, status, code, milliseconds, request_id)

    def close(self) -> None:
        """Write what is still to be logged."""
        self._access_log.flush()

    async def answer(self, scope: Scope, receive: Receive, request_id: str) -> bytes:
        """The stages, in order. Each may end the request by raising ApiError."""
        with self._load:
            body = await read_body(receive, self._services.settings.max_body_bytes)
            headers = dict(scope["headers"])
            self._hosts.check(headers)
            implementation = self._routes.find(scope["method"], scope["path"])
            check_content(headers)
            credentials = Credentials.from_headers(headers)
            needed = credentials.needed_in_body() if implementation.gate.needs_client else []
            request = implementation.decoder.decode(body, needed)
            if implementation.gate.needs_client:
                credentials = credentials.completed_from(request)
            if self._turn is None:
                return await self._run(implementation, request, credentials, request_id)
            async with self._turn:
                return await self._run(implementation, request, credentials, request_id)

    async def _run(
        self,
        implementation: Implementation,
        request: msgspec.Struct,
        credentials: Credentials,
        request_id: str,
    ) -> bytes:
        """Gate, handler and commit; again when the world moved between reading and writing."""
        for _ in range(_ATTEMPTS):
            call = await self._call(implementation, credentials, request_id)
            opened = await implementation.gate.open(call, request, implementation.path)
            try:
                response = await implementation.handler(opened, request)
                answer = self._encode(response)
                if opened.change:
                    await opened.commit()
            except GuardFailed:
                continue
            return answer
        raise errors.RATE_LIMIT()

    async def _call(
        self, implementation: Implementation, credentials: Credentials, request_id: str
    ) -> OpenCall:
        services = self._services
        now = services.clock.now()
        if not implementation.gate.needs_client:
            return OpenCall(services, request_id, now)
        client = await authenticate(services.store, services.keys, credentials)
        return ClientCall(services, request_id, now, client)


def answers_on_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    return host in ("localhost", "::1") or host.startswith("127.")


async def send_json(send: Send, status: int, body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    headers = [*_HEADERS, length]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
