"""The stored tables as a batch of records sees them: rows by their keys, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import (
    Column,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)

from treadle.bank.rows import wake_by
from treadle.ingest.turns import in_turns
from treadle.sources.stored.rows import of_institution
from treadle.store.change import Change
from treadle.store.columns import is_named_in, named_rows
from treadle.store.statements import Query, Write
from treadle.store.stored_tables import (
    stored_access,
    stored_accounts,
    stored_entries,
    stored_institutions,
    stored_securities,
    stored_users,
)
from treadle.store.tables import accounts, items, updates

# Without the client's id, which is the same for all.
Key = tuple[str, ...]
R = TypeVar("R", bound=tuple[Any, ...])


class InstitutionRow(NamedTuple):
    data_json: str


class UserRow(NamedTuple):
    username: str | None
    password_hash: str | None
    failures: int = 0
    locked_until: int = 0


class AccountRow(NamedTuple):
    data_json: str
    sealed_numbers: bytes | None = None
    holdings_json: str | None = None
    liability_json: str | None = None


class AccessRow(NamedTuple):
    position: int
    ended: int


class EntryRow(NamedTuple):
    date: str
    data_json: str


class SecurityRow(NamedTuple):
    data_json: str


class StoredTable:
    """The statements on the rows of one table."""

    def __init__(self, table: Table, row: type[Any]) -> None:
        keys = [one for one in table.primary_key.columns if one.name != "client_id"]
        values = [one for one in table.columns if not one.primary_key]
        the_row = [table.c.client_id == bindparam("the_client_id")]
        the_row += [one == bindparam(f"the_{one.name}") for one in keys]
        self._row = row
        self._columns = (*keys, *values)
        self.keys = [one.name for one in keys]
        self.values = [one.name for one in values]
        self._table = table
        self.named = self.query(*keys[1:])
        self.insert = Write.insert(table)
        self.change = Write(
            update(table).where(*the_row).values({one: bindparam(one.name) for one in values})
        )
        self.delete = Write(delete(table).where(*the_row))

    def query(self, *columns: Column[Any]) -> Query[tuple[Key, Any]]:
        """Rows of an institution with their keys, by what stands in columns."""
        end, table = len(self.keys), self._table
        rows = named_rows(table, bindparam("names"), *columns) if columns else table
        return Query(
            select(*self._columns).select_from(rows).where(of_institution(table)),
            lambda *found: (found[:end], self._row(*found[end:])),
        )


INSTITUTIONS = StoredTable(stored_institutions, InstitutionRow)
USERS = StoredTable(stored_users, UserRow)
ACCOUNTS = StoredTable(stored_accounts, AccountRow)
ACCESS = StoredTable(stored_access, AccessRow)
ENTRIES = StoredTable(stored_entries, EntryRow)
SECURITIES = StoredTable(stored_securities, SecurityRow)


class Shelf(dict[Key, R]):
    """Rows of one table, which a batch changes at will; what differs in the end is written."""

    def __init__(self, table: StoredTable) -> None:
        self._table = table
        self._before: dict[Key, R] = {}

    def lay(self, found: Iterable[tuple[Key, R]]) -> None:
        """Add rows as they are stored, but for those that are here."""
        for key, row in found:
            if key not in self._before:
                self._before[key] = self[key] = row

    def purge(self, *beginning: str) -> None:
        """Drop all rows whose key begins so; others see to it that they are deleted."""
        size = len(beginning)
        for rows in (self, self._before):
            for key in [one for one in rows if one[:size] == beginning]:
                del rows[key]

    def differences(self) -> Iterator[tuple[Key, R | None, R | None]]:
        """What is new, changed or gone: each key with its row before and after."""
        for key, before in self._before.items():
            if (after := self.get(key)) != before:
                yield key, before, after
        for key, after in self.items():
            if key not in self._before:
                yield key, None, after

    async def write(self, change: Change, client_id: str) -> None:
        table = self._table
        new, changed, gone = [], [], []
        async for key, before, after in in_turns(self.differences()):
            if before is None and after is not None:
                named = dict(zip(table.keys, key, strict=True))
                named.update(zip(table.values, after, strict=True))
                named["client_id"] = client_id
                new.append(named)
                continue
            the_row = {f"the_{name}": one for name, one in zip(table.keys, key, strict=True)}
            the_row["the_client_id"] = client_id
            if after is None:
                gone.append(the_row)
            else:
                changed.append(the_row | dict(zip(table.values, after, strict=True)))
        change.write_many(table.delete, gone)
        change.write_many(table.change, changed)
        change.write_many(table.insert, new)


INSTITUTION_COUNT = Query(
    select(func.count())
    .select_from(stored_institutions)
    .where(stored_institutions.c.client_id == bindparam("client_id")),
    int,
)
USERS_NAMED = USERS.query(stored_users.c.username)
ACCESS_OF_USERS = ACCESS.query(stored_access.c.user_id)
ACCESS_OF_ACCOUNTS = ACCESS.query(stored_access.c.account_id)
DELETE_ENTRIES = Write(
    delete(stored_entries)
    .where(stored_entries.c.client_id == bindparam("the_client_id"))
    .where(stored_entries.c.institution_id == bindparam("the_institution_id"))
    .where(stored_entries.c.account_id == bindparam("the_account_id"))
)

# The Items of a client that read an institution of its own.
_items_at = and_(
    items.c.client_id == bindparam("the_client_id"),
    items.c.institution_id == bindparam("the_institution_id"),
    items.c.source == "stored",
    items.c.removed_at.is_(None),
)
_reading_accounts = (
    select(accounts.c.item_id)
    .where(accounts.c.client_id == bindparam("the_client_id"))
    .where(accounts.c.source_key.is_not(None))
    .where(is_named_in(accounts.c.source_key, bindparam("account_ids")))
)


def _tell_news(*conditions: Any) -> Write:
    """Have what Items know of a product compared from a day on, at the next occasion."""
    since = bindparam("since", type_=Text)
    return Write(
        update(updates)
        .where(updates.c.client_id == bindparam("the_client_id"))
        .where(updates.c.product == bindparam("the_product"))
        .where(updates.c.item_id.in_(select(items.c.item_id).where(_items_at, *conditions)))
        .values(
            news_since=case((updates.c.news_since < since, updates.c.news_since), else_=since),
            # An update that is under way has not seen the news.
            revision=updates.c.revision + 1,
        )
    )


TELL_NEWS = _tell_news(items.c.item_id.in_(_reading_accounts))
TELL_NEWS_TO_ALL = _tell_news()


WAKE_READERS = wake_by(_items_at, items.c.item_id.in_(_reading_accounts))
_with_news = (
    select(updates.c.item_id)
    .where(updates.c.client_id == bindparam("the_client_id"))
    .where(updates.c.news_since.is_not(None))
)
WAKE_THOSE_WITH_NEWS = wake_by(items.c.item_id.in_(_with_news))


def encode_names(names: Iterable[Any]) -> str:
    return msgspec.json.encode(sorted(names)).decode()
