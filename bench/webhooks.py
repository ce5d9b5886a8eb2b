"""How fast webhooks leave: how many a second, and how soon after what they tell of."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench import servers
from bench.report import Report, Result, note
from bench.servers import BenchError
from treadle.app import open_services
from treadle.call import ClientCall, Services
from treadle.clients import CLIENT
from treadle.settings import SANDBOX_CLIENT_ID, SANDBOX_SECRET, Settings
from treadle.webhooks import owe

_ITEMS = 500
_CHANGES = 100
_PATIENCE_SECONDS = 60.0
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class _Told(msgspec.Struct):
    webhook_type: str
    webhook_code: str
    number: int


class _Receiver:
    """Accepts everything at once, and notes when each webhook came."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.port = 0
        self._listening = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._listening.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                self.arrivals.append(time.perf_counter())
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def wait(self, count: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while len(self.arrivals) < count:
            if time.monotonic() > deadline:
                raise BenchError(f"{len(self.arrivals)} of {count} webhooks came")
            time.sleep(0.001)


def measure(folder: Path, events: int, report: Report) -> None:
    """Deliver what was owed before the start, then webhooks of changes one by one."""
    receiver = _Receiver()
    data = folder / "webhooks"
    asyncio.run(_owe(data, receiver.url, events))
    with servers.ending(servers.treadle(data, folder / "webhooks.log")) as server:
        receiver.wait(events)
        spent = receiver.arrivals[-1] - receiver.arrivals[0]
        note(f"  {events:,} webhooks of {_ITEMS} Items in {spent:.1f} s")
        report.add(Result("Webhooks delivered", (events - 1) / spent, "/s", least=500))
        delays = _delays(server, receiver)
    report.add(Result("From a change to its webhook (median)", delays, " ms", most=50))


async def _owe(data: Path, url: str, events: int) -> None:
    services = await open_services(Settings(data=data))
    try:
        for number in range(events):
            await _owe_one(services, url, number)
    finally:
        await services.store.close()


async def _owe_one(services: Services, url: str, number: int) -> None:
    client = await services.store.first(CLIENT, client_id=SANDBOX_CLIENT_ID)
    assert client is not None
    call = ClientCall(services, "bench", services.clock.now(), client)
    body = _Told("BENCH", "TOLD", number)
    owe(call, client.client_id, f"item {number % _ITEMS}", url, body)
    await call.commit()


def _delays(server: servers.Server, receiver: _Receiver) -> float:
    """From sending a request to the arrival of its webhook: more than from the change itself."""
    access_token = _link(server)
    delays = []
    for number in range(_CHANGES):
        came = len(receiver.arrivals)
        # An address of its own each time, so that none waits for the one before.
        update = {"access_token": access_token, "webhook": f"{receiver.url}/{number}"}
        began = time.perf_counter()
        _post(server, "/item/webhook/update", update)
        receiver.wait(came + 1)
        delays.append((receiver.arrivals[-1] - began) * 1_000)
    return median(delays)


def _link(server: servers.Server) -> str:
    institution = {"institution_id": "ins_109508", "initial_products": ["auth"]}
    public_token = _post(server, "/sandbox/public_token/create", institution)["public_token"]
    exchange = {"public_token": public_token}
    access_token: str = _post(server, "/item/public_token/exchange", exchange)["access_token"]
    return access_token


def _post(server: servers.Server, path: str, fields: dict[str, Any]) -> dict[str, str]:
    credentials = {"client_id": SANDBOX_CLIENT_ID, "secret": SANDBOX_SECRET}
    headers = {"Content-Type": "application/json"}
    reply = server.post(path, msgspec.json.encode(credentials | fields), headers)
    if reply.status != 200:
        raise BenchError(f"{path} answered {reply.status}: {reply.body.decode()}")
    answer: dict[str, str] = reply.json()
    return answer
