"""The transactions of an Item, as a product that is kept up to date with its source."""

from __future__ import annotations

from functools import partial

from treadle.bank.model import SourceTransaction
from treadle.bank.streams import tell_of_streams
from treadle.bank.updating import Entry, Picture, Product
from treadle.sources.source import Reading, Source
from treadle.views.transaction import transaction_view
from treadle.wire.common import AccountType, Products


async def _read(source: Source, reading: Reading) -> Picture:
    shown = await source.transactions(reading)
    types = {account.account_id: account.data.type for account in reading.accounts}
    return Picture(
        entries=[transaction_entry(one, types[one.account_id]) for one in shown.transactions],
        kept=shown.kept,
        balances=shown.balances,
    )


def transaction_entry(shown: SourceTransaction, account_type: AccountType) -> Entry:
    return Entry(
        source_key=shown.source_key,
        account_id=shown.account_id,
        date=shown.date,
        show=partial(transaction_view, shown, account_type),
        pending=shown.pending,
        pending_key=shown.pending_key,
        original_description=shown.description,
    )


TRANSACTIONS = Product(Products.TRANSACTIONS, "transaction", _read, tell_of_streams)
