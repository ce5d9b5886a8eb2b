"""A page of changes, and the pages that a process keeps at hand."""

from __future__ import annotations

import datetime as dt

import msgspec
from cachetools import LRUCache

from treadle.bank.cursor import Cursor
from treadle.http.encoding import Verbatim

_PAGE_OVERHEAD = 1_000
# How many bytes of pages a process keeps at most.
_CACHE_BYTES = 32 * 1_048_576


class Page(msgspec.Struct, frozen=True):
    """Lists of entries, as the API shows them by default."""

    added: Verbatim
    modified: Verbatim
    removed: Verbatim
    next_cursor: str
    has_more: bool

    @property
    def size(self) -> int:
        """About how many bytes it takes to keep it."""
        lists = (self.added, self.modified, self.removed)
        return sum([len(one.data) for one in lists]) + _PAGE_OVERHEAD


# By the world: its client, and how often that was replaced. The day is that of the oldest entry.
Pages = LRUCache[tuple[str, int, str, Cursor, int, dt.date | None], Page]


def page_cache() -> Pages:
    return LRUCache(_CACHE_BYTES, getsizeof=lambda page: page.size)
