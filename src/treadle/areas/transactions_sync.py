"""Transactions by what changed since a cursor."""

from __future__ import annotations

from msgspec import structs

from treadle.bank.entries import ACCOUNTS_WITH_ENTRIES
from treadle.bank.pages import Page, read_page
from treadle.bank.rows import Account
from treadle.bank.transactions import TRANSACTIONS
from treadle.bank.updates import Update
from treadle.bank.updating import BankCall, Readiness, bring_up_to_date
from treadle.call import ItemCall, ProcessorCall
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.operations import operation
from treadle.views.account import account_view
from treadle.views.transactions import removed_view, transactions_view
from treadle.wire.common import (
    Products,
    TransactionsSyncRequestOptions,
    TransactionsUpdateStatus,
)
from treadle.wire.processor import (
    AccountBaseNullable,
    ProcessorTransactionsSyncRequest,
    ProcessorTransactionsSyncResponse,
)
from treadle.wire.transactions import TransactionsSyncRequest, TransactionsSyncResponse

_DEFAULT_COUNT = 100


@operation("/transactions/sync", gate=ItemGate(Products.TRANSACTIONS))
async def transactions_sync(
    call: ItemCall, request: TransactionsSyncRequest
) -> TransactionsSyncResponse:
    options = request.options or TransactionsSyncRequestOptions()
    account = await call.account(options.account_id) if options.account_id else None
    update, page = await _sync(call, request, options, options.account_id)
    accounts = [account] if account else await _accounts_with_transactions(call)
    return TransactionsSyncResponse(
        transactions_update_status=_status(call, update),
        accounts=[account_view(one, one.data) for one in accounts],
        added=transactions_view(page.added, options),
        modified=transactions_view(page.modified, options),
        removed=removed_view(page.removed),
        next_cursor=page.next_cursor,
        has_more=page.has_more,
        request_id=call.request_id,
    )


@operation("/processor/transactions/sync", gate=ProcessorGate())
async def processor_transactions_sync(
    call: ProcessorCall, request: ProcessorTransactionsSyncRequest
) -> ProcessorTransactionsSyncResponse:
    """The stream of the token's account, whatever account the options name.

    Raises ApiError when they name another one.
    """
    account = call.account
    options = request.options or TransactionsSyncRequestOptions()
    if options.account_id not in (None, account.account_id):
        raise errors.INVALID_ACCOUNT_ID()
    update, page = await _sync(call, request, options, account.account_id)
    return ProcessorTransactionsSyncResponse(
        transactions_update_status=_status(call, update),
        account=AccountBaseNullable(**structs.asdict(account_view(account, account.data))),
        added=transactions_view(page.added, options),
        modified=transactions_view(page.modified, options),
        removed=removed_view(page.removed),
        next_cursor=page.next_cursor,
        has_more=page.has_more,
        request_id=call.request_id,
    )


async def _sync(
    call: BankCall,
    request: TransactionsSyncRequest | ProcessorTransactionsSyncRequest,
    options: TransactionsSyncRequestOptions,
    account_id: str | None,
) -> tuple[Update, Page]:
    update = await bring_up_to_date(call, TRANSACTIONS, days_requested=options.days_requested)
    count = request.count or _DEFAULT_COUNT
    return update, await read_page(call, update, account_id, request.cursor, count)


def _status(call: BankCall, update: Update) -> TransactionsUpdateStatus:
    if update.updated_at is None:
        return TransactionsUpdateStatus.NOT_READY
    if Readiness(update, call.services.settings.product_ready_seconds).historical_done:
        return TransactionsUpdateStatus.HISTORICAL_UPDATE_COMPLETE
    return TransactionsUpdateStatus.INITIAL_UPDATE_COMPLETE


async def _accounts_with_transactions(call: ItemCall) -> list[Account]:
    return await call.all(
        ACCOUNTS_WITH_ENTRIES,
        item_id=call.item.item_id,
        client_id=call.item.client_id,
        product=TRANSACTIONS.name,
    )
