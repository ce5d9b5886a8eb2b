"""Telling what an update of a product brought to all who listen to its Item.

A partner is told of its token's account alone, and only of what the token's permissions in force
let it read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from treadle.bank.news import EntryNews, News, Progress
from treadle.bank.rows import Item
from treadle.bank.updates import DETAILS_OF_PRODUCT, Update
from treadle.call import ClientCall
from treadle.ids import Ids
from treadle.tokens.rows import LISTENERS
from treadle.webhooks.events import tell_item, tell_partner
from treadle.wire import webhooks as wire
from treadle.wire.common import Products

# The code of an event with what it says beside whom it is about.
_Told = tuple[str, dict[str, Any]]

_MORE_TO_READ = "SYNC_UPDATES_AVAILABLE"

_OF_ITEM: dict[str, type[msgspec.Struct]] = {
    "INITIAL_UPDATE": wire.InitialUpdateWebhook,
    "HISTORICAL_UPDATE": wire.HistoricalUpdateWebhook,
    "DEFAULT_UPDATE": wire.DefaultUpdateWebhook,
    "TRANSACTIONS_REMOVED": wire.TransactionsRemovedWebhook,
    _MORE_TO_READ: wire.SyncUpdatesAvailableWebhook,
}
_OF_TOKEN: dict[str, type[msgspec.Struct]] = {
    "INITIAL_UPDATE": wire.ProcessorInitialUpdateWebhook,
    "HISTORICAL_UPDATE": wire.ProcessorHistoricalUpdateWebhook,
    "DEFAULT_UPDATE": wire.ProcessorDefaultUpdateWebhook,
    "TRANSACTIONS_REMOVED": wire.ProcessorTransactionsRemovedWebhook,
    _MORE_TO_READ: wire.ProcessorSyncUpdatesAvailableWebhook,
}


async def tell(call: ClientCall, news: News, ids: Ids) -> None:
    """Add to the call's Change the webhooks that the news are worth."""
    match news.update.product:
        case Products.TRANSACTIONS:
            await _tell_of_transactions(call, news, ids)
        case Products.INVESTMENTS if news.item.webhook:
            await _tell_of_investments(call, news, ids)
        case Products.LIABILITIES if news.item.webhook:
            await _tell_of_liabilities(call, news, ids)


async def _tell_of_transactions(call: ClientCall, news: News, ids: Ids) -> None:
    item = news.item
    for code, fields in _transactions(news, None, synced=news.update.synced):
        tell_item(call, item, _OF_ITEM[code], "TRANSACTIONS", code, ids=ids, **fields)
    for listener in await call.all(LISTENERS, item_id=item.item_id, client_id=item.client_id):
        if not listener.may_call("/processor/transactions/sync"):
            continue
        for code, fields in _transactions(news, listener.account_id, synced=listener.synced):
            # The others count and name transactions from before those that the token may read.
            if code != _MORE_TO_READ and not listener.reads_all_transactions:
                continue
            tell_partner(call, listener, _OF_TOKEN[code], "TRANSACTIONS", code, ids=ids, **fields)


def tell_of_removal(
    call: ClientCall, item: Item, update: Update, progress: Progress, removed: list[str]
) -> None:
    """Add to the call's Change that transactions went with accounts that are no longer shared."""
    told: list[_Told] = [("TRANSACTIONS_REMOVED", {"error": None, "removed_transactions": removed})]
    if update.synced:
        told.append((_MORE_TO_READ, _completeness(progress)))
    for code, fields in told:
        tell_item(call, item, _OF_ITEM[code], "TRANSACTIONS", code, **fields)


def _completeness(progress: Progress) -> dict[str, Any]:
    return {
        "initial_update_complete": progress.initial,
        "historical_update_complete": progress.historical,
    }


def _transactions(news: News, account_id: str | None, *, synced: int) -> Iterator[_Told]:
    part, before, after = news.total(account_id), news.before, news.after
    first = not before.initial
    if first:
        yield "INITIAL_UPDATE", {"error": None, "new_transactions": part.recent}
    if after.historical and not before.historical:
        older = part.added - part.recent if first else part.added
        yield "HISTORICAL_UPDATE", {"error": None, "new_transactions": older}
    elif part.added and not first:
        yield "DEFAULT_UPDATE", {"error": None, "new_transactions": part.added}
    if part.removed:
        yield "TRANSACTIONS_REMOVED", {"error": None, "removed_transactions": part.removed}
    if synced and (part or before != after):
        yield _MORE_TO_READ, _completeness(after)


async def _tell_of_investments(call: ClientCall, news: News, ids: Ids) -> None:
    known = {
        (account_id, holding["security_id"]): holding
        for account_id, details in (await _details(call, news)).items()
        for holding in details["holdings"]
    }
    shown = {
        (account_id, holding["security_id"]): holding
        for account_id, details in _shown(news).items()
        for holding in details["holdings"]
    }
    new = len(shown.keys() - known.keys())
    updated = sum(shown[key] != known[key] for key in shown.keys() & known.keys())
    if new or updated:
        tell_item(
            call,
            news.item,
            wire.HoldingsDefaultUpdateWebhook,
            "HOLDINGS",
            "DEFAULT_UPDATE",
            ids=ids,
            error=None,
            new_holdings=new,
            updated_holdings=updated,
        )
    part: EntryNews = news.total(None)
    if part.added or part.removed:
        first = news.asynchronous and not news.before.initial
        event = (
            wire.InvestmentsHistoricalUpdateWebhook
            if first
            else wire.InvestmentsDefaultUpdateWebhook
        )
        tell_item(
            call,
            news.item,
            event,
            "INVESTMENTS_TRANSACTIONS",
            "HISTORICAL_UPDATE" if first else "DEFAULT_UPDATE",
            ids=ids,
            error=None,
            new_investments_transactions=part.added,
            cancelled_investments_transactions=len(part.removed),
        )


async def _tell_of_liabilities(call: ClientCall, news: News, ids: Ids) -> None:
    known, shown = await _details(call, news), _shown(news)
    updated = {
        account_id: [name for name in owed if owed[name] != known[account_id].get(name)]
        for account_id, owed in shown.items()
        if account_id in known and owed != known[account_id]
    }
    new = [account_id for account_id in shown if account_id not in known]
    if new or updated:
        tell_item(
            call,
            news.item,
            wire.LiabilitiesDefaultUpdateWebhook,
            "LIABILITIES",
            "DEFAULT_UPDATE",
            ids=ids,
            error=None,
            account_ids_with_new_liabilities=new,
            account_ids_with_updated_liabilities=updated,
        )


async def _details(call: ClientCall, news: News) -> dict[str, Any]:
    """What was known of accounts before, decoded, by account id."""
    update = news.update
    found = await call.all(
        DETAILS_OF_PRODUCT,
        item_id=update.item_id,
        product=update.product,
        client_id=update.client_id,
    )
    return {account_id: msgspec.json.decode(data) for account_id, data in found}


def _shown(news: News) -> dict[str, Any]:
    """The same of what the picture shows."""
    details = news.details or {}
    return {
        account_id: msgspec.json.decode(msgspec.json.encode(detail))
        for account_id, detail in details.items()
    }
