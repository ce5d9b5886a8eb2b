"""Whether this process can serve, for those who decide where requests are sent."""

from __future__ import annotations

import asyncio

from treadle.http.protocol import JoiningProtocol
from treadle.store.change import Store
from treadle.store.key_check import holds_key_check
from treadle.store.urgency import URGENT

_PATIENCE_SECONDS = 2.0

READY, STOPPING, NO_DATABASE = "ready", "stopping", "no database"


class Readiness:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._asking: asyncio.Task[bool] | None = None

    async def state(self) -> str:
        if JoiningProtocol.stopping:
            return STOPPING
        # Those who ask at the same time share one question, so a database that is silent has
        # one to answer, however long it stays so.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.wait({self._asking}, timeout=_PATIENCE_SECONDS)
        answered = self._asking.done() and self._asking.result()
        return READY if answered else NO_DATABASE

    def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self) -> bool:
        # A database that is busy with other requests is there.
        URGENT.set(True)
        try:
            return await holds_key_check(self._store)
        except Exception:
            # Whatever a driver raises, the answer is that it cannot be asked.
            return False
