"""Finding the entries of an Item's product: by date, and by when they changed.

A reader that goes on from a cursor is told of an entry once, by what became of it since: it was
added, modified or removed. Each change gave the entry the next number of its product, so what
happened after a number is one range of an index, however long the history behind it is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, and_, bindparam, case, exists, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from treadle.bank.rows import ACCOUNT_COLUMNS, Account
from treadle.bank.updates import of_product
from treadle.store.columns import is_named_in
from treadle.store.statements import Query
from treadle.store.tables import accounts, entries


class members_joined(GenericFunction[str]):
    """The texts of all rows with commas between them, in the order of the rows."""

    inherit_cache = True
    type = Text()


@compiles(members_joined, "sqlite")
def _sqlite_members_joined(element: members_joined, compiler: Any, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)})"


@compiles(members_joined, "postgresql")
def _postgresql_members_joined(element: members_joined, compiler: Any, **options: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **options)}, ',')"


class Shown(msgspec.Struct, gc=False):
    """An entry as it stands."""

    data_json: str
    original_description: str | None


class Kind(StrEnum):
    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"


class Changes(msgspec.Struct, gc=False):
    """What became of entries since a reader last asked, by its kind."""

    count: int
    # The number of the last change.
    last: int | None
    # The entries as they stand, with commas between them; null when there are none.
    added: str | None
    modified: str | None
    removed: str | None


# The accounts that have entries at all, as the Item's source orders them.
ACCOUNTS_WITH_ENTRIES = Query(
    select(*ACCOUNT_COLUMNS)
    .where(accounts.c.item_id == bindparam("item_id"))
    .where(accounts.c.client_id == bindparam("client_id"))
    .where(
        exists()
        .where(entries.c.item_id == accounts.c.item_id)
        .where(entries.c.product == bindparam("product"))
        .where(entries.c.account_id == accounts.c.account_id)
    )
    .order_by(accounts.c.position),
    Account,
)

_of_account = entries.c.account_id == bindparam("account_id")
_since = entries.c.date >= bindparam("first_date")
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


def _changes(*conditions: ColumnElement[bool]) -> Query[Changes]:
    """One row, for handing over hundreds costs a multiple of finding them."""
    news = (
        select(entries.c.client_id, _kind.label("kind"), entries.c.changed, entries.c.data)
        .where(*of_product(entries), _news, *conditions)
        # The order in which they are joined.
        .order_by(entries.c.changed)
        .limit(bindparam("count"))
        .subquery()
    )
    columns: list[ColumnElement[Any]] = [func.count(), func.max(news.c.changed)]
    columns += [members_joined(news.c.data).filter(news.c.kind == kind) for kind in Kind]
    return Query(
        select(*columns).where(news.c.client_id == bindparam("client_id")),
        Changes,
    )


CHANGES = _changes()
CHANGES_OF_ACCOUNT = _changes(_of_account)
CHANGES_OF_ACCOUNT_SINCE = _changes(_of_account, _since)


def _next_change(*conditions: ColumnElement[bool]) -> Query[int]:
    return Query(
        select(entries.c.changed).where(*of_product(entries), _news, *conditions).limit(1), int
    )


NEXT_CHANGE = _next_change()
NEXT_CHANGE_OF_ACCOUNT = _next_change(_of_account)
NEXT_CHANGE_OF_ACCOUNT_SINCE = _next_change(_of_account, _since)


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
MOVED_OF_ACCOUNT_SINCE = _moved(_of_account, _since)

# What the bank wrote, which is shown to those alone who ask for it.
ORIGINAL_DESCRIPTIONS = Query(
    select(entries.c.entry_id, entries.c.original_description)
    .where(*of_product(entries))
    .where(is_named_in(entries.c.entry_id, bindparam("entry_ids"))),
    lambda entry_id, description: (entry_id, description),
)
