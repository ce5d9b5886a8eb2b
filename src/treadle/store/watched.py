"""A store with somebody who looks on at what it is asked and how long that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from treadle.clock import stopwatch
from treadle.store.change import Change, Store
from treadle.store.statements import Query

R = TypeVar("R")

# Told of each read or commit, and of the seconds that it took, whatever came of it.
Watch = Callable[[Query[Any] | Change, float], None]


class WatchedStore:
    def __init__(self, store: Store, watches: Sequence[Watch]) -> None:
        self._store = store
        self._watches = watches

    async def first(self, query: Query[R], /, **parameters: Any) -> R | None:
        started = stopwatch()
        try:
            return await self._store.first(query, **parameters)
        finally:
            self._tell(query, stopwatch() - started)

    async def all(self, query: Query[R], /, **parameters: Any) -> list[R]:
        started = stopwatch()
        try:
            return await self._store.all(query, **parameters)
        finally:
            self._tell(query, stopwatch() - started)

    async def commit(self, change: Change) -> None:
        started = stopwatch()
        try:
            await self._store.commit(change)
        finally:
            self._tell(change, stopwatch() - started)

    async def close(self) -> None:
        await self._store.close()

    def _tell(self, what: Query[Any] | Change, seconds: float) -> None:
        for watch in self._watches:
            watch(what, seconds)
