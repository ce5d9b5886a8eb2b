"""Deleting what is old, in every process that serves: a few rows at a time, so that nobody waits.

Webhooks, what Link keeps and idempotency keys are deleted by those who deliver webhooks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from treadle.audit.trimming import chains_after, trim
from treadle.call import Services
from treadle.clock import DAY
from treadle.tokens.retention import delete_over

_EVERY_SECONDS = 3_600.0
# Between two pieces, each of which takes about a millisecond.
_REST_SECONDS = 0.05

error_log = logging.getLogger("treadle.error")


class Retention:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """What was not deleted yet is found by whoever starts next."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def _run(self) -> None:
        while True:
            try:
                await self._delete_tokens()
                await self._trim_chains()
            except Exception:
                # Nobody waits for it, and it must be there when the database is again.
                error_log.exception("what is old could not be deleted")
            await asyncio.sleep(_EVERY_SECONDS)

    async def _delete_tokens(self) -> None:
        # The clock of a sandbox's client may be set back to when such a token was good.
        if self._services.settings.sandbox:
            return
        after: bytes | None = b""
        while after is not None:
            after = await delete_over(self._services.store, after, self._services.clock.now())
            await asyncio.sleep(_REST_SECONDS)

    async def _trim_chains(self) -> None:
        days, store = self._services.settings.audit_days, self._services.store
        if days is None:
            return
        client_id = ""
        while chains := await chains_after(store, client_id):
            for client_id in chains:
                now = await self._services.worlds.now_of(client_id)
                await self._trim(client_id, now - days * DAY, now)
            await asyncio.sleep(_REST_SECONDS)

    async def _trim(self, client_id: str, before: int, now: int) -> None:
        more = True
        while more:
            more = await trim(self._services.store, client_id, before, now)
            await asyncio.sleep(_REST_SECONDS)
