"""Transactions: by date, by what changed, refreshed, and made up in the sandbox."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import msgspec

from treadle.bank.entries import (
    BY_DATE,
    BY_DATE_OF_ACCOUNTS,
    COUNT,
    COUNT_OF_ACCOUNTS,
    Shown,
)
from treadle.bank.rows import Account
from treadle.bank.transactions import TRANSACTIONS
from treadle.bank.updating import BankCall, bring_up_to_date
from treadle.call import ItemCall, ProcessorCall
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.operations import operation
from treadle.views.account import account_view, choose
from treadle.views.item import item_view
from treadle.views.transactions import transactions_view
from treadle.wire.common import Products
from treadle.wire.processor import (
    ProcessorTransactionsGetRequest,
    ProcessorTransactionsGetRequestOptions,
    ProcessorTransactionsGetResponse,
    ProcessorTransactionsRefreshRequest,
    ProcessorTransactionsRefreshResponse,
)
from treadle.wire.transactions import (
    TransactionsGetRequest,
    TransactionsGetRequestOptions,
    TransactionsGetResponse,
    TransactionsRefreshRequest,
    TransactionsRefreshResponse,
)

DEFAULT_COUNT = 100


class _DateRange(Protocol):
    start_date: dt.date
    end_date: dt.date


@operation("/transactions/get", gate=ItemGate(Products.TRANSACTIONS))
async def transactions_get(
    call: ItemCall, request: TransactionsGetRequest
) -> TransactionsGetResponse:
    options = request.options or TransactionsGetRequestOptions()
    chosen = choose(await call.accounts(), options.account_ids)
    total, found = await _read_range(
        call, request, options, chosen if options.account_ids else None, options.days_requested
    )
    return TransactionsGetResponse(
        accounts=[account_view(account, account.data) for account in chosen],
        transactions=transactions_view(found, options),
        total_transactions=total,
        item=item_view(call.item, call.now, call.institution_name),
        request_id=call.request_id,
    )


@operation("/processor/transactions/get", gate=ProcessorGate())
async def processor_transactions_get(
    call: ProcessorCall, request: ProcessorTransactionsGetRequest
) -> ProcessorTransactionsGetResponse:
    options = request.options or ProcessorTransactionsGetRequestOptions()
    total, found = await _read_range(call, request, options, [call.account])
    return ProcessorTransactionsGetResponse(
        account=account_view(call.account, call.account.data),
        transactions=transactions_view(found, options),
        total_transactions=total,
        request_id=call.request_id,
    )


async def _read_range(
    call: BankCall,
    request: _DateRange,
    options: TransactionsGetRequestOptions | ProcessorTransactionsGetRequestOptions,
    accounts: list[Account] | None,
    days_requested: int | None = None,
) -> tuple[int, list[Shown]]:
    """How many transactions there are between two days, and those of one page, newest first.

    Raises ApiError when the days are the wrong way round, or nothing was read yet.
    """
    if request.start_date > request.end_date:
        raise errors.INVALID_FIELD(problem="start_date must not be after end_date")
    update = await bring_up_to_date(call, TRANSACTIONS, days_requested=days_requested)
    if update.updated_at is None:
        raise errors.PRODUCT_NOT_READY()
    rows = {
        "item_id": update.item_id,
        "product": update.product,
        "client_id": update.client_id,
        "first_date": request.start_date.isoformat(),
        "last_date": request.end_date.isoformat(),
    }
    by_date, count = BY_DATE, COUNT
    if accounts is not None:
        names = [account.account_id for account in accounts]
        rows["account_ids"] = msgspec.json.encode(names).decode()
        by_date, count = BY_DATE_OF_ACCOUNTS, COUNT_OF_ACCOUNTS
    page = {"count": options.count or DEFAULT_COUNT, "offset": options.offset or 0}
    return await call.first(count, **rows) or 0, await call.all(by_date, **rows, **page)


@operation("/transactions/refresh", gate=ItemGate(Products.TRANSACTIONS, initialises=False))
async def transactions_refresh(
    call: ItemCall, request: TransactionsRefreshRequest
) -> TransactionsRefreshResponse:
    await bring_up_to_date(call, TRANSACTIONS, refresh=True)
    return TransactionsRefreshResponse(request_id=call.request_id)


@operation("/processor/transactions/refresh", gate=ProcessorGate())
async def processor_transactions_refresh(
    call: ProcessorCall, request: ProcessorTransactionsRefreshRequest
) -> ProcessorTransactionsRefreshResponse:
    await bring_up_to_date(call, TRANSACTIONS, refresh=True)
    return ProcessorTransactionsRefreshResponse(request_id=call.request_id)
