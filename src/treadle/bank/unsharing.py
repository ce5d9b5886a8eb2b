"""Taking accounts out of an Item, with all that is known of them."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import bindparam, delete

from treadle.bank.rows import Item
from treadle.bank.updates import (
    KNOWN_ENTRIES,
    MOVE_UPDATE,
    REMOVE_ENTRY,
    UPDATE_OF_ITEM,
)
from treadle.bank.updating import Readiness
from treadle.call import ClientCall
from treadle.store.statements import Write
from treadle.store.tables import account_details, accounts
from treadle.webhooks.telling import tell_of_removal
from treadle.wire.common import Products

# The products whose readers are told what is gone, and what they call it.
_ENTRIES = {
    Products.TRANSACTIONS: "transaction_id",
    Products.INVESTMENTS: "investment_transaction_id",
}
_DELETE_ACCOUNT = [
    Write(
        delete(table)
        .where(table.c.item_id == bindparam("the_item_id"))
        .where(table.c.account_id == bindparam("the_account_id"))
        .where(table.c.client_id == bindparam("the_client_id"))
    )
    for table in (accounts, account_details)
]


async def unshare(call: ClientCall, item: Item, account_ids: set[str]) -> None:
    """Add to the call's Change that an Item no longer has these accounts.

    Partners of these accounts hold tokens that reach nothing any more, and are told nothing.
    """
    item_id = item.item_id
    of_item = {"item_id": item_id, "client_id": call.client.client_id}
    for account_id in sorted(account_ids):
        for write in _DELETE_ACCOUNT:
            call.change.write(
                write,
                rows=None,
                the_item_id=item_id,
                the_account_id=account_id,
                the_client_id=call.client.client_id,
            )
    for product, name in _ENTRIES.items():
        update = await call.first(UPDATE_OF_ITEM, product=product.value, **of_item)
        if update is None:
            continue
        known = await call.all(KNOWN_ENTRIES, product=product.value, since="", **of_item)
        of_product: dict[str, Any] = {
            "the_item_id": item_id,
            "the_product": product.value,
            "the_client_id": call.client.client_id,
        }
        gone = [entry for entry in known if entry.account_id in account_ids]
        for entry in gone:
            update.sequence += 1
            told = {name: entry.entry_id, "account_id": entry.account_id}
            call.change.write(
                REMOVE_ENTRY,
                the_entry_id=entry.entry_id,
                sequence=update.sequence,
                data=msgspec.json.encode(told).decode(),
                **of_product,
            )
        if gone and product is Products.TRANSACTIONS:
            progress = Readiness(update, call.services.settings.product_ready_seconds).progress
            tell_of_removal(call, item, update, progress, [entry.entry_id for entry in gone])
        call.change.write(
            MOVE_UPDATE,
            seen_revision=update.revision,
            updated_at=update.updated_at,
            refreshes=update.refreshes,
            sequence=update.sequence,
            news_since=update.news_since,
            **of_product,
        )
