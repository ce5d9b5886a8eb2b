"""The recurring streams of an Item: read, and told of when they change.

Nobody is told before anyone has asked for them: then it is noted what the streams of each account
are, as a digest, and told once an update of the transactions makes another one of it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from treadle.bank.occurrences import OCCURRENCES
from treadle.bank.recurring import Stream, find_streams
from treadle.bank.rows import ACCOUNTS_OF_ITEM, HOLD_ITEM, Account, Item
from treadle.bank.updates import SET_STREAMS, Update
from treadle.call import ClientCall
from treadle.clock import to_date
from treadle.tokens.rows import LISTENERS
from treadle.webhooks.events import tell_item, tell_partner
from treadle.wire.common import AccountSubtype, AccountType
from treadle.wire.webhooks import (
    ProcessorRecurringTransactionsUpdateWebhook,
    RecurringTransactionsUpdateWebhook,
)

_CODE = "RECURRING_TRANSACTIONS_UPDATE"
# What a partner must be able to call to be told.
_PATH = "/processor/transactions/recurring/get"
# The accounts that are looked at, as documented.
_SUBTYPES = frozenset({AccountSubtype.CHECKING, AccountSubtype.SAVINGS, AccountSubtype.CREDIT_CARD})

# By account id.
Digests = dict[str, str]
_decode = msgspec.json.Decoder(Digests).decode


async def read_streams(
    call: ClientCall, update: Update, accounts: Iterable[Account]
) -> list[Stream]:
    """What recurs among the transactions of accounts; from now on, changes of it are told."""
    names = [account.account_id for account in accounts if is_looked_at(account)]
    streams = await _find(call, update, names)
    noted = _decode(update.streams_json or "{}")
    if not noted.keys() >= set(names):
        _note(call, update, {**_digests(names, streams), **noted})
    since = call.transactions_from
    return streams if since is None else await _find(call, update, names, since)


async def tell_of_streams(call: ClientCall, item: Item, update: Update) -> None:
    """Add to the call's Change the webhooks for accounts whose streams have changed."""
    if update.streams_json is None:
        return
    rows = {"item_id": update.item_id, "client_id": update.client_id}
    noted = _decode(update.streams_json)
    accounts = await call.all(ACCOUNTS_OF_ITEM, **rows)
    names = [one.account_id for one in accounts if one.account_id in noted]
    found = _digests(names, await _find(call, update, names))
    changed = [name for name in names if found[name] != noted[name]]
    if not changed:
        return
    scope = f"{update.item_id}/{update.product}/{update.revision}/streams"
    ids = call.services.worlds.scoped(call.owner, scope)
    _note(call, update, found)
    tell_item(
        call,
        item,
        RecurringTransactionsUpdateWebhook,
        "TRANSACTIONS",
        _CODE,
        ids=ids,
        account_ids=changed,
    )
    for listener in await call.all(LISTENERS, **rows):
        if listener.account_id in changed and listener.may_call(_PATH):
            event = ProcessorRecurringTransactionsUpdateWebhook
            tell_partner(call, listener, event, "TRANSACTIONS", _CODE, ids=ids)


async def _find(
    call: ClientCall, update: Update, names: list[str], since: dt.date = dt.date.min
) -> list[Stream]:
    found = await call.all(
        OCCURRENCES,
        item_id=update.item_id,
        product=update.product,
        client_id=update.client_id,
        account_ids=msgspec.json.encode(names).decode(),
    )
    # Off the event loop, for there may be thousands.
    shown = [one for one in found if one.date >= since]
    return await asyncio.to_thread(find_streams, shown, to_date(call.now))


def _note(call: ClientCall, update: Update, digests: Digests) -> None:
    item: dict[str, Any] = {"the_item_id": update.item_id, "the_client_id": update.client_id}
    update.streams_json = msgspec.json.encode(digests).decode()
    call.change.write(HOLD_ITEM, **item)
    call.change.write(SET_STREAMS, the_product=update.product, streams=update.streams_json, **item)


def _digests(names: Iterable[str], streams: list[Stream]) -> Digests:
    of_account: dict[str, list[Stream]] = defaultdict(list)
    for stream in streams:
        of_account[stream.first.account_id].append(stream)
    return {
        name: hashlib.sha256(msgspec.json.encode(of_account[name])).hexdigest()[:16]
        for name in names
    }


def is_looked_at(account: Account) -> bool:
    data = account.data
    return data.type is not AccountType.INVESTMENT and data.subtype in _SUBTYPES
