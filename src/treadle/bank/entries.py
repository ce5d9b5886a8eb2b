"""Finding the entries of an Item's product: by date, and by when they changed.

A reader that goes on from a cursor is told of an entry once, by what became of it since: it was
added, modified or removed. Each change gave the entry the next number of its product, so what
happened after a number is one range of an index, however long the history behind it is.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, or_, select

from treadle.bank.rows import ACCOUNT_COLUMNS, Account
from treadle.bank.updates import of_product
from treadle.store.columns import is_named_in
from treadle.store.statements import Query
from treadle.store.tables import accounts, entries


class Shown(msgspec.Struct, gc=False):
    """An entry as it stands."""

    data_json: str
    original_description: str | None


class Kind(StrEnum):
    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"


class Changed(msgspec.Struct, gc=False):
    """What became of an entry since a reader last asked."""

    kind: str
    # The number of the change.
    sequence: int
    data_json: str
    original_description: str | None


# The accounts that have entries at all, as the Item's source orders them.
ACCOUNTS_WITH_ENTRIES = Query(
    select(*ACCOUNT_COLUMNS)
    .where(accounts.c.item_id == bindparam("item_id"))
    .where(accounts.c.client_id == bindparam("client_id"))
    .where(
        exists().where(entries.c.account_id == accounts.c.account_id).where(*of_product(entries))
    )
    .order_by(accounts.c.position),
    Account,
)

_of_account = entries.c.account_id == bindparam("account_id")
_of_accounts = is_named_in(entries.c.account_id, bindparam("account_ids"))
_between = and_(
    entries.c.date >= bindparam("first_date"),
    entries.c.date <= bindparam("last_date"),
    entries.c.removed.is_(None),
)


def _by_date(*conditions: ColumnElement[bool]) -> Query[Shown]:
    return Query(
        select(entries.c.data, entries.c.original_description)
        .where(*of_product(entries), _between, *conditions)
        # Newest first; those of one day in the order in which they came, which never changes.
        .order_by(entries.c.date.desc(), entries.c.added.desc())
        .limit(bindparam("count"))
        .offset(bindparam("offset")),
        Shown,
    )


def _count(*conditions: ColumnElement[bool]) -> Query[int]:
    counted = select(func.count()).select_from(entries)
    return Query(counted.where(*of_product(entries), _between, *conditions), int)


BY_DATE = _by_date()
BY_DATE_OF_ACCOUNTS = _by_date(_of_accounts)
COUNT = _count()
COUNT_OF_ACCOUNTS = _count(_of_accounts)

# What is new to a reader that has seen everything up to `start`. One that was added since, and
# removed again, is nothing to it.
_kind = case(
    (entries.c.removed.is_not(None), Kind.REMOVED),
    (entries.c.added > bindparam("start"), Kind.ADDED),
    else_=Kind.MODIFIED,
)
_news = and_(
    entries.c.changed > bindparam("position"),
    entries.c.changed <= bindparam("head"),
    or_(entries.c.removed.is_(None), entries.c.added <= bindparam("start")),
)


def _changes(*conditions: ColumnElement[bool]) -> Query[Changed]:
    return Query(
        select(_kind, entries.c.changed, entries.c.data, entries.c.original_description)
        .where(*of_product(entries), _news, *conditions)
        .order_by(entries.c.changed)
        .limit(bindparam("count")),
        Changed,
    )


CHANGES = _changes()
CHANGES_OF_ACCOUNT = _changes(_of_account)


def _moved(*conditions: ColumnElement[bool]) -> Query[str]:
    return Query(
        select(entries.c.entry_id)
        .where(*of_product(entries))
        .where(entries.c.changed > bindparam("head"), entries.c.added <= bindparam("head"))
        .where(*conditions)
        .limit(1),
        str,
    )


# Whether an entry that a loop over pages counts on has changed since the loop began.
MOVED = _moved()
MOVED_OF_ACCOUNT = _moved(_of_account)
