"""A server's parts in the test itself, with a bank that can be slow, or fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from treadle.alarm import Alarm
from treadle.app import open_services
from treadle.bank.linking import link_item
from treadle.bank.rows import ITEM, Item
from treadle.bank.updates import UPDATES_OF_ITEM, Update
from treadle.call import ClientCall, Services
from treadle.clients import CLIENT, NewClient, create_client
from treadle.clock import FixedClock, parse_instant
from treadle.http import errors
from treadle.settings import Settings
from treadle.sources.sandbox.sandbox import SandboxSource
from treadle.sources.source import Reading, TransactionsPicture
from treadle.sources.sources import Sources

NOON = parse_instant("2026-03-01T12:00:00Z")
WEBHOOK = "http://127.0.0.1:9/hook"


class Bank(SandboxSource):
    """The sandbox, but that the test decides how it answers."""

    def __init__(self) -> None:
        super().__init__()
        # By the id of an account: how long it takes, and whether it fails.
        self.seconds: dict[str, float] = {}
        self.failing: set[str] = set()
        self.asked: list[str] = []

    async def transactions(self, reading: Reading) -> TransactionsPicture:
        account_id = reading.accounts[0].account_id
        self.asked.append(account_id)
        await asyncio.sleep(self.seconds.get(account_id, 0))
        if account_id in self.failing:
            raise errors.INTERNAL_SERVER_ERROR()
        return await super().transactions(reading)


class Linked(msgspec.Struct, frozen=True):
    client_id: str
    item_id: str
    account_id: str


class Plane:
    def __init__(self, services: Services, bank: Bank) -> None:
        self.services = services
        self.bank = bank
        self.alarm = Alarm(services)

    @property
    def clock(self) -> FixedClock:
        assert isinstance(self.services.clock, FixedClock)
        return self.services.clock

    async def add_client(self, client_id: str) -> None:
        new = NewClient(client_id=client_id, secret=client_id, name=client_id)
        await create_client(self.services.store, self.services.keys, new, NOON)

    async def call(self, client_id: str) -> ClientCall:
        client = await self.services.store.first(CLIENT, client_id=client_id)
        assert client is not None
        return ClientCall(self.services, "request", self.clock.now(), client)

    async def link(self, client_id: str, webhook: str | None = WEBHOOK) -> Linked:
        """A new Item with transactions."""
        call = await self.call(client_id)
        linked = await link_item(
            call, "ins_109508", ["transactions"], login_field="password", webhook=webhook
        )
        await call.commit()
        return Linked(client_id, linked.item_id, linked.accounts[0][0])

    async def item(self, linked: Linked) -> Item:
        item = await self.services.store.first(
            ITEM, item_id=linked.item_id, client_id=linked.client_id
        )
        assert item is not None
        return item

    async def update(self, linked: Linked) -> Update:
        [update] = await self.services.store.all(
            UPDATES_OF_ITEM, item_id=linked.item_id, client_id=linked.client_id
        )
        return update

    async def woke(self, linked: Linked) -> None:
        """Wait until nothing is left to be done about an Item."""
        async with asyncio.timeout(20):
            while (await self.item(linked)).is_due(self.clock.now()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@asynccontextmanager
async def opened(url: str, data: Path) -> AsyncIterator[Plane]:
    bank = Bank()
    settings = Settings(data=data, database=url, clock=NOON)
    services = msgspec.structs.replace(await open_services(settings), sources=Sources(bank))
    plane = Plane(services, bank)
    await plane.add_client("shop")
    await plane.add_client("other")
    try:
        yield plane
    finally:
        await plane.alarm.close()
        await services.store.close()
