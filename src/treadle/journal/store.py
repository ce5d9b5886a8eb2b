"""A store that has what a Change takes away in the journal before the Change is answered."""

from __future__ import annotations

from typing import Any, TypeVar

from treadle.journal.file import Journal
from treadle.store.change import Change, Store
from treadle.store.statements import Query

R = TypeVar("R")


class JournaledStore:
    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    async def first(self, query: Query[R], /, **parameters: Any) -> R | None:
        return await self._store.first(query, **parameters)

    async def all(self, query: Query[R], /, **parameters: Any) -> list[R]:
        return await self._store.all(query, **parameters)

    async def commit(self, change: Change) -> None:
        """Where the journal has no room the caller is told of a failure, and nothing is undone."""
        await self._store.commit(change)
        if change.withdrawals:
            await self._journal.append(change.withdrawals)

    async def close(self) -> None:
        await self._store.close()
