"""Transactions: by date, by what changed, refreshed, and made up in the sandbox."""

from __future__ import annotations

from treadle.bank.entries import Shown
from treadle.bank.ranges import DateRange, check_range, read_range
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
        item=item_view(call.item, call.now, await call.institution_name()),
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
    request: DateRange,
    options: TransactionsGetRequestOptions | ProcessorTransactionsGetRequestOptions,
    accounts: list[Account] | None,
    days_requested: int | None = None,
) -> tuple[int, list[Shown]]:
    """How many transactions there are between two days, and those of one page, newest first.

    Raises ApiError when the days are the wrong way round, or nothing was read yet.
    """
    check_range(request)
    update = await bring_up_to_date(call, TRANSACTIONS, days_requested=days_requested)
    if update.updated_at is None:
        raise errors.PRODUCT_NOT_READY()
    return await read_range(call, update, request, options, accounts)


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
