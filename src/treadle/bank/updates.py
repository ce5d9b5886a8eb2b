"""The updates of an Item's products and the entries they brought, as they are stored."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update

from treadle.bank.model import AccountData
from treadle.sources.source import KnownAccount, KnownEntry
from treadle.store.columns import is_named_in
from treadle.store.statements import Query, Write
from treadle.store.tables import account_details, accounts, entries, items, updates

_decode_account = msgspec.json.Decoder(AccountData).decode


class Update(msgspec.Struct):
    """How far a product of an Item has been brought up to date."""

    item_id: str
    product: str
    client_id: str
    started_at: int
    days_requested: int
    updated_at: int | None
    refreshes: int
    sequence: int
    revision: int
    # 1 once the developer has asked for what changed.
    synced: int = 0
    # What was last told of recurring streams; null until anyone asks for them.
    streams_json: str | None = None
    # The first day of which the source told that something is new.
    news_since: str | None = None


def of_product(table: Any) -> tuple[ColumnElement[bool], ...]:
    """The rows of one product of one Item; `client_id` is the Item's client."""
    return (
        table.c.item_id == bindparam("item_id"),
        table.c.product == bindparam("product"),
        table.c.client_id == bindparam("client_id"),
    )


UPDATE_OF_ITEM = Query(select(*updates.columns).where(*of_product(updates)), Update)
UPDATES_OF_ITEM = Query(
    select(*updates.columns)
    .where(updates.c.item_id == bindparam("item_id"))
    .where(updates.c.client_id == bindparam("client_id"))
    .order_by(updates.c.product),
    Update,
)
INSERT_UPDATE = Write.insert(updates)
_the_update = (
    updates.c.item_id == bindparam("the_item_id"),
    updates.c.product == bindparam("the_product"),
    updates.c.client_id == bindparam("the_client_id"),
)
# Touches no row once another update came first.
MOVE_UPDATE = Write(
    update(updates)
    .where(*_the_update)
    .where(updates.c.revision == bindparam("seen_revision"))
    .values(
        updated_at=bindparam("updated_at"),
        refreshes=bindparam("refreshes"),
        sequence=bindparam("sequence"),
        news_since=bindparam("news_since"),
        revision=updates.c.revision + 1,
    )
)

MARK_SYNCED = Write(update(updates).where(*_the_update).values(synced=1))
SET_STREAMS = Write(update(updates).where(*_the_update).values(streams=bindparam("streams")))

LOGIN_OF_ITEM = Query(
    select(items.c.login)
    .where(items.c.item_id == bindparam("item_id"))
    .where(items.c.client_id == bindparam("client_id"))
    .where(items.c.removed_at.is_(None), items.c.login.is_not(None)),
    bytes,
)


def login_place(item_id: str) -> str:
    """What binds a sealed login to its row."""
    return f"items/login/{item_id}"


def _known_account(
    account_id: str, position: int, data_json: str, source_key: str | None
) -> KnownAccount:
    return KnownAccount(account_id, position, _decode_account(data_json), source_key)


KNOWN_ACCOUNTS = Query(
    select(accounts.c.account_id, accounts.c.position, accounts.c.data, accounts.c.source_key)
    .where(accounts.c.item_id == bindparam("item_id"))
    .where(accounts.c.client_id == bindparam("client_id"))
    .order_by(accounts.c.position),
    _known_account,
)
SET_ACCOUNT_DATA = Write(
    update(accounts)
    .where(accounts.c.item_id == bindparam("the_item_id"))
    .where(accounts.c.client_id == bindparam("the_client_id"))
    .where(accounts.c.account_id == bindparam("the_account_id"))
    .values(data=bindparam("data"))
)


KNOWN_ENTRIES = Query(
    select(
        entries.c.entry_id,
        entries.c.account_id,
        entries.c.source_key,
        entries.c.pending,
        entries.c.data,
        entries.c.original_description,
    )
    .where(*of_product(entries))
    .where(entries.c.removed.is_(None))
    .where(or_(entries.c.date >= bindparam("since"), entries.c.pending == 1))
    .order_by(entries.c.changed),
    KnownEntry,
)
INSERT_ENTRY = Write.insert(entries)
_the_entry = (
    entries.c.item_id == bindparam("the_item_id"),
    entries.c.product == bindparam("the_product"),
    entries.c.client_id == bindparam("the_client_id"),
    entries.c.entry_id == bindparam("the_entry_id"),
)
CHANGE_ENTRY = Write(
    update(entries)
    .where(*_the_entry)
    .values(
        date=bindparam("date"),
        pending=bindparam("pending"),
        data=bindparam("data"),
        original_description=bindparam("original_description"),
        changed=bindparam("sequence"),
    )
)
# What is left of an entry is what a reader is told of its removal.
REMOVE_ENTRY = Write(
    update(entries)
    .where(*_the_entry)
    .values(
        pending=0,
        data=bindparam("data"),
        original_description=None,
        changed=bindparam("sequence"),
        removed=bindparam("sequence"),
    )
)

DETAILS_OF_ACCOUNTS = Query(
    select(account_details.c.account_id, account_details.c.data)
    .where(*of_product(account_details))
    .where(is_named_in(account_details.c.account_id, bindparam("account_ids"))),
    lambda account_id, data: (account_id, data),
)
DETAILS_OF_PRODUCT = Query(
    select(account_details.c.account_id, account_details.c.data)
    .where(*of_product(account_details))
    .order_by(account_details.c.account_id),
    lambda account_id, data: (account_id, data),
)
DELETE_DETAILS = Write(delete(account_details).where(*of_product(account_details)))
INSERT_DETAIL = Write.insert(account_details)

# What goes with an Item that is removed.
DELETE_BANK_DATA = [
    Write(
        delete(table)
        .where(table.c.item_id == bindparam("item_id"))
        .where(table.c.client_id == bindparam("client_id"))
    )
    for table in (accounts, updates, entries, account_details)
]
