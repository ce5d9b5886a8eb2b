"""Deleting webhooks that were dealt with long ago, and the record of their attempts."""

from __future__ import annotations

import asyncio

from sqlalchemy import bindparam, delete, select

from treadle.clock import DAY, stopwatch
from treadle.idempotency import retention as idempotency
from treadle.link import retention as link
from treadle.store.change import Change, Store
from treadle.store.database_clock import database_now
from treadle.store.statements import Query, Write
from treadle.store.tables import outbox, webhook_attempts

_KEPT = 30 * DAY
_EVERY_SECONDS = 60.0
_BATCH = 50

# What is withheld has no `recorded_at`, and so stays.
OLD = Query(
    select(outbox.c.client_id, outbox.c.event_id)
    .where(outbox.c.recorded_at < database_now() - _KEPT)
    .where(outbox.c.due_at.is_(None))
    .order_by(outbox.c.recorded_at)
    .limit(_BATCH),
    lambda client_id, event_id: (client_id, event_id),
)
_DELETE_EVENT = Write(
    delete(outbox)
    .where(outbox.c.client_id == bindparam("the_client_id"))
    .where(outbox.c.event_id == bindparam("the_event_id"))
)
_DELETE_ATTEMPTS = Write(
    delete(webhook_attempts)
    .where(webhook_attempts.c.client_id == bindparam("the_client_id"))
    .where(webhook_attempts.c.event_id == bindparam("the_event_id"))
)


class Retention:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._next = stopwatch()

    async def delete_old(self) -> None:
        """Delete what is old, every minute and a few at a time, so that nobody has to wait."""
        if stopwatch() < self._next:
            return
        self._next = stopwatch() + _EVERY_SECONDS
        while old := await self._store.all(OLD):
            change = Change()
            for client_id, event_id in old:
                names = {"the_client_id": client_id, "the_event_id": event_id}
                change.write(_DELETE_ATTEMPTS, rows=None, **names)
                change.write(_DELETE_EVENT, rows=None, **names)
            await self._store.commit(change)
            await asyncio.sleep(0)
        await link.delete_old(self._store)
        await idempotency.delete_old(self._store)
