"""`python -m bench`: measure, print the tables, and say which targets are missed."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench import ingest, webhooks, worlds
from bench.measures import Bench, Runs
from bench.report import Report, note
from bench.seeding import CACHE, copy, seeded
from bench.servers import BenchError
from bench.syncing import synced

_SMALL_ROWS = 10_000
_WEBHOOKS_PER_SECOND = 1_000
_HISTORIES = (10_000, 100)


def main() -> int:
    arguments = _parse()
    runs = Runs(seconds=2, rounds=1) if arguments.quick else Runs(seconds=5, rounds=2)
    report = Report()
    try:
        _measure(arguments.only, runs, arguments.rows, report)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    report.print()
    missed = not all(result.met for result in report.results)
    return 1 if missed and arguments.strict else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure the server against a bare ASGI function."
    )
    parser.add_argument("--quick", action="store_true", help="2 seconds and one round for each")
    parser.add_argument(
        "--only", choices=["redeem", "create", "sync", "start", "webhooks", "worlds", "ingest"]
    )
    parser.add_argument("--strict", action="store_true", help="fail when a target is missed")
    parser.add_argument(
        "--rows",
        type=int,
        default=1_000_000,
        help="tokens in the large database, and transactions that are brought",
    )
    return parser.parse_args()


def _measure(only: str | None, runs: Runs, rows: int, report: Report) -> None:
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-run-", dir=CACHE) as temporary:
        folder = Path(temporary)
        if only in (None, "webhooks"):
            note("Delivering webhooks")
            webhooks.measure(folder, _WEBHOOKS_PER_SECOND * runs.seconds, report)
        if only in (None, "worlds"):
            note("Making worlds")
            worlds.measure(folder, report)
        if only in (None, "ingest"):
            note("Bringing transactions")
            ingest.measure(folder / "ingest", rows, report)
        if only in ("webhooks", "worlds", "ingest"):
            return
        bench = Bench(folder, runs, report)
        if only in (None, "sync"):
            note("Reading transactions")
            long, short = (synced(folder / f"{count}", count) for count in _HISTORIES)
            bench.sync(long, short, _HISTORIES)
        if only == "sync":
            return
        large = copy(seeded(rows), folder / "large")
        small = copy(seeded(_SMALL_ROWS), folder / "small")
        if only in (None, "redeem"):
            note("Redeeming")
            bench.redeem(large, small, (rows, _SMALL_ROWS))
        if only in (None, "create"):
            note("Minting")
            bench.create(small)
        if only in (None, "start"):
            note("Starting")
            bench.start(large)


if __name__ == "__main__":
    sys.exit(main())
