"""What faults do to an Item behind the back of whoever is reading it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from treadle.bank.rows import ITEM
from treadle.bank.transactions import TRANSACTIONS
from treadle.bank.updates import KNOWN_ENTRIES, UPDATE_OF_ITEM
from treadle.bank.updating import Entry, Picture, Readiness, keep_picture
from treadle.call import ClientCall, ItemCall
from treadle.faults.rules import Effect
from treadle.sources.source import KnownEntry
from treadle.store.change import GuardFailed
from treadle.tokens.revocation import remove_item
from treadle.wire.common import Transaction

_ATTEMPTS = 5
_CORRECTED = " (corrected)"

_decode = msgspec.json.Decoder(Transaction).decode


async def act(effect: Effect, struck: ClientCall) -> None:
    """Do to the Item that a call was about what a fault says, if it is the caller's own."""
    services, client = struck.services, struck.client
    item_id = struck.reached.item_id or ""
    for _ in range(_ATTEMPTS):
        item = await services.store.first(ITEM, item_id=item_id, client_id=client.client_id)
        if item is None:
            return
        now = services.worlds.now(client)
        call = ItemCall(ClientCall(services, struck.request_id, now, client), item, token_id="")
        await _ACTS[effect](call)
        try:
            if call.change:
                await call.commit()
        except GuardFailed:
            continue
        return


async def _correct_transaction(call: ItemCall) -> None:
    """The bank corrects the transaction that a reader was told of first."""
    await _keep(call, lambda known: [_corrected(known[0])])


async def _replace_transaction(call: ItemCall) -> None:
    """The bank takes back the oldest transaction and shows another in its place.

    All others are corrected, and stand between the new one and the removal.
    """
    await _keep(call, lambda known: [_successor(known[0]), *map(_corrected, known[1:])])


async def _remove_item(call: ItemCall) -> None:
    remove_item(call, {})


_ACTS: dict[Effect, Callable[[ItemCall], Awaitable[None]]] = {
    Effect.CORRECT_TRANSACTION: _correct_transaction,
    Effect.REPLACE_TRANSACTION: _replace_transaction,
    Effect.REMOVE_ITEM: _remove_item,
}


async def _keep(call: ItemCall, show: Callable[[list[KnownEntry]], list[Entry]]) -> None:
    rows = {"item_id": call.item.item_id, "client_id": call.item.client_id}
    product = TRANSACTIONS.name
    update = await call.first(UPDATE_OF_ITEM, product=product, **rows)
    found = await call.all(KNOWN_ENTRIES, product=product, since="", **rows)
    known = sorted(found, key=lambda entry: _decode(entry.data_json).date)
    if update is None or not known:
        return
    picture = Picture(entries=show(known))
    shown = {entry.source_key for entry in picture.entries}
    replaced = known if len(shown) > 1 else [one for one in known if one.source_key in shown]
    ready = Readiness(update, call.services.settings.product_ready_seconds)
    await keep_picture(call, ready, TRANSACTIONS, picture, replaced)


def _corrected(known: KnownEntry) -> Entry:
    shown = _decode(known.data_json)
    name = shown.name
    name = name.removesuffix(_CORRECTED) if name.endswith(_CORRECTED) else name + _CORRECTED
    return _entry(known, known.source_key, msgspec.structs.replace(shown, name=name))


def _successor(known: KnownEntry) -> Entry:
    shown = msgspec.structs.replace(_decode(known.data_json), pending_transaction_id=known.entry_id)
    return _entry(known, f"{known.source_key}+", shown)


def _entry(known: KnownEntry, source_key: str, shown: Transaction) -> Entry:
    return Entry(
        source_key=source_key,
        account_id=known.account_id,
        date=shown.date,
        show=lambda entry_id, _: msgspec.structs.replace(shown, transaction_id=entry_id),
        original_description=known.original_description,
    )
