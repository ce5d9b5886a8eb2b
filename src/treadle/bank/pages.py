"""Pages of a stream of changes, for an Item or for one of its accounts."""

from __future__ import annotations

import msgspec

from treadle.bank.cursor import Cursor
from treadle.bank.entries import (
    CHANGES,
    CHANGES_OF_ACCOUNT,
    MOVED,
    MOVED_OF_ACCOUNT,
    Changed,
    Kind,
)
from treadle.bank.updates import Update
from treadle.call import OpenCall
from treadle.http import errors

# Begins after everything that is there, for a reader that knows it from `/transactions/get`.
_NOW = "now"


class Page(msgspec.Struct):
    added: list[Changed]
    modified: list[Changed]
    removed: list[Changed]
    next_cursor: str
    has_more: bool


async def read_page(
    call: OpenCall, update: Update, account_id: str | None, cursor: str | None, count: int
) -> Page:
    """The changes that follow a cursor, in the order in which they came, at most `count`.

    Raises ApiError when the cursor belongs elsewhere, or when what the pages before it told has
    changed meanwhile.
    """
    stream = f"{update.item_id}/{update.product}/{account_id or ''}"
    if update.updated_at is None:
        return Page([], [], [], next_cursor="", has_more=False)
    at = _parse(cursor, stream, update.sequence)
    rows = {
        "item_id": update.item_id,
        "product": update.product,
        "client_id": update.client_id,
    }
    changes, moved = CHANGES, MOVED
    if account_id is not None:
        rows["account_id"] = account_id
        changes, moved = CHANGES_OF_ACCOUNT, MOVED_OF_ACCOUNT
    if not at.in_loop:
        at = Cursor(at.start, at.position, update.sequence)
    elif await call.first(moved, head=at.head, **rows) is not None:
        raise errors.TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION()
    limits = {"start": at.start, "position": at.position, "head": at.head, "count": count + 1}
    found = await call.all(changes, **rows, **limits)
    has_more = len(found) > count
    told = found[:count]
    following = Cursor(at.start, told[-1].sequence, at.head) if has_more else Cursor.at(at.head)
    page = Page([], [], [], following.text(stream), has_more)
    lists = {Kind.ADDED: page.added, Kind.MODIFIED: page.modified, Kind.REMOVED: page.removed}
    for one in told:
        lists[Kind(one.kind)].append(one)
    return page


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
