"""The delivery of webhooks: a task in each process that serves.

Each may deliver anything that is owed. A lease in the database keeps two of them from sending one
webhook at once, and runs out when its holder dies: then another sends it, with the same event id.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from treadle import ids
from treadle.clock import SECOND, stopwatch
from treadle.faults.rules import Effect, Fault
from treadle.keys import Keys
from treadle.store.change import Change, GuardFailed, Store
from treadle.webhooks import outbox, schedule
from treadle.webhooks.bell import Bell, Line
from treadle.webhooks.egress import Egress
from treadle.webhooks.outbox import Owed
from treadle.webhooks.retention import Retention
from treadle.webhooks.room import Room
from treadle.webhooks.signing import EVENT_ID_HEADER, SIGNATURE_HEADER
from treadle.webhooks.signing_keys import Signer

if TYPE_CHECKING:
    from treadle.webhooks.sending import Outcome, Sender

# What another process wrote, and what a clock has made due, is seen after so long.
_POLL_SECONDS = 1.0
# How much longer than an attempt a lease lasts, for what came of it to be written.
_LEASE_MARGIN_SECONDS = 10
_CLOSING_SECONDS = 3

_MOST_AT_ONCE = 256
_MOST_PER_ENDPOINT = 32
_MOST_PER_SLOW_ENDPOINT = 2

_COUNT_ATTEMPTS = outbox.count_attempts(schedule.COUNT_LIMIT)

error_log = logging.getLogger("treadle.error")


class Delivery:
    def __init__(
        self,
        store: Store,
        keys: Keys,
        signer: Signer,
        bell: Bell,
        egress: Egress,
        now: Callable[[str], Awaitable[int]],
        strike: Callable[[Owed], Awaitable[Fault | None]],
        timeout_seconds: float,
        settled: Callable[[str], None] | None = None,
    ) -> None:
        """`now` tells the instant on a client's clock, and `strike` which of its faults strikes.

        `settled` is told the state in which each attempt left its webhook.
        """
        self._store = store
        self._keys = keys
        self._signer = signer
        self._bell = bell
        self._egress = egress
        self._now = now
        self._strike = strike
        self._timeout_seconds = timeout_seconds
        self._settled = settled
        self._lease = round((timeout_seconds + _LEASE_MARGIN_SECONDS) * SECOND)
        self._room = Room(_MOST_AT_ONCE, _MOST_PER_ENDPOINT, _MOST_PER_SLOW_ENDPOINT)
        self._retention = Retention(store)
        self._sender: Sender | None = None
        self._running: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        # Lines on which something may be due, in the order in which they came up.
        self._waiting: dict[Line, None] = {}
        self._under_way: dict[asyncio.Task[None], Owed] = {}

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Let what is under way end for a moment, and leave the rest to whoever comes next."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        if self._starting is not None:
            await asyncio.wait([self._starting], timeout=_CLOSING_SECONDS)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_CLOSING_SECONDS)
        left = dict(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        change = Change()
        for owed in left.values():
            change.write(
                outbox.RELEASE,
                rows=None,
                the_client_id=owed.client_id,
                the_event_id=owed.event_id,
                the_lease=owed.lease,
            )
        if change:
            await self._store.commit(change)
        if self._sender is not None:
            self._sender.close()

    async def _run(self) -> None:
        poll_at = stopwatch()
        while True:
            lines, for_all = await self._bell.wait(max(poll_at - stopwatch(), 0))
            self._waiting.update(dict.fromkeys(lines))
            if for_all or stopwatch() >= poll_at:
                poll_at = stopwatch() + _POLL_SECONDS
                await _logging_failures(self._poll())
            # A stop lets it end: nobody would give back what was claimed and not yet noted.
            self._starting = asyncio.create_task(_logging_failures(self._start_due()))
            await asyncio.shield(self._starting)

    async def _poll(self) -> None:
        """Find what other processes wrote and what time has made due."""
        for line, due_at in await self._store.all(outbox.LINES_OWED):
            if due_at <= await self._now(line.client_id):
                self._waiting[line] = None
        await self._retention.delete_old()

    async def _start_due(self) -> None:
        """Start what there is room for; the other lines go on waiting."""
        ready = [line for line in self._waiting if self._room.places(line)]
        for line in ready:
            del self._waiting[line]
        await asyncio.gather(*(self._start_due_on(line) for line in ready))

    async def _start_due_on(self, line: Line) -> None:
        now = await self._now(line.client_id)
        due = await self._store.all(outbox.DUE, **line._asdict(), now=now)
        chosen = due[: self._room.places(line)]
        if len(chosen) < len(due) or len(due) == outbox.PAGE:
            self._waiting[line] = None
        if not chosen:
            return
        self._room.enter(line, len(chosen))
        claimed: list[Owed] = []
        try:
            claimed = await self._claim(line.client_id, chosen, now)
        finally:
            # Another process may have been faster to claim some.
            self._room.leave(line, len(chosen) - len(claimed))
        for owed in claimed:
            task = asyncio.create_task(_logging_failures(self._deliver(owed)))
            self._under_way[task] = owed
            task.add_done_callback(self._end)

    async def _claim(self, client_id: str, event_ids: list[str], now: int) -> list[Owed]:
        lease = ids.request_id()
        change = Change()
        change.write_many(
            outbox.CLAIM,
            [
                {
                    "the_client_id": client_id,
                    "the_event_id": event_id,
                    "now": now,
                    "lease": lease,
                    "lease_microseconds": self._lease,
                }
                # Processes that claim the same ones do so in the same order.
                for event_id in sorted(event_ids)
            ],
        )
        await self._store.commit(change)
        return await self._store.all(outbox.CLAIMED, client_id=client_id, lease=lease)

    def _end(self, task: asyncio.Task[None]) -> None:
        owed = self._under_way.pop(task)
        self._room.leave(owed.line)
        # What waited for it, in its lane or for its place, may be due now.
        self._bell.ring(owed.line)

    async def _deliver(self, owed: Owed) -> None:
        at = await self._now(owed.client_id)
        fault = await self._strike(owed)
        twice = fault is not None and fault.rule.effect is Effect.WEBHOOK_DUPLICATE
        if fault is not None and fault.rule.effect is Effect.WEBHOOK_NEW_KEY:
            with contextlib.suppress(GuardFailed):
                await self._signer.rotate(expire_now=True)
        elif fault is not None and not twice:
            await self._divert(owed, fault, at)
            return
        body = owed.text(self._keys).encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: await self._signer.sign(body),
            EVENT_ID_HEADER: owed.event_id,
        }
        outcome = await self._open_sender().post(owed.url, body, headers)
        if twice:
            await self._open_sender().post(owed.url, body, headers)
        self._room.note(owed.line, timed_out=outcome.timed_out)
        try:
            await self._settle(owed, outcome, at)
        except GuardFailed:
            error_log.warning("webhook %s outlived its lease", owed.event_id)

    async def _divert(self, owed: Owed, fault: Fault, at: int) -> None:
        """Do what a fault wants done instead of sending."""
        rule, change = fault.rule, Change()
        withheld = rule.effect is Effect.WEBHOOK_WITHHOLD
        due_at = None if withheld else at + round(rule.seconds * SECOND)
        # In a lane of its own it is overtaken by what was owed after it.
        lane = owed.event_id if rule.effect is Effect.WEBHOOK_REORDER else owed.lane
        change.write(
            outbox.DIVERT,
            the_client_id=owed.client_id,
            the_event_id=owed.event_id,
            the_lease=owed.lease,
            state=outbox.WITHHELD if withheld else outbox.PENDING,
            due_at=due_at,
            lane=lane,
            fault_id=fault.fault_id,
        )
        if due_at is not None and lane == owed.lane:
            self._postpone_lane(change, owed, due_at)
        await self._store.commit(change)

    def _postpone_lane(self, change: Change, owed: Owed, due_at: int) -> None:
        change.write(
            outbox.POSTPONE_LANE,
            rows=None,
            the_client_id=owed.client_id,
            the_lane=owed.lane,
            due_at=due_at,
        )

    def _open_sender(self) -> Sender:
        if self._sender is None:
            # Imported for the first webhook, since it takes a while.
            from treadle.webhooks.sending import Sender

            self._sender = Sender(self._egress, self._timeout_seconds)
        return self._sender

    async def _settle(self, owed: Owed, outcome: Outcome, at: int) -> None:
        """Write down what came of an attempt, and what is to be done next."""
        number = owed.attempts + 1
        state, due_at = await self._next_state(owed, outcome, number)
        change = Change()
        change.write(
            outbox.SETTLE,
            the_client_id=owed.client_id,
            the_event_id=owed.event_id,
            the_lease=owed.lease,
            state=state,
            due_at=due_at,
            attempts=number,
        )
        if due_at is not None:
            self._postpone_lane(change, owed, due_at)
        change.write(
            outbox.INSERT_ATTEMPT,
            event_id=owed.event_id,
            number=number,
            client_id=owed.client_id,
            endpoint=owed.endpoint,
            at=at,
            accepted=int(outcome.accepted),
            status=outcome.status,
            error=outcome.error,
            milliseconds=outcome.milliseconds,
        )
        await self._store.commit(change)
        if self._settled is not None:
            self._settled(state)

    async def _next_state(
        self, owed: Owed, outcome: Outcome, number: int
    ) -> tuple[str, int | None]:
        if outcome.accepted:
            return outbox.DELIVERED, None
        if outcome.hopeless:
            return outbox.REFUSED, None
        now = await self._now(owed.client_id)
        due_at = schedule.next_attempt(owed.created_at, number, now)
        if due_at is None or await self._rejects_nearly_all(owed, now):
            return outbox.GIVEN_UP, None
        return outbox.PENDING, due_at

    async def _rejects_nearly_all(self, owed: Owed, now: int) -> bool:
        accepted, rejected = [
            await self._store.first(
                _COUNT_ATTEMPTS,
                client_id=owed.client_id,
                endpoint=owed.endpoint,
                accepted=accepted,
                since=now - schedule.WINDOW,
            )
            for accepted in (1, 0)
        ]
        return schedule.rejects_nearly_all(accepted or 0, rejected or 0)


async def _logging_failures(work: Awaitable[None]) -> None:
    """Do something whose failure must not end the delivery of everything else."""
    try:
        await work
    except Exception:
        error_log.exception("the delivery of webhooks failed; it goes on")
