"""Waking Items in the background, so that what time does to them is told without anyone asking.

Each process that serves may wake any Item. Two that wake the same one decide on the same rows, and
the guard of the second one's Change fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

import msgspec
from sqlalchemy import BigInteger, Integer, bindparam, func, select

from treadle.bank.waking import wake
from treadle.call import Services
from treadle.clients import OWNER_COLUMNS, Owner
from treadle.clock import SECOND, stopwatch
from treadle.http.errors import ApiError
from treadle.store.statements import Query
from treadle.store.tables import clients, items

# What other processes write is noticed this soon.
_POLL_SECONDS = 1.0
# Between two looks, however many Changes ring.
_LEAST_SECONDS = 0.02
# How many clients are looked at together, how many have a turn at once, and of how many Items.
_PAGE = 500
_MOST_TURNS = 8
_MOST_OF_TURN = 8
# How long waking an Item may take, and how long one that could not be woken is let be.
_PATIENCE_SECONDS = 60.0
_RETRY_SECONDS = 60.0
# The longest pause after looks that failed one after another.
_MOST_PAUSE_SECONDS = 30.0

error_log = logging.getLogger("treadle.error")


class _Sleeper(msgspec.Struct):
    """A client with the instant at which the first of its Items wakes, if any does."""

    owner: Owner
    wakes_at: int | None


_first_instant = (
    select(func.min(items.c.wakes_at))
    .where(items.c.client_id == clients.c.client_id)
    .where(items.c.wakes_at.is_not(None))
    .correlate(clients)
    .scalar_subquery()
)
# One entry of the index for each client, however many Items it has.
_SLEEPERS = Query(
    select(*OWNER_COLUMNS, _first_instant)
    .where(clients.c.client_id > bindparam("client_id"))
    .where(clients.c.removed_at.is_(None))
    .order_by(clients.c.client_id)
    .limit(_PAGE),
    lambda *row: _Sleeper(Owner(*row[:-1]), row[-1]),
)
_DUE = Query(
    select(items.c.item_id)
    .where(items.c.client_id == bindparam("client_id"))
    .where(items.c.wakes_at <= bindparam("now", type_=BigInteger))
    .order_by(items.c.wakes_at, items.c.item_id)
    .limit(bindparam("count", type_=Integer)),
    str,
)


class Alarm:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._running: asyncio.Task[None] | None = None
        # The client that was considered last: its successor is next, so that each has its turn.
        self._last = ""
        # Clients of whom some Items are being woken.
        self._turns: dict[str, asyncio.Task[None]] = {}
        # When Items that could not be woken may be tried again.
        self._later: dict[str, float] = {}

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """What was not done yet stays due, for whoever starts next."""
        if self._running is None:
            return
        left = [self._running, *self._turns.values()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _run(self) -> None:
        rung, pause = self._services.wakes, _POLL_SECONDS
        while True:
            rung.clear()
            try:
                pause = await self._look()
            except Exception:
                # Nobody waits for it, and it must be there when the database is again.
                error_log.exception("it could not be found out which Items are to wake")
                pause = min(2 * max(pause, _POLL_SECONDS), _MOST_PAUSE_SECONDS)
            await asyncio.sleep(_LEAST_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await rung.wait()

    async def _look(self) -> float:
        """Give clients with Items that are due a turn; answers for how many seconds to sleep."""
        pause = _POLL_SECONDS
        page = await self._services.store.all(_SLEEPERS, client_id=self._last)
        for sleeper in page:
            if len(self._turns) == _MOST_TURNS:
                # The end of a turn rings.
                return pause
            self._last = sleeper.owner.client_id
            if sleeper.wakes_at is not None and self._last not in self._turns:
                pause = min(pause, await self._consider(sleeper.owner, sleeper.wakes_at))
        if len(page) == _PAGE:
            return 0
        self._last = ""
        return pause

    async def _consider(self, owner: Owner, wakes_at: int) -> float:
        """Begin a client's turn if it is time; answers in how many seconds to look again."""
        client_id, worlds = owner.client_id, self._services.worlds
        now = worlds.now(owner)
        if wakes_at > now:
            return _POLL_SECONDS if worlds.stands_still(owner) else (wakes_at - now) / SECOND
        count = _MOST_OF_TURN + len(self._later)
        due = await self._services.store.all(_DUE, client_id=client_id, now=now, count=count)
        chosen = [one for one in due if self._later.get(one, 0.0) <= stopwatch()][:_MOST_OF_TURN]
        if chosen:
            turn = asyncio.create_task(self._take_turn(client_id, chosen))
            self._turns[client_id] = turn
            turn.add_done_callback(lambda _: self._end_turn(client_id))
        return _POLL_SECONDS

    async def _take_turn(self, client_id: str, item_ids: list[str]) -> None:
        """Wake some Items of a client; the others wait until the other clients had a turn."""
        await asyncio.gather(*(self._wake(client_id, item_id) for item_id in item_ids))

    def _end_turn(self, client_id: str) -> None:
        del self._turns[client_id]
        self._services.wakes.set()

    async def _wake(self, client_id: str, item_id: str) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await wake(self._services, client_id, item_id)
        except ApiError as error:
            error_log.warning("Item %s could not be woken: %s", item_id, error.kind.error_code)
            self._put_off(item_id)
        except Exception:
            error_log.exception("Item %s could not be woken", item_id)
            self._put_off(item_id)

    def _put_off(self, item_id: str) -> None:
        now = stopwatch()
        self._later = {one: until for one, until in self._later.items() if until > now}
        self._later[item_id] = now + _RETRY_SECONDS
