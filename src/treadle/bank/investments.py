"""The investments of an Item, as a product that is kept up to date with its source."""

from __future__ import annotations

import datetime as dt
from functools import partial

import msgspec

from treadle.bank.details import read_details
from treadle.bank.holding import SourceInvestmentTransaction
from treadle.bank.months import add_months
from treadle.bank.ranges import read_range
from treadle.bank.rows import Account
from treadle.bank.updates import UPDATE_OF_ITEM, Update
from treadle.bank.updating import (
    MAX_DAYS_REQUESTED,
    BankCall,
    Entry,
    Picture,
    Product,
    Readiness,
    bring_up_to_date,
    start_update,
)
from treadle.clock import to_date
from treadle.http import errors
from treadle.sources.source import Reading, Source
from treadle.views.investments import ShownPortfolio, investment_transaction_view, portfolio_view
from treadle.wire.common import InvestmentTransaction, Products

# A year of one account is read in one go, and no account is that busy.
_MOST_IN_A_YEAR = 10_000


async def _read(source: Source, reading: Reading) -> Picture:
    shown = await source.investments(reading)
    return Picture(
        entries=[_entry(one) for one in shown.transactions],
        kept=shown.kept,
        details={
            account_id: portfolio_view(account_id, portfolio)
            for account_id, portfolio in shown.portfolios.items()
        },
    )


def _entry(shown: SourceInvestmentTransaction) -> Entry:
    return Entry(
        source_key=shown.source_key,
        account_id=shown.account_id,
        date=shown.date,
        show=partial(investment_transaction_view, shown),
    )


INVESTMENTS = Product(Products.INVESTMENTS, "investment_transaction", _read)

_decode_transaction = msgspec.json.Decoder(InvestmentTransaction).decode
_portfolios = msgspec.json.Decoder(ShownPortfolio)


async def read_investments(call: BankCall, *, refresh: bool = False) -> Update:
    """Bring the investments up to date. Who asks for them first waits for all there is."""
    return await bring_up_to_date(
        call, INVESTMENTS, days_requested=MAX_DAYS_REQUESTED, refresh=refresh, ready_seconds=0
    )


async def check_ready(call: BankCall, *, asynchronous: bool | None = False) -> None:
    """Let a first call that does not want to wait begin the investments.

    Raises ApiError until what was begun in this way is ready.
    """
    item = call.item
    update = await call.first(
        UPDATE_OF_ITEM, item_id=item.item_id, client_id=item.client_id, product=INVESTMENTS.name
    )
    if update is None and asynchronous:
        update = start_update(
            call, item.item_id, INVESTMENTS.name, item.client_id, MAX_DAYS_REQUESTED
        )
        call.wake_item(item)
        # It has begun, though this call may end in an error.
        await call.commit()
    if update is None or update.updated_at is not None:
        return
    if call.now < Readiness(update, call.services.settings.product_ready_seconds).initial_at:
        raise errors.PRODUCT_NOT_READY()


async def read_portfolios(
    call: BankCall, update: Update, accounts: list[Account]
) -> list[ShownPortfolio]:
    found = await read_details(call, update, accounts, _portfolios)
    return [portfolio for _, portfolio in found]


class _LastYear(msgspec.Struct):
    start_date: dt.date
    end_date: dt.date


class _OnePage(msgspec.Struct):
    count: int | None = _MOST_IN_A_YEAR
    offset: int | None = None


async def read_year(
    call: BankCall, update: Update, account: Account
) -> list[InvestmentTransaction]:
    """The account's transactions of the last twelve months, newest first."""
    today = to_date(call.now)
    last_year = _LastYear(add_months(today, -12) + dt.timedelta(days=1), today)
    _, found = await read_range(call, update, last_year, _OnePage(), [account])
    return [_decode_transaction(one.data_json) for one in found]
