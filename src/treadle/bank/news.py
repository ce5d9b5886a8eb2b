"""What an update of a product brought, for those who are told of it."""

from __future__ import annotations

import datetime as dt

import msgspec

from treadle.bank.rows import Item
from treadle.bank.updates import Update


class EntryNews(msgspec.Struct):
    """What became of entries, of one account or of several."""

    added: int = 0
    # Those of them that are recent enough for a first update.
    recent: int = 0
    changed: int = 0
    # The ids of those that are gone.
    removed: list[str] = []

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class Progress(msgspec.Struct, frozen=True):
    """How far a product had come."""

    initial: bool
    historical: bool


class News(msgspec.Struct):
    item: Item
    update: Update
    before: Progress
    after: Progress
    # Whether it was begun by a call that did not wait for it.
    asynchronous: bool
    # The first day that counts as recent.
    recent_since: dt.date
    # By account id.
    entries: dict[str, EntryNews] = {}
    details: dict[str, msgspec.Struct] | None = None

    def of(self, account_id: str) -> EntryNews:
        return self.entries.setdefault(account_id, EntryNews())

    def total(self, account_id: str | None) -> EntryNews:
        """What is new about one account, or about all."""
        if account_id is not None:
            return self.of(account_id)
        parts = self.entries.values()
        return EntryNews(
            sum(part.added for part in parts),
            sum(part.recent for part in parts),
            sum(part.changed for part in parts),
            [entry_id for part in parts for entry_id in part.removed],
        )

    def note_added(self, account_id: str, date: dt.date) -> None:
        news = self.of(account_id)
        news.added += 1
        news.recent += date >= self.recent_since
