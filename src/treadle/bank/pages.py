"""Pages of a stream of changes, for an Item or for one of its accounts."""

from __future__ import annotations

from typing import Any

from treadle.bank.cursor import Cursor
from treadle.bank.entries import (
    CHANGES,
    CHANGES_OF_ACCOUNT,
    CHANGES_OF_ACCOUNT_SINCE,
    MOVED,
    MOVED_OF_ACCOUNT,
    MOVED_OF_ACCOUNT_SINCE,
    NEXT_CHANGE,
    NEXT_CHANGE_OF_ACCOUNT,
    NEXT_CHANGE_OF_ACCOUNT_SINCE,
)
from treadle.bank.page import Page
from treadle.bank.updates import Update
from treadle.call import ClientCall
from treadle.http import errors
from treadle.http.encoding import Verbatim
from treadle.store.change import GuardFailed

# Begins after everything that is there, for a reader that knows it from `/transactions/get`.
_NOW = "now"
_NOTHING = Verbatim(b"[]")


async def read_page(
    call: ClientCall, update: Update, account_id: str | None, cursor: str | None, count: int
) -> Page:
    """The changes that follow a cursor, in the order in which they came, at most `count`.

    Raises ApiError when the cursor belongs elsewhere, or when what the pages before it told has
    changed meanwhile.
    """
    if update.updated_at is None:
        return Page(_NOTHING, _NOTHING, _NOTHING, next_cursor="", has_more=False)
    stream = _Stream(call, update, account_id)
    at = _parse(cursor, stream.name, update.sequence)
    if at.in_loop and await stream.has_moved(at.head):
        raise errors.TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION()
    # What was added since the loop began is told in it too.
    at = Cursor(at.start, at.position, update.sequence)
    # In one world a page follows from the numbers of its changes, so it never grows old there.
    world = (update.client_id, call.owner.epoch)
    key = (*world, stream.name, at, count, call.transactions_from)
    pages = call.services.pages
    page = pages.get(key)
    if page is None:
        page = await stream.read(at, count)
        if await stream.has_moved(at.head):
            raise GuardFailed("an entry changed while it was read")
        if page.size <= pages.maxsize:
            pages[key] = page
    return page


class _Stream:
    """The changes of an Item's product, or of those of one of its accounts."""

    def __init__(self, call: ClientCall, update: Update, account_id: str | None) -> None:
        self.name = f"{update.item_id}/{update.product}/{account_id or ''}"
        self._call = call
        self._rows: dict[str, Any] = {
            "item_id": update.item_id,
            "product": update.product,
            "client_id": update.client_id,
        }
        self._changes, self._next, self._moved = CHANGES, NEXT_CHANGE, MOVED
        if account_id is not None:
            self._rows["account_id"] = account_id
            self._changes, self._next, self._moved = (
                CHANGES_OF_ACCOUNT,
                NEXT_CHANGE_OF_ACCOUNT,
                MOVED_OF_ACCOUNT,
            )
        # Partners alone are limited so, and each of them reads one account.
        since = call.transactions_from
        if since is not None:
            self._rows["first_date"] = since.isoformat()
            self._changes, self._next, self._moved = (
                CHANGES_OF_ACCOUNT_SINCE,
                NEXT_CHANGE_OF_ACCOUNT_SINCE,
                MOVED_OF_ACCOUNT_SINCE,
            )

    async def has_moved(self, head: int) -> bool:
        """Whether an entry that a reader up to there counts on has changed since."""
        return await self._call.first(self._moved, head=head, **self._rows) is not None

    async def read(self, at: Cursor, count: int) -> Page:
        limits = {"start": at.start, "head": at.head, **self._rows}
        (found,) = await self._call.all(self._changes, position=at.position, count=count, **limits)
        last = found.last or at.position
        has_more = (
            found.count == count
            and await self._call.first(self._next, position=last, **limits) is not None
        )
        following = Cursor(at.start, last, at.head) if has_more else Cursor.at(at.head)
        return Page(
            _list(found.added),
            _list(found.modified),
            _list(found.removed),
            following.text(self.name),
            has_more,
        )


def _list(members: str | None) -> Verbatim:
    """What stands in the database is not decoded only to be encoded again."""
    return Verbatim(f"[{members or ''}]".encode())


def _parse(text: str | None, stream: str, sequence: int) -> Cursor:
    if not text:
        return Cursor.at(0)
    if text == _NOW:
        return Cursor.at(sequence)
    try:
        cursor = Cursor.parse(text, stream)
    except ValueError:
        cursor = None
    if cursor is None or cursor.head > sequence:
        raise errors.INVALID_FIELD(problem="cursor not associated with access_token")
    return cursor
