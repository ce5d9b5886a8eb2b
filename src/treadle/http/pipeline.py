"""The stages that every request passes, in the order they are written in `Pipeline.answer`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from treadle import ids
from treadle.call import ClientCall, OpenCall, Services
from treadle.clients import Client, leave_former_pepper
from treadle.clock import stopwatch
from treadle.faults.rules import Moment
from treadle.faults.striking import DROPPED, Dropped, Faults
from treadle.http import errors
from treadle.http.credentials import Credentials, authenticate, known_client
from treadle.http.encoding import AnswerEncoder
from treadle.http.errors import ApiError
from treadle.http.headers import API_VERSION, HostCheck, answers_on_loopback, check_content
from treadle.http.limits import REVOCATIONS, BodyStream, Disconnected, Load, Receive, read_body
from treadle.http.protocol import ANSWER, DROP
from treadle.http.rates import RateLimits
from treadle.http.routing import OWN_PREFIX, Routes
from treadle.idempotency.once import Once, Repeated
from treadle.log import AccessLog
from treadle.operations import Implementation
from treadle.recording.current import REQUEST_ID
from treadle.recording.exchange import Exchange
from treadle.store.change import GuardFailed, StoreBusy
from treadle.store.urgency import URGENT

Send = Callable[[dict[str, Any]], Awaitable[None]]
Scope = dict[str, Any]

_ATTEMPTS = 3
# Each reads ahead by a few megabytes.
_MOST_STREAMS = 4
# With a seed every request of a client moves its counter, in each worker one at a time.
_ATTEMPTS_WITH_SEED = 30
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
        self.hosts = HostCheck(settings.allowed_hosts if guarded else None)
        self._load = Load(settings.max_requests_in_flight)
        self._streams = Load(_MOST_STREAMS)
        self._access_log = AccessLog(settings.log_format)
        self._metrics = services.metrics
        limited = not settings.sandbox if settings.rate_limits is None else settings.rate_limits
        self._rates = RateLimits(sandbox=settings.sandbox) if limited else None
        self._encode = AnswerEncoder().encode
        self._sandbox = settings.sandbox
        self._requests = services.requests
        self._faults = Faults(services)
        # With a seed, what a client and its partners ask for takes turns, for all of it draws on
        # the same counter.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: answer it, or answer the error that came up, and log a line."""
        started = stopwatch()
        exchange = Exchange(scope["method"], scope["path"], ids.request_id())
        REQUEST_ID.set(exchange.request_id)
        try:
            exchange.answer = await self.answer(scope, receive, exchange)
        except Disconnected:
            return
        except Repeated as repeated:
            exchange.answer = [repeated.answer]
        except Dropped:
            exchange.status, exchange.error_code = 0, DROPPED
        except ApiError as error:
            exchange.fail(error)
        except StoreBusy as error:
            error_log.warning("request %s was shed: %s", exchange.request_id, error)
            exchange.fail(errors.RATE_LIMIT())
        except Exception:
            error_log.exception("request %s failed", exchange.request_id)
            exchange.fail(errors.INTERNAL_SERVER_ERROR())
        if exchange.error_code is DROPPED:
            await send(DROP)
        else:
            await send_json(send, exchange.status, exchange.answer)
        self._note(exchange, started)

    async def perform(self, exchange: Exchange) -> bytes:
        """Answer a call that is made in this process, for its `caller` and without credentials.

        It is decoded, gated, kept and recorded like any other.
        """
        started = stopwatch()
        try:
            with self._load:
                implementation = self._routes.find(exchange.method, exchange.path)
                request = implementation.decoder.decode(exchange.given, [])
                exchange.answer = await self._serve(implementation, request, exchange)
        except Dropped:
            exchange.status, exchange.error_code = 0, DROPPED
        except ApiError as error:
            exchange.fail(error)
        # The log of requests may shorten it.
        answer = b"".join(exchange.answer)
        self._note(exchange, started)
        return answer

    def _note(self, exchange: Exchange, started: float) -> None:
        exchange.milliseconds = (stopwatch() - started) * 1_000
        self._access_log.write(exchange)
        if self._metrics is not None:
            self._metrics.request_ended(exchange)
        if self._requests is not None:
            self._requests.note(exchange)

    def in_flight(self) -> int:
        return self._load.in_flight

    def close(self) -> None:
        """Write what is still to be logged."""
        self._access_log.flush()

    async def answer(self, scope: Scope, receive: Receive, exchange: Exchange) -> list[bytes]:
        """The stages, in order. Each may end the request by raising ApiError."""
        known = self._routes.look_up(exchange.method, exchange.path)
        if known is not None:
            exchange.operation = known.path
        urgent = exchange.path in REVOCATIONS
        URGENT.set(urgent)
        with self._load.room(urgent=urgent):
            if known is not None and known.streams:
                return await self._answer_stream(known, scope, receive, exchange)
            larger = known.max_body_bytes if known is not None else None
            limit_bytes = larger or self._services.settings.max_body_bytes
            exchange.given = await read_body(receive, limit_bytes)
            headers = dict(scope["headers"])
            self.hosts.check(headers)
            credentials = exchange.credentials = Credentials.from_headers(headers)
            implementation = known or self._routes.find(exchange.method, exchange.path)
            if implementation.method == "POST":
                check_content(headers)
            else:
                exchange.given, exchange.in_query = scope["query_string"], True
            needed = credentials.needed_in_body() if implementation.gate.needs_client else []
            request = implementation.decoder.decode(exchange.given, needed)
            if implementation.gate.needs_client:
                exchange.credentials = credentials.completed_from(request)
            if implementation.repeatable_for:
                life = implementation.repeatable_for
                exchange.once = Once.of(headers, implementation.path, request, life)
            return await self._serve(implementation, request, exchange)

    async def _serve(
        self, implementation: Implementation, request: msgspec.Struct, exchange: Exchange
    ) -> list[bytes]:
        """From the gate to the commit."""
        opened = await self._open(implementation, request, exchange)
        if self._rates is not None and isinstance(opened, ClientCall):
            client_id, item_id = opened.client.client_id, opened.reached.item_id
            self._rates.check(implementation.path, client_id, item_id)
        if isinstance(opened, ClientCall) and (
            opened.client.faults
            or implementation.replaces_world
            or self._services.worlds.is_seeded(opened.owner)
        ):
            return await self._run_in_world(implementation, request, exchange, opened)
        return await self._run(implementation, request, exchange, opened)

    async def _answer_stream(
        self, implementation: Implementation, scope: Scope, receive: Receive, exchange: Exchange
    ) -> list[bytes]:
        """The same where the body is read as it comes: the handler keeps it bit by bit, and so
        runs once. The credentials are in the headers."""
        headers = dict(scope["headers"])
        self.hosts.check(headers)
        check_content(headers, (implementation.streams or "").encode())
        exchange.given, exchange.in_query = scope["query_string"], True
        credentials = Credentials.from_headers(headers)
        request = implementation.decoder.decode(exchange.given, credentials.needed_in_body())
        exchange.credentials = credentials
        limit_bytes = implementation.max_body_bytes or self._services.settings.max_body_bytes
        with self._streams.room(urgent=False):
            opened = await self._open(implementation, request, exchange)
            opened.body = BodyStream(receive, limit_bytes)
            return self._encode(await implementation.handler(opened, request))

    async def _run_in_world(
        self,
        implementation: Implementation,
        request: msgspec.Struct,
        exchange: Exchange,
        opened: ClientCall,
    ) -> list[bytes]:
        """For a client that has faults, on the data of one that has a seed, or on its whole."""
        path, owner = implementation.path, opened.owner
        faulty = opened.client.faults and self._sandbox and not path.startswith(OWN_PREFIX)
        if faulty:
            await self._faults.strike(opened, request, Moment.BEFORE, exchange)
        # After a wait all is read anew.
        in_turn = implementation.takes_turn and self._services.worlds.is_seeded(owner)
        if in_turn or implementation.replaces_world:
            async with self._turns.setdefault(owner.client_id, asyncio.Lock()):
                exchange.answer = await self._run(
                    implementation, request, exchange, attempts=_ATTEMPTS_WITH_SEED
                )
        else:
            exchange.answer = await self._run(implementation, request, exchange)
        if faulty:
            await self._faults.strike(opened, request, Moment.AFTER, exchange)
        return exchange.answer

    async def _run(
        self,
        implementation: Implementation,
        request: msgspec.Struct,
        exchange: Exchange,
        opened: OpenCall | None = None,
        attempts: int = _ATTEMPTS,
    ) -> list[bytes]:
        """Handler and commit; from the gate again when the world moved before the commit."""
        for _ in range(attempts):
            opened = opened or await self._open(implementation, request, exchange)
            try:
                response = await implementation.handler(opened, request)
                answer = self._encode(opened.shown(response))
                if exchange.once is not None and isinstance(opened, ClientCall):
                    opened.settle(response)
                if opened.change:
                    await opened.commit()
                else:
                    await opened.check_world()
            except GuardFailed:
                opened = None
                continue
            await opened.put_on_record(implementation.path)
            opened.note_answered()
            return answer
        raise errors.RATE_LIMIT()

    async def _open(
        self, implementation: Implementation, request: msgspec.Struct, exchange: Exchange
    ) -> OpenCall:
        """The call that the gate lets through. Raises ApiError when it does not."""
        services, gate = self._services, implementation.gate
        client = await self._caller(exchange) if gate.needs_client else None
        if client is None:
            call = OpenCall(services, exchange.request_id, services.clock.now())
        else:
            exchange.client = client
            now = services.worlds.now(client)
            if exchange.credentials is not None and exchange.credentials.secret is not None:
                secret = exchange.credentials.secret
                await leave_former_pepper(services.store, services.keys, client, secret, now)
            call = client_call = ClientCall(services, exchange.request_id, now, client)
            client_call.token_digest = exchange.token_digest
            if exchange.once is not None:
                await exchange.once.check(client_call)
                client_call.once = exchange.once
        opened = await gate.open(call, request, implementation.path)
        exchange.allowed = True
        return opened

    async def _caller(self, exchange: Exchange) -> Client | None:
        """Who calls. Raises ApiError when that is nobody who may."""
        store, keys = self._services.store, self._services.keys
        if exchange.caller is not None:
            return await known_client(store, exchange.caller)
        if exchange.credentials is None:
            return None
        return await authenticate(store, keys, exchange.credentials)


async def send_json(send: Send, status: int, pieces: list[bytes]) -> None:
    length = (b"content-length", str(sum(map(len, pieces))).encode())
    headers = [*_HEADERS, length]
    await send({"type": ANSWER, "status": status, "headers": headers, "pieces": pieces})
