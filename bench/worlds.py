"""How fast a test suite gets worlds of its own: clients made, filled and emptied."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench import servers
from bench.report import Report, Result, note
from bench.servers import BenchError
from treadle.settings import SANDBOX_CLIENT_ID, SANDBOX_SECRET

_WORLDS = 100
_CONNECTIONS = 16
_ITEMS = 5
_RESTORES = 20
_YEARS = {"start_date": "2020-01-01", "end_date": "2035-01-01"}

Answer = dict[str, Any]


class _Client:
    """One client on a connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.credentials = {"client_id": SANDBOX_CLIENT_ID, "secret": SANDBOX_SECRET}

    async def post(self, path: str, /, **fields: Any) -> Answer:
        body = msgspec.json.encode(self.credentials | fields)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status, *headers = (await self._reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        lengths = [one for one in headers if one.lower().startswith(b"content-length:")]
        answer = await self._reader.readexactly(int(lengths[0].partition(b":")[2]))
        if b" 200 " not in status:
            raise BenchError(f"{path} answered {answer.decode()}")
        decoded: Answer = msgspec.json.decode(answer)
        return decoded

    async def item(self) -> tuple[Answer, str]:
        """A new Item: its access token, and a processor token of its checking account."""
        institution = {"institution_id": "ins_109508", "initial_products": ["auth"]}
        created = await self.post("/sandbox/public_token/create", **institution)
        public_token = created["public_token"]
        exchanged = await self.post("/item/public_token/exchange", public_token=public_token)
        access = {"access_token": exchanged["access_token"]}
        accounts = (await self.post("/accounts/get", **access))["accounts"]
        [account_id] = [one["account_id"] for one in accounts if one["mask"] == "0000"]
        minted = await self.post(
            "/processor/token/create", **access, account_id=account_id, processor="dwolla"
        )
        return access, minted["processor_token"]


def measure(folder: Path, report: Report) -> None:
    with servers.ending(servers.treadle(folder / "worlds", folder / "worlds.log")) as server:
        server.wait("/", b"", {})
        asyncio.run(_measure(server, report))


async def _measure(server: servers.Server, report: Report) -> None:
    lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(_CONNECTIONS)]
    try:
        clients = [_Client(*line) for line in lines]
        # What is done for the first time takes longer.
        await _live(clients[0])
        began = time.perf_counter()
        turns = iter(range(_WORLDS))
        await asyncio.gather(*(_live_on(client, turns) for client in clients))
        spent = time.perf_counter() - began
        report.add(Result(f"{_WORLDS} worlds made and reset", spent, " s", most=1))
        milliseconds = await _restore(clients[0])
        name = f"Snapshot of {_ITEMS} Items restored"
        report.add(Result(name, milliseconds, " ms", most=50))
    finally:
        for _, writer in lines:
            writer.close()


async def _live_on(client: _Client, turns: Iterator[int]) -> None:
    for _ in turns:
        await _live(client)


async def _live(client: _Client) -> None:
    """Make a world, put an Item with a processor token into it, and empty it."""
    maker = client.credentials
    made = await client.post("/treadle/sandbox/clients")
    client.credentials = {"client_id": made["client"]["client_id"], "secret": made["secret"]}
    await client.item()
    await client.post("/treadle/sandbox/state/reset")
    client.credentials = maker


async def _restore(client: _Client) -> float:
    """The fastest of several, each after a change."""
    entries = 0
    for _ in range(_ITEMS):
        access, _ = await client.item()
        synced = await client.post("/transactions/sync", **access, count=500)
        traded = await client.post("/investments/transactions/get", **access, **_YEARS)
        await client.post("/liabilities/get", **access)
        entries += len(synced["added"]) + traded["total_investment_transactions"]
    await client.post("/treadle/sandbox/snapshots", name="bench")
    spent = []
    for _ in range(_RESTORES):
        await client.item()
        began = time.perf_counter()
        await client.post("/treadle/sandbox/snapshots/restore", name="bench")
        spent.append((time.perf_counter() - began) * 1_000)
    note(f"  {_ITEMS} Items with {entries:,} transactions, the fastest of {_RESTORES}")
    return min(spent)
