"""The delivery of webhooks, run in the test on an empty database of either kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.store.databases import execute, rows
from tests.support.receiver import Receiver
from treadle.app import open_services, webhook_delivery
from treadle.call import ClientCall, Services
from treadle.clients import CLIENT
from treadle.clock import FixedClock
from treadle.settings import SANDBOX_CLIENT_ID, Settings
from treadle.webhooks import owe
from treadle.webhooks.delivery import Delivery

NOON = 1_800_000_000_000_000


class Told(msgspec.Struct):
    webhook_type: str = "TEST"
    webhook_code: str = "TOLD"
    number: int = 0


class Plane:
    """Services on one database, with as many deliveries running as the test starts."""

    def __init__(self, settings: Settings, services: Services, url: str) -> None:
        self.settings = settings
        self.services = services
        self._url = url
        self.deliveries: list[Delivery] = []

    @property
    def clock(self) -> FixedClock:
        assert isinstance(self.services.clock, FixedClock)
        return self.services.clock

    def start(self) -> Delivery:
        delivery = webhook_delivery(self.services)
        delivery.start()
        self.deliveries.append(delivery)
        return delivery

    async def owe(
        self, url: str, item_id: str | None = "item", number: int = 0, **options: Any
    ) -> None:
        """Owe a webhook as a handler does, and keep it."""
        client = await self.services.store.first(CLIENT, client_id=SANDBOX_CLIENT_ID)
        assert client is not None
        call = ClientCall(self.services, "request", self.services.clock.now(), client)
        owe(call, client.client_id, item_id, url, Told(number=number), **options)
        await call.commit()

    def advance(self, microseconds: int) -> None:
        self.clock.instant += microseconds
        self.services.bell.ring_for_all()

    def outbox(self) -> list[dict[str, Any]]:
        return self._rows("SELECT * FROM outbox ORDER BY recorded_at, event_id")

    def attempts(self) -> list[dict[str, Any]]:
        return self._rows("SELECT * FROM webhook_attempts ORDER BY recorded_at, number")

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        # What looks into a database runs an event loop of its own.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(rows, self._url, sql).result()

    def execute(self, sql: str) -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(execute, self._url, sql).result()

    async def until(self, holds: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for something that the delivery brings about."""
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(holds):  # noqa: ASYNC110, a database rings no bell
                await asyncio.sleep(0.02)

    async def attempted(self, count: int) -> None:
        """Wait until there were this many attempts in all."""
        await self.until(lambda: len(self.attempts()) == count)

    async def settled(self, state: str, count: int = 1) -> list[dict[str, Any]]:
        """The webhooks in a state, once there are this many and nobody is sending."""

        def holds() -> bool:
            found = self.outbox()
            return sum(row["state"] == state for row in found) == count and not any(
                row["lease"] for row in found
            )

        await self.until(holds)
        return [row for row in self.outbox() if row["state"] == state]


Run = Callable[[Callable[[Plane], Awaitable[None]]], None]


@asynccontextmanager
async def opened(url: str, data: Path, **options: Any) -> AsyncIterator[Plane]:
    given: dict[str, Any] = {"clock": NOON, "webhook_timeout_seconds": 1.0} | options
    settings = Settings(data=data, database=url, **given)
    services = await open_services(settings)
    plane = Plane(settings, services, url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(services.store.close)
        yield plane
        for delivery in plane.deliveries:
            await delivery.close()


@pytest.fixture
def plane(url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Run:
    """Runs a test's coroutine on a plane whose clock stands still at noon."""

    def run(test: Callable[[Plane], Awaitable[None]]) -> None:
        async def inside() -> None:
            async with opened(url, tmp_path) as plane:
                await test(plane)

        asyncio.run(inside())
        # Delivery goes on after a failure that nobody foresaw, so it would not show otherwise.
        assert [one.getMessage() for one in caplog.records if one.name == "treadle.error"] == []

    return run


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
