"""Bringing the metrics of one process up to date, once a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import func, select

from treadle.metrics.metrics import Metrics
from treadle.store.change import Store
from treadle.store.statements import Query
from treadle.store.tables import outbox
from treadle.webhooks.outbox import PENDING

_EVERY_SECONDS = 1.0
# The outbox is counted so seldom, and no further than this.
_OUTBOX_EVERY = 5
OUTBOX_LIMIT = 10_000

_some_pending = select(outbox.c.event_id).where(outbox.c.state == PENDING).limit(OUTBOX_LIMIT)
_COUNT_PENDING = Query(select(func.count()).select_from(_some_pending.subquery()), int)

error_log = logging.getLogger("treadle.error")


class Sampler:
    def __init__(self, metrics: Metrics, store: Store, in_flight: Callable[[], int]) -> None:
        self._metrics = metrics
        self._store = store
        self._in_flight = in_flight
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Hand on what was counted last."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._metrics.sample(self._in_flight())

    async def _run(self) -> None:
        turn = 0
        while True:
            self._metrics.sample(self._in_flight())
            if turn % _OUTBOX_EVERY == 0:
                await self._count_outbox()
            turn += 1
            await asyncio.sleep(_EVERY_SECONDS)

    async def _count_outbox(self) -> None:
        try:
            self._metrics.sample_outbox(await self._store.first(_COUNT_PENDING) or 0)
        except Exception:
            # The next time it may be there again.
            error_log.warning("the webhooks that are owed could not be counted")
