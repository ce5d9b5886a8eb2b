"""Bringing a million transactions in one request, twice, while others read."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.report import Report, Result, note
from bench.servers import BenchError, Server, ending, treadle
from treadle.settings import SANDBOX_CLIENT_ID, SANDBOX_SECRET

_ACCOUNTS = 10_000
_KEYS = {"PLAID-CLIENT-ID": SANDBOX_CLIENT_ID, "PLAID-SECRET": SANDBOX_SECRET}
_JSON = {"Content-Type": "application/json", **_KEYS}
_LINES = {"Content-Type": "application/x-ndjson", **_KEYS}
_IDLE_SECONDS = 10
# A reader asks so often, whatever else goes on.
_PAUSE_SECONDS = 0.005
_PATIENCE_SECONDS = 600

_LEAST_ROWS_PER_SECOND = 20_000
_MOST_MEGABYTES = 300
_MOST_P99_RATIO = 2


def measure(folder: Path, rows: int, report: Report) -> None:
    folder.mkdir(exist_ok=True)
    customers, lines = folder / "customers.jsonl", folder / "transactions.jsonl"
    _write_customers(customers)
    _write_transactions(lines, rows)
    with ending(treadle(folder / "data", folder / "log")) as server:
        body = _read_body(server)
        _post_file(server.port, customers)
        idle = _read(server, body, until=time.monotonic() + _IDLE_SECONDS)
        first = _bring(server, lines, body)
        again = _bring(server, lines, body)
        peak = server.peak_megabytes()
    _check(first.answer, added=rows)
    _check(again.answer, unchanged=rows)
    for name, run in (("brought", first), ("brought again", again)):
        rate, ratio = rows / run.seconds, run.p99 / idle
        note(f"  p99 of reads: {idle * 1e3:.2f} ms idle, {run.p99 * 1e3:.2f} ms while {name}")
        report.add(Result(f"Transactions {name}", rate, "/s", least=_LEAST_ROWS_PER_SECOND))
        report.add(Result(f"p99 of reads while {name}, to idle", ratio, most=_MOST_P99_RATIO))
    report.add(Result("Memory at most", peak, " MB", most=_MOST_MEGABYTES))


class _Run(msgspec.Struct):
    seconds: float
    # Of reads meanwhile, in seconds.
    p99: float
    answer: dict[str, Any]


def _bring(server: Server, lines: Path, body: bytes) -> _Run:
    """Post a file from a process of its own, and read until it is there."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_post_and_tell, args=(server.port, lines, sender))
    process.start()
    p99 = _read(server, body, while_alive=process)
    seconds, answer = receiver.recv()
    process.join()
    return _Run(seconds, p99, answer)


def _post_and_tell(port: int, lines: Path, sender: Any) -> None:
    started = time.perf_counter()
    answer = _post_file(port, lines)
    sender.send((time.perf_counter() - started, answer))


def _post_file(port: int, lines: Path) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    with lines.open("rb") as stream:
        headers = _LINES | {"Content-Length": str(lines.stat().st_size)}
        connection.request("POST", "/treadle/ingest", stream, headers)
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    if response.status != 200 or answer["refused"]:
        raise BenchError(f"/treadle/ingest answered {answer}")
    return answer


def _read(
    server: Server,
    body: bytes,
    *,
    until: float | None = None,
    while_alive: multiprocessing.Process | None = None,
) -> float:
    """Ask for an account's numbers at a steady pace; answers the 99th percentile in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_PATIENCE_SECONDS)
    taken = []
    while time.monotonic() < until if until is not None else while_alive and while_alive.is_alive():
        started = time.perf_counter()
        connection.request("POST", "/auth/get", body, _JSON)
        response = connection.getresponse()
        response.read()
        taken.append(time.perf_counter() - started)
        if response.status != 200:
            raise BenchError("a read was refused")
        time.sleep(_PAUSE_SECONDS)
    connection.close()
    taken.sort()
    return taken[int(len(taken) * 0.99)]


def _read_body(server: Server) -> bytes:
    """What a reader asks, of an Item of the sandbox."""

    def call(path: str, **body: Any) -> Any:
        reply = server.wait(path, json.dumps(body).encode(), _JSON)
        if reply.status != 200:
            raise BenchError(f"{path} answered {reply.body.decode()}")
        return reply.json()

    public = call(
        "/sandbox/public_token/create", institution_id="ins_109508", initial_products=["auth"]
    )
    item = call("/item/public_token/exchange", public_token=public["public_token"])
    return json.dumps({"access_token": item["access_token"]}).encode()


def _check(answer: dict[str, Any], **expected: int) -> None:
    if any(answer[name] != count for name, count in expected.items()):
        raise BenchError(f"/treadle/ingest answered {answer}, not {expected}")


def _write_customers(path: Path) -> None:
    institution = {"institution_id": "bench_bank"}
    with path.open("w") as stream:

        def write(record: str, **members: Any) -> None:
            stream.write(json.dumps({"record": record, **institution, **members}) + "\n")

        write("institution", name="Bench Bank", country_codes=["US"], products=["transactions"])
        for number in range(_ACCOUNTS):
            write("user", user_id=f"user-{number}")
            write(
                "account",
                account_id=f"account-{number:08d}",
                user_ids=[f"user-{number}"],
                name="Checking",
                type="depository",
                subtype="checking",
                balances={"current": 100, "iso_currency_code": "USD"},
            )


def _write_transactions(path: Path, rows: int) -> None:
    """Account by account, as a bank's database hands them out."""
    of_account = max(rows // _ACCOUNTS, 1)
    with path.open("w") as stream:
        for number in range(rows):
            place = number % of_account
            day = f"2026-{1 + place * 12 // of_account:02d}-{1 + number % 28:02d}"
            stream.write(
                '{"record":"transaction","institution_id":"bench_bank",'
                f'"account_id":"account-{number // of_account % _ACCOUNTS:08d}",'
                f'"transaction_id":"transaction-{number:010d}","date":"{day}",'
                f'"amount":{number % 10_000 / 100:.2f},"iso_currency_code":"USD",'
                f'"description":"COFFEE SHOP {number % 977} SEATTLE WA"}}\n'
            )
