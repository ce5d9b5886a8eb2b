"""A bank whose transactions a test writes itself, behind the real server, in one process."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from treadle.app import open_services
from treadle.bank.model import SourceTransaction
from treadle.clock import DAY, FixedClock, parse_instant, to_date
from treadle.http.pipeline import Pipeline
from treadle.operations import load_areas
from treadle.settings import Settings
from treadle.sources.sandbox.sandbox import SandboxSource
from treadle.sources.source import Reading, TransactionsPicture
from treadle.sources.sources import Sources

START = parse_instant("2026-03-01T12:00:00Z")


class Booking(msgspec.Struct):
    """One transaction in the bank's books."""

    key: str
    # The place of its account.
    account: int
    date: dt.date
    amount: float
    pending: bool = False
    replaced: str | None = None


class ScriptedBank(SandboxSource):
    """The sandbox, but that the test decides which transactions there are."""

    def __init__(self) -> None:
        super().__init__()
        self.books: dict[str, Booking] = {}

    async def transactions(self, reading: Reading) -> TransactionsPicture:
        ids = {account.position: account.account_id for account in reading.accounts}
        return TransactionsPicture(
            [
                SourceTransaction(
                    source_key=one.key,
                    account_id=ids[one.account],
                    date=one.date,
                    amount=one.amount,
                    description=one.key,
                    iso_currency_code="USD",
                    pending=one.pending,
                    pending_key=one.replaced,
                )
                for one in self.books.values()
                if one.date >= reading.since or one.pending
            ]
        )


class World:
    """A server in this process, its bank, its clock and one Item."""

    def __init__(
        self, call: Callable[..., Awaitable[dict[str, Any]]], bank: ScriptedBank, clock: FixedClock
    ) -> None:
        self._call = call
        self.bank = bank
        self.clock = clock
        self.access_token = ""
        self.account_ids: list[str] = []

    @property
    def today(self) -> dt.date:
        return to_date(self.clock.instant)

    def next_day(self) -> None:
        self.clock.instant += DAY

    async def link(self) -> None:
        """Begin anew with an Item that is its bank's only customer."""
        self.bank.books.clear()
        created = await self.post(
            "/sandbox/public_token/create",
            institution_id="ins_109508",
            initial_products=["transactions"],
        )
        exchanged = await self.post(
            "/item/public_token/exchange", public_token=created["public_token"]
        )
        self.access_token = exchanged["access_token"]
        accounts = await self.post("/accounts/get", access_token=self.access_token)
        self.account_ids = [account["account_id"] for account in accounts["accounts"]]

    async def post(self, path: str, **fields: Any) -> dict[str, Any]:
        return await self._call(path, **fields)


async def open_world(
    data: Path, database: str | None = None, bank: ScriptedBank | None = None
) -> World:
    settings = Settings(data=data, database=database, clock=START)
    services = await open_services(settings)
    bank, clock = bank or ScriptedBank(), FixedClock(START)
    services = msgspec.structs.replace(services, sources=Sources(bank), clock=clock)
    pipeline = Pipeline(services, load_areas())

    async def call(path: str, **fields: Any) -> dict[str, Any]:
        keys = {"client_id": "client_sandbox", "secret": "secret_sandbox"}
        body = json.dumps(keys | fields).encode()
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"host", b"127.0.0.1"),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": headers,
            "client": ("127.0.0.1", 1),
        }
        await pipeline(scope, receive, send)
        answer: dict[str, Any] = json.loads(b"".join(sent[0]["pieces"]))
        return answer

    return World(call, bank, clock)
