"""The measures. Each adds its figures and its targets to the report."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from statistics import median

import msgspec

from bench import load, servers
from bench.bare import Answer
from bench.load import Load, Target
from bench.report import Report, Result, note
from bench.seeding import Seeded
from bench.servers import BenchError, Server
from bench.syncing import Synced

PERMISSIONS_GET = "/processor/token/permissions/get"
AUTH_GET = "/processor/auth/get"
CREATE = "/processor/token/create"
SYNC = "/transactions/sync"

_STARTS = 5
_WARM_UP_SECONDS = 1


class Runs(msgspec.Struct, frozen=True):
    """How long and how often each load runs."""

    seconds: int
    rounds: int


class Bench:
    """What the measures have in common."""

    def __init__(self, folder: Path, runs: Runs, report: Report) -> None:
        self._folder = folder
        self._runs = runs
        self._report = report

    def redeem(self, large: Seeded, small: Seeded, rows: tuple[int, int]) -> None:
        """Reads, against the bare function and between a large and a small database."""
        permissions = Target(PERMISSIONS_GET, large.redeems, large.minter)
        auth = Target(AUTH_GET, large.redeems, large.partner)
        auth_small = Target(AUTH_GET, small.redeems, small.partner)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(self._treadle(large))
            other = stack.enter_context(self._treadle(small))
            bare = stack.enter_context(self._bare(server, [permissions, auth]))
            self._against_bare(server, bare, permissions, least=0.40)
            self._against_bare(server, bare, auth, least=0.30)
            names = [f"{count:,} tokens" for count in rows]
            ours, theirs = self._alternate(
                AUTH_GET, (server, auth, names[0]), (other, auth_small, names[1])
            )
        self._report.add(
            Result(
                f"CPU per redeem, {names[0]} to {names[1]}",
                ours.cpu_microseconds / theirs.cpu_microseconds,
                most=1.25,
                trouble=ours.trouble or theirs.trouble,
            )
        )

    def create(self, small: Seeded) -> None:
        """Minting, each token on disk before it is answered."""
        create = Target(CREATE, small.creates, small.minter)
        with self._treadle(small) as server, self._bare(server, [create]) as bare:
            self._against_bare(server, bare, create, least=0.20)

    def sync(self, long: Synced, short: Synced, rows: tuple[int, int]) -> None:
        """Pages of transactions: a large one against the bare function, asked for again and for the
        first time, and the last one of a long history against that of a short one."""
        page = Target(SYNC, long.first_page, long.headers)
        pages = Target(SYNC, long.pages, long.headers)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(self._running(long.data))
            other = stack.enter_context(self._running(short.data))
            bare = stack.enter_context(self._bare(server, [page]))
            self._against_bare(server, bare, page, least=0.50)
            self._against_bare(server, bare, pages, least=0.20, name=f"{SYNC}, first time")
            names = [f"{count:,} transactions" for count in rows]
            ours, theirs = self._alternate(
                f"{SYNC}, last page",
                (server, Target(SYNC, long.last_page, long.headers), names[0]),
                (other, Target(SYNC, short.last_page, short.headers), names[1]),
            )
        self._report.add(
            Result(
                f"CPU per page of sync, {names[0]} to {names[1]}",
                ours.cpu_microseconds / theirs.cpu_microseconds,
                most=1.3,
                trouble=ours.trouble or theirs.trouble,
            )
        )

    def start(self, large: Seeded) -> None:
        """Starting on a folder with data, and the memory held after the first request."""
        target = Target(AUTH_GET, large.redeems, large.partner)
        # The first start fills the caches of Python and of the file system.
        figures = [self._start(large, target) for _ in range(_STARTS + 1)][1:]
        self._report.add(
            Result("Start to first answer", median(each[0] for each in figures), " s", most=1.0)
        )
        self._report.add(
            Result("Memory when idle", median(each[1] for each in figures), " MB", most=120)
        )

    def _start(self, seeded: Seeded, target: Target) -> tuple[float, float]:
        started = time.perf_counter()
        with self._treadle(seeded) as server:
            _answer(server, target)
            return time.perf_counter() - started, server.resident_megabytes()

    def _against_bare(
        self, server: Server, bare: Server, target: Target, least: float, name: str = ""
    ) -> None:
        name = name or target.path
        ours, theirs = self._alternate(name, (server, target, "treadle"), (bare, target, "bare"))
        self._report.add(
            Result(
                f"{name}, requests/s to bare",
                ours.per_second / theirs.per_second,
                least=least,
                trouble=ours.trouble or theirs.trouble,
            )
        )

    def _alternate(
        self, name: str, one: tuple[Server, Target, str], two: tuple[Server, Target, str]
    ) -> tuple[Load, Load]:
        """Load two servers in turns, so that what else the machine does hits both alike."""
        sides = (two, one)
        for server, target, _ in sides:
            _answer(server, target)
            load.run(server, target, _WARM_UP_SECONDS)
        loads: list[list[Load]] = [[], []]
        for _ in range(self._runs.rounds):
            for side, (server, target, label) in enumerate(sides):
                done = load.run(server, target, self._runs.seconds)
                note(f"  {name}, {label}: {done.per_second:,.0f}/s {done.trouble}")
                loads[side].append(done)
        for (_, _, label), found in zip(sides, loads, strict=True):
            self._report.add_load(name, label, load.middle(found))
        return load.middle(loads[1]), load.middle(loads[0])

    def _treadle(self, seeded: Seeded) -> contextlib.AbstractContextManager[Server]:
        return self._running(seeded.data)

    def _running(self, data: Path) -> contextlib.AbstractContextManager[Server]:
        return servers.ending(servers.treadle(data, self._folder / "treadle.log"))

    def _bare(
        self, server: Server, targets: list[Target]
    ) -> contextlib.AbstractContextManager[Server]:
        """The bare function, with the answers that Treadle gives."""
        answers = {}
        for target in targets:
            headers, body = _answer(server, target)
            answers[target.path] = Answer.of(headers, body)
        recorded = self._folder / "answers.json"
        recorded.write_bytes(msgspec.json.encode(answers))
        return servers.ending(servers.bare(recorded, self._folder / "bare.log"))


def _answer(server: Server, target: Target) -> tuple[list[tuple[str, str]], bytes]:
    reply = server.wait(target.path, target.first_body(), target.headers)
    if reply.status != 200:
        raise BenchError(
            f"{target.path} answered {reply.status}: {reply.body.decode()}\n"
            "If the cached data no longer fit the server: rm -r .cache/bench-*"
        )
    return reply.headers, reply.body
