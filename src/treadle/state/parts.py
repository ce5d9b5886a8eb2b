"""What a client's world consists of: the tables, and how its rows are found in them.

A table that is added to the schema belongs in one of the lists here; a test says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, Table, bindparam, delete, insert, select

from treadle.store.database_clock import database_now
from treadle.store.delegation_tables import idempotency, token_limits
from treadle.store.link_tables import link_results, link_sessions, link_tokens
from treadle.store.statements import Query, Write
from treadle.store.stored_tables import STORED_TABLES
from treadle.store.tables import (
    account_details,
    accounts,
    audit,
    audit_heads,
    clients,
    entries,
    faults,
    items,
    outbox,
    permissions,
    requests,
    signal_evaluations,
    snapshots,
    stripe_tokens,
    tokens,
    updates,
    webhook_attempts,
)

# A row with the values of all columns, in their order.
Row = tuple[Any, ...]
# The same with the names of the columns.
Named = dict[str, Any]
# By the name of the table.
Contents = dict[str, list[Row]]


class Part:
    """The rows that one table has of a client's world."""

    def __init__(
        self,
        table: Table,
        key: str | None = None,
        of: Part | None = None,
        *,
        is_large: bool = False,
    ) -> None:
        """Where no index begins with the client, `key` finds rows by those of another part.

        Of a large part only the rows are written that differ. That takes all of its changes to be
        recorded, for they are what tells that it is still as it was read.
        """
        self.name = table.name
        self.is_large = is_large
        self._columns = [column.name for column in table.columns]
        self._table = table
        self._conditions = [table.c.client_id == bindparam("client_id")]
        if key is not None and of is not None:
            self._conditions.append(table.c[key].in_(of._keys(key)))
        self.read = Query(
            select(*table.columns).where(*self._conditions).order_by(*table.primary_key.columns),
            lambda *values: values,
        )
        self.insert = _insert(table)
        self.delete = Write(delete(table).where(*self._conditions))
        keys = [column.name for column in table.primary_key.columns]
        self.key = itemgetter(*map(self._columns.index, keys))
        named = [column == bindparam(column.name) for column in table.primary_key.columns]
        self.delete_row = Write(delete(table).where(self._conditions[0], *named))

    def _keys(self, name: str) -> Select[Any]:
        return select(self._table.c[name]).where(*self._conditions)

    def named(self, row: Row) -> Named:
        return dict(zip(self._columns, row, strict=True))

    def row(self, named: Named) -> Row:
        return tuple(named[column] for column in self._columns)


def _insert(table: Table) -> Write:
    if "recorded_at" not in table.c:
        return Write.insert(table)
    # By the database's clock, which goes on whatever becomes of a world.
    named: dict[str, Any] = {column.name: bindparam(column.name) for column in table.columns}
    return Write(insert(table).values(named | {"recorded_at": database_now()}))


def _parts() -> Iterator[Part]:
    item = Part(items)
    token = Part(tokens, "item_id", item)
    link_token = Part(link_tokens)
    link_session = Part(link_sessions, "token_id", link_token)
    # Those by which others are found come after them, for they are deleted in this order.
    yield Part(permissions, "token_id", token)
    yield Part(token_limits, "token_id", token)
    yield token
    for table in (accounts, updates, account_details):
        yield Part(table, "item_id", item)
    yield Part(entries, "item_id", item, is_large=True)
    yield item
    yield Part(link_results, "session_id", link_session)
    yield link_session
    yield link_token
    yield Part(signal_evaluations)
    yield Part(faults)
    # Their answers hold tokens of this world.
    yield Part(idempotency)


PARTS = tuple(_parts())


def named_rows(contents: Contents) -> dict[str, list[Named]]:
    return {part.name: [part.named(row) for row in contents.get(part.name, [])] for part in PARTS}


def unnamed_rows(named: dict[str, list[Named]]) -> Contents:
    return {part.name: [part.row(row) for row in named.get(part.name, [])] for part in PARTS}


# What tells of webhooks is of no world: none is owed in one that was put back.
SENDING = tuple(Part(table) for table in (outbox, webhook_attempts))

# The client's own row stays, its clock, seed and counter aside, and so does what tells of the past
# or of what stands outside. Snapshots of a world are no part of it.
LEFT_OUT = (clients, audit, audit_heads, requests, stripe_tokens, snapshots, *STORED_TABLES)
