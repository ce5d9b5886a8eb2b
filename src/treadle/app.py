"""Putting the program together; nothing here decides anything."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from treadle.alarm import Alarm
from treadle.audit.reads import ReadLog
from treadle.bank.page import page_cache
from treadle.call import Services
from treadle.clients import CLIENT, NewClient, create_client
from treadle.clock import FixedClock, SystemClock
from treadle.faults.striking import Faults
from treadle.http.credentials import Credentials, authenticate
from treadle.http.errors import ApiError
from treadle.http.headers import answers_on_loopback
from treadle.http.limits import Receive
from treadle.http.oauth import answer_form, is_form
from treadle.http.pipeline import Pipeline, Scope, Send, send_json
from treadle.journal.file import find as find_journal
from treadle.journal.store import JournaledStore
from treadle.keys import load_keys
from treadle.operations import OWN, load_areas
from treadle.pages.later import Later, Site
from treadle.partners.stripe import StripeTokens
from treadle.readiness import READY, Readiness
from treadle.recording.log import RequestLog
from treadle.retention import Retention
from treadle.settings import SANDBOX_CLIENT_ID, SANDBOX_SECRET, Settings
from treadle.sources.sandbox.sandbox import SandboxSource
from treadle.sources.sources import Sources
from treadle.sources.stored.stored import StoredSource
from treadle.store.change import GuardFailed, Store
from treadle.store.opening import StoreError, database_url, open_store
from treadle.store.slow import Dialect, SlowLog
from treadle.store.sqlite import SqliteStore
from treadle.store.watched import Watch, WatchedStore
from treadle.tokens.usage import Usage
from treadle.webhooks.bell import Bell
from treadle.webhooks.delivery import Delivery
from treadle.webhooks.egress import Egress, anywhere, public_only
from treadle.webhooks.signing_keys import Signer
from treadle.worlds import Worlds

if TYPE_CHECKING:
    # What metrics need takes a while to import, and most servers need it not.
    from treadle.metrics.metrics import Metrics
    from treadle.metrics.sampling import Sampler

KEY_FILE = "keys.json"
JOURNAL_FILE = "revocations.jsonl"
_HEALTH = json.dumps({"status": "ok"}).encode()


class Application:
    """The ASGI application of one worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._implemented = load_areas()
        self._services: Services | None = None
        self._pipeline: Pipeline | None = None
        self._readiness: Readiness | None = None
        self._link_site: Later | None = None
        self._grants: Later | None = None
        self._console: Later | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and self._pipeline is not None:
            method, path = scope["method"], scope["path"]
            probe = path if method == "GET" else None
            if probe == "/healthz":
                await send_json(send, 200, [_HEALTH])
            elif probe == "/readyz" and self._readiness is not None:
                state = await self._readiness.state()
                body = json.dumps({"status": state}).encode()
                await send_json(send, 200 if state == READY else 503, [body])
            elif self._link_site is not None and method != "POST" and path.startswith("/link/"):
                await self._link_site(scope, receive, send)
            elif self._console is not None and f"{path}/".startswith("/console/"):
                await self._console(scope, receive, send)
            elif self._grants is not None and f"{path}/".startswith("/grants/"):
                await self._grants(scope, receive, send)
            elif is_form(scope):
                await answer_form(self._pipeline, scope, receive, send)
            else:
                await self._pipeline(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Open what is needed before the first request, and close it after the last one."""
        await receive()
        self._services = await open_services(self._settings)
        self._pipeline = Pipeline(self._services, self._implemented | OWN)
        self._readiness = Readiness(self._services.store)
        sampler = _sampler(self._services, self._pipeline)
        self._link_site = Later(partial(_link_site, self._settings, self._pipeline))
        self._grants = Later(partial(_grants_site, self._services, self._pipeline))
        # Where nobody but who is at this machine can reach it.
        if self._settings.sandbox and answers_on_loopback(self._settings.host):
            self._console = Later(partial(_console, self._services, self._pipeline))
        delivery = webhook_delivery(self._services)
        delivery.start()
        alarm = Alarm(self._services)
        alarm.start()
        retention = Retention(self._services)
        retention.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._pipeline.close()
        self._readiness.close()
        await retention.close()
        await alarm.close()
        await delivery.close()
        await self._services.usage.close()
        if self._services.reads is not None:
            await self._services.reads.close()
        if self._services.requests is not None:
            await self._services.requests.close()
        if sampler is not None:
            await sampler.close()
        await self._services.store.close()
        await send({"type": "lifespan.shutdown.complete"})


def _sampler(services: Services, pipeline: Pipeline) -> Sampler | None:
    if services.metrics is None:
        return None
    from treadle.metrics.sampling import Sampler

    sampler = Sampler(services.metrics, services.store, pipeline.in_flight)
    sampler.start()
    return sampler


async def open_services(settings: Settings) -> Services:
    """Raises KeyFileError, StoreError or JournalError when what it is to use cannot be used."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = load_keys(settings.data / KEY_FILE, settings.keys, settings.keys_command)
    metrics = _new_metrics() if settings.metrics_port is not None else None
    store = await open_store(
        database_url(settings.database, settings.data),
        keys,
        connections=settings.database_connections,
        timeout_seconds=settings.database_timeout_seconds,
    )
    store = _watched(store, settings, metrics)
    # A sandbox may be set back to when a token was good.
    journal = None if settings.sandbox else find_journal(settings.data / JOURNAL_FILE)
    if journal is not None:
        store = JournaledStore(store, journal)
    stored = StoredSource(store, keys)
    sources = Sources(stored, SandboxSource()) if settings.sandbox else Sources(stored)
    clock = SystemClock() if settings.clock is None else FixedClock(settings.clock)
    services = Services(
        settings=settings,
        store=store,
        keys=keys,
        clock=clock,
        worlds=Worlds(store, keys, clock, settings.seed, sandbox=settings.sandbox),
        sources=sources,
        stripe=StripeTokens(settings.stripe_url, settings.stripe_timeout_seconds),
        pages=page_cache(),
        signer=Signer(store, keys, settings.environment, settings.webhook_key_days),
        bell=Bell(),
        wakes=asyncio.Event(),
        usage=Usage(store),
        reads=_read_log(store, settings),
        requests=RequestLog(store, keys, settings.requests_kept) if settings.sandbox else None,
        metrics=metrics,
    )
    if settings.sandbox:
        await _make_ready_client(services)
    return services


def _link_site(settings: Settings, pipeline: Pipeline) -> Site:
    from treadle.link.pages.site import LinkSite

    return LinkSite(settings, pipeline)


def _grants_site(services: Services, pipeline: Pipeline) -> Site:
    from treadle.grants.site import GrantsSite

    return GrantsSite(services, pipeline)


def _console(services: Services, pipeline: Pipeline) -> Site:
    from treadle.console.site import Console

    return Console(services, pipeline)


def _read_log(store: Store, settings: Settings) -> ReadLog | None:
    mode = settings.audit_reads or ("off" if settings.sandbox else "batched")
    return None if mode == "off" else ReadLog(store, strict=mode == "strict")


def webhook_delivery(services: Services) -> Delivery:
    settings = services.settings
    rule = anywhere if settings.sandbox else public_only(settings.webhook_networks)
    return Delivery(
        services.store,
        services.keys,
        services.signer,
        services.bell,
        Egress(rule),
        now=services.worlds.now_of,
        strike=Faults(services).of_webhook,
        timeout_seconds=settings.webhook_timeout_seconds,
        settled=services.metrics.webhook_settled if services.metrics is not None else None,
    )


def _new_metrics() -> Metrics:
    from treadle.metrics.metrics import Metrics

    return Metrics()


def _watched(store: Store, settings: Settings, metrics: Metrics | None) -> Store:
    """The store, with those looking on that want to."""
    embedded = isinstance(store, SqliteStore)
    watches: list[Watch] = []
    if settings.slow_query_milliseconds is not None:
        dialect: Dialect = "sqlite" if embedded else "postgresql"
        watches.append(SlowLog(settings.slow_query_milliseconds, dialect))
    if metrics is not None:
        watches.append(metrics.database_called)
        if isinstance(store, SqliteStore):
            store.watch_batches(metrics.batch_committed)
    return WatchedStore(store, watches) if watches else store


async def _make_ready_client(services: Services) -> None:
    """The client whose credentials are published, in sandbox alone."""
    if await services.store.first(CLIENT, client_id=SANDBOX_CLIENT_ID) is not None:
        return
    ready = NewClient(client_id=SANDBOX_CLIENT_ID, secret=SANDBOX_SECRET, name="Sandbox")
    try:
        await create_client(services.store, services.keys, ready, services.clock.now())
    except GuardFailed:
        # Another worker made it first.
        return


async def refuse_published_secret(services: Services) -> None:
    """Raises StoreError when the credentials of a sandbox's ready client open this database."""
    published = Credentials(SANDBOX_CLIENT_ID, SANDBOX_SECRET)
    try:
        await authenticate(services.store, services.keys, published)
    except ApiError:
        return
    raise StoreError(
        f"a sandbox has used this database, and the secret of its {SANDBOX_CLIENT_ID} is "
        "published: use another database, or give that client a new secret by "
        f"`treadle client rotate-secret {SANDBOX_CLIENT_ID}`"
    )


def from_environment() -> Application:
    """The application of a worker process, which is handed its settings in one variable."""
    import os

    import msgspec

    from treadle.log import configure_logging

    text = os.environ[WORKER_SETTINGS]
    settings = msgspec.json.decode(text, type=Settings, dec_hook=_decode_path)
    configure_logging(settings.log_format)
    return Application(settings)


WORKER_SETTINGS = "TREADLE_WORKER_SETTINGS"


def _decode_path(kind: type, value: Any) -> Any:
    return kind(value)
