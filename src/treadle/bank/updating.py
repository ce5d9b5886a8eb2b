"""Bringing an Item's product up to date: its source is asked for a picture of what the bank shows,
and what differs from the picture before is kept as numbered changes.

It happens when the product is read and its source may have news: the first time, on a new day of
the clock, and when a refresh is asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from treadle.bank.model import Balances
from treadle.bank.news import News, Progress
from treadle.bank.rows import LOCK_ITEM, Item
from treadle.bank.updates import (
    CHANGE_ENTRY,
    DELETE_DETAILS,
    INSERT_DETAIL,
    INSERT_ENTRY,
    INSERT_UPDATE,
    KNOWN_ACCOUNTS,
    KNOWN_ENTRIES,
    LOGIN_OF_ITEM,
    MOVE_UPDATE,
    REMOVE_ENTRY,
    SET_ACCOUNT_DATA,
    UPDATE_OF_ITEM,
    Update,
    login_place,
)
from treadle.call import ClientCall, ItemCall, ProcessorCall
from treadle.clock import DAY, SECOND, to_date
from treadle.http import errors
from treadle.ids import Ids
from treadle.sources.source import KnownAccount, KnownEntry, Reading, Source
from treadle.webhooks.telling import tell
from treadle.wire.common import Products

DEFAULT_DAYS_REQUESTED = 90
MAX_DAYS_REQUESTED = 730

# What a first update brings before the history behind it has been read.
_INITIAL_DAYS = 30
# How far back a later picture reaches, for banks correct what they showed.
_LOOK_BACK_DAYS = 14

BankCall = ItemCall | ProcessorCall


class Entry(msgspec.Struct):
    """One dated entry in a picture."""

    source_key: str
    account_id: str
    date: dt.date
    # The entry as the API shows it, given its id and that of the pending entry it replaced.
    show: Callable[[str, str | None], msgspec.Struct]
    pending: bool = False
    pending_key: str | None = None
    original_description: str | None = None


class Picture(msgspec.Struct):
    """What a source shows of one product, for any product."""

    entries: list[Entry] = []
    # The source keys of known entries that stand as they are.
    kept: frozenset[str] = frozenset()
    # By account id.
    details: dict[str, msgspec.Struct] | None = None
    balances: dict[str, Balances] = {}


class Product(msgspec.Struct, frozen=True):
    """A product that is kept up to date."""

    name: Products
    # The kind of the ids of its entries, and what a reader is told of one that was removed.
    entry: str
    read: Callable[[Source, Reading], Awaitable[Picture]]
    # What remains to be told once an update is kept.
    tell_later: Callable[[ClientCall, Item, Update], Awaitable[None]] | None = None


def start_update(call: ClientCall, item_id: str, product: str, client_id: str, days: int) -> Update:
    """Begin to keep a product up to date, from now on and for so many days before."""
    started = Update(item_id, product, client_id, call.now, days, None, 0, 0, 0)
    row = msgspec.structs.asdict(started)
    call.change.write(INSERT_UPDATE, streams=row.pop("streams_json"), **row)
    return started


async def bring_up_to_date(
    call: BankCall,
    product: Product,
    *,
    days_requested: int | None = None,
    refresh: bool = False,
    ready_seconds: int | None = None,
) -> Update:
    """Ask the source when it may have news, and keep the news. Answers how far the product is.

    `ready_seconds` is for a product that takes another time than most to become ready. Raises
    ApiError when the Item is gone.
    """
    item = call.item
    begun = await call.first(
        UPDATE_OF_ITEM, item_id=item.item_id, client_id=item.client_id, product=product.name
    )
    days = days_requested or DEFAULT_DAYS_REQUESTED
    update = begun or start_update(call, item.item_id, product.name, item.client_id, days)
    if ready_seconds is None:
        ready_seconds = call.services.settings.product_ready_seconds
    if begun is None:
        call.wake_item(item)
    ready = Readiness(update, ready_seconds)
    if ready.is_due(call.now) or (refresh and update.updated_at is not None):
        update.refreshes += refresh
        await _read(call, update, product, ready, asynchronous=begun is not None)
    elif begun:
        return update
    else:
        _hold(call)
    # The source's answer, or that the product was begun, is kept whatever becomes of the call.
    await call.commit()
    if product.tell_later is not None and update.updated_at == call.now:
        await product.tell_later(call, item, update)
        if call.change:
            await call.commit()
    return update


def _hold(call: BankCall) -> None:
    """Let the Change be kept only while the Item is there."""
    call.change.write(LOCK_ITEM, the_item_id=call.item.item_id, the_client_id=call.item.client_id)


class Readiness(msgspec.Struct):
    """When a product that was begun has its first data and its whole history."""

    update: Update
    ready_seconds: int

    @property
    def initial_at(self) -> int:
        return self.update.started_at + self.ready_seconds * SECOND

    @property
    def historical_at(self) -> int:
        return self.initial_at + self.ready_seconds * SECOND

    @property
    def progress(self) -> Progress:
        return Progress(self.update.updated_at is not None, self.historical_done)

    @property
    def historical_done(self) -> bool:
        updated_at = self.update.updated_at
        return updated_at is not None and updated_at >= self.historical_at

    def is_due(self, now: int) -> bool:
        """Whether the source may have news."""
        if now < self.initial_at:
            return False
        updated_at = self.update.updated_at
        if updated_at is None or updated_at < self.historical_at <= now:
            return True
        if self.update.news_since is not None:
            return True
        return now // DAY > updated_at // DAY

    @property
    def due_at(self) -> int:
        """When the source may next have news."""
        updated_at = self.update.updated_at
        if updated_at is None:
            return self.initial_at
        if self.update.news_since is not None:
            return updated_at
        tomorrow = (updated_at // DAY + 1) * DAY
        return tomorrow if self.historical_done else min(tomorrow, self.historical_at)

    def since(self, now: int) -> dt.date:
        """The first day that the next picture covers."""
        today = to_date(now)
        first = to_date(self.update.started_at) - dt.timedelta(days=self.update.days_requested)
        updated_at = self.update.updated_at
        if updated_at is None or not self.historical_done:
            if now >= self.historical_at:
                return first
            return max(first, today - dt.timedelta(days=_INITIAL_DAYS))
        looked_back = to_date(updated_at) - dt.timedelta(days=_LOOK_BACK_DAYS)
        news_since = self.update.news_since
        if news_since is not None:
            looked_back = min(looked_back, dt.date.fromisoformat(news_since))
        return max(first, looked_back)


async def _read(
    call: BankCall, update: Update, product: Product, ready: Readiness, *, asynchronous: bool
) -> None:
    item, since = call.item, ready.since(call.now)
    rows = {"item_id": item.item_id, "client_id": item.client_id}
    sealed = await call.first(LOGIN_OF_ITEM, **rows)
    if sealed is None:
        raise errors.ITEM_NOT_FOUND()
    reading = Reading(
        secret=call.services.keys.unseal(sealed, login_place(item.item_id)),
        accounts=await call.all(KNOWN_ACCOUNTS, **rows),
        today=to_date(call.now),
        since=since,
        refreshes=update.refreshes,
        known=await call.all(KNOWN_ENTRIES, product=product.name, since=since.isoformat(), **rows),
    )
    picture = await product.read(call.services.sources.named(item.source), reading)
    _keep_balances(call, item, reading.accounts, picture)
    await keep_picture(call, ready, product, picture, reading.known, asynchronous=asynchronous)


async def keep_picture(
    call: BankCall,
    ready: Readiness,
    product: Product,
    picture: Picture,
    known: list[KnownEntry],
    *,
    asynchronous: bool = False,
) -> None:
    """Add to the call's Change what differs from what is known, and the webhooks that tell of it.

    The ids of both derive from the update, so that they are the same whoever makes it.
    """
    item, update = call.item, ready.update
    ids = call.services.worlds.scoped(
        call.owner, f"{update.item_id}/{update.product}/{update.revision}"
    )
    _hold(call)
    news = News(
        item,
        update,
        before=ready.progress,
        after=Progress(initial=True, historical=call.now >= ready.historical_at),
        asynchronous=asynchronous,
        recent_since=to_date(call.now) - dt.timedelta(days=_INITIAL_DAYS),
        details=picture.details,
    )
    _Changes(call, update, product, known, ids, news).make(picture)
    await tell(call, news, ids)
    _keep_details(call, item, product, picture)
    call.record(
        "item.update",
        owner=item.client_id,
        item_id=item.item_id,
        detail={"product": product.name, "sequence": update.sequence},
    )
    update.updated_at = call.now
    call.change.write(
        MOVE_UPDATE,
        the_item_id=update.item_id,
        the_product=update.product,
        the_client_id=update.client_id,
        seen_revision=update.revision,
        updated_at=update.updated_at,
        refreshes=update.refreshes,
        sequence=update.sequence,
        news_since=None,
    )
    update.revision += 1


class _Changes:
    """Numbers the differences between what is known and what a picture shows."""

    def __init__(
        self,
        call: BankCall,
        update: Update,
        product: Product,
        known: list[KnownEntry],
        ids: Ids,
        news: News,
    ) -> None:
        self._call = call
        self._ids = ids
        self._news = news
        self._update = update
        self._entry = product.entry
        self._known = {one.source_key: one for one in known}
        self._of_product: dict[str, Any] = {
            "the_item_id": update.item_id,
            "the_product": update.product,
            "the_client_id": update.client_id,
        }

    def make(self, picture: Picture) -> None:
        shown = sorted(picture.entries, key=lambda entry: (entry.date, not entry.pending))
        self._call.change.write_many(
            INSERT_ENTRY, [row for entry in shown if (row := self._insert_or_change(entry))]
        )
        gone = self._known.keys() - {entry.source_key for entry in shown} - picture.kept
        for source_key in sorted(gone):
            self._remove(self._known[source_key])

    def _insert_or_change(self, entry: Entry) -> dict[str, Any] | None:
        """The row to insert for an entry that is new; changes what is known of one that is not."""
        known = self._known.get(entry.source_key)
        entry_id = known.entry_id if known else self._ids.identifier(self._entry)
        replaced = self._known.get(entry.pending_key) if entry.pending_key else None
        pending_id = replaced.entry_id if replaced else None
        if known and pending_id is None:
            # The pending entry that it replaced is known no more, but its id stays on record.
            pending_id = known.data.get("pending_transaction_id")
        data = msgspec.json.encode(entry.show(entry_id, pending_id)).decode()
        if known and known.data_json == data:
            return None
        changed: dict[str, Any] = {
            "date": entry.date.isoformat(),
            "pending": int(entry.pending),
            "data": data,
            "original_description": entry.original_description,
        }
        sequence = self._next()
        if known is None:
            self._news.note_added(entry.account_id, entry.date)
            return {
                "item_id": self._update.item_id,
                "product": self._update.product,
                "entry_id": entry_id,
                "client_id": self._update.client_id,
                "account_id": entry.account_id,
                "source_key": entry.source_key,
                "added": sequence,
                "changed": sequence,
                "removed": None,
                **changed,
            }
        self._news.of(entry.account_id).changed += 1
        self._call.change.write(
            CHANGE_ENTRY,
            the_entry_id=entry_id,
            sequence=sequence,
            **self._of_product,
            **changed,
        )
        return None

    def _remove(self, known: KnownEntry) -> None:
        self._news.of(known.account_id).removed.append(known.entry_id)
        told = {f"{self._entry}_id": known.entry_id, "account_id": known.account_id}
        self._call.change.write(
            REMOVE_ENTRY,
            the_entry_id=known.entry_id,
            sequence=self._next(),
            data=msgspec.json.encode(told).decode(),
            **self._of_product,
        )

    def _next(self) -> int:
        self._update.sequence += 1
        return self._update.sequence


def _keep_details(call: BankCall, item: Item, product: Product, picture: Picture) -> None:
    if picture.details is None:
        return
    of_product = {"item_id": item.item_id, "client_id": item.client_id, "product": product.name}
    call.change.write(DELETE_DETAILS, rows=None, **of_product)
    call.change.write_many(
        INSERT_DETAIL,
        [
            {**of_product, "account_id": account_id, "data": msgspec.json.encode(detail).decode()}
            for account_id, detail in picture.details.items()
        ],
    )


def _keep_balances(
    call: BankCall, item: Item, accounts: list[KnownAccount], picture: Picture
) -> None:
    for account in accounts:
        balances = picture.balances.get(account.account_id)
        if balances is None or balances == account.data.balances:
            continue
        data = msgspec.structs.replace(account.data, balances=balances)
        call.change.write(
            SET_ACCOUNT_DATA,
            the_item_id=item.item_id,
            the_client_id=item.client_id,
            the_account_id=account.account_id,
            data=msgspec.json.encode(data).decode(),
        )
