"""Transactions by what changed since a cursor."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import structs

from treadle.bank.entries import ACCOUNTS_WITH_ENTRIES, ORIGINAL_DESCRIPTIONS
from treadle.bank.page import Page
from treadle.bank.pages import read_page
from treadle.bank.rows import HOLD_ITEM, Account
from treadle.bank.transactions import TRANSACTIONS
from treadle.bank.updates import MARK_SYNCED, Update
from treadle.bank.updating import BankCall, Readiness, bring_up_to_date
from treadle.call import ItemCall, ProcessorCall
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.http.encoding import Verbatim
from treadle.operations import operation
from treadle.tokens.rows import MARK_TOKEN_SYNCED
from treadle.views.account import account_json, account_view
from treadle.views.transactions import show_with_options, shown_as_stored
from treadle.wire.common import (
    AccountBase,
    Products,
    RemovedTransaction,
    Transaction,
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

_decode = msgspec.json.Decoder(list[Transaction]).decode


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
        accounts=cast("list[AccountBase]", [account_json(one) for one in accounts]),
        added=await _shown(call, page.added, options),
        modified=await _shown(call, page.modified, options),
        removed=cast("list[RemovedTransaction]", page.removed),
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
        added=await _shown(call, page.added, options),
        modified=await _shown(call, page.modified, options),
        removed=cast("list[RemovedTransaction]", page.removed),
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
    _begin_to_listen(call, update)
    count = request.count or _DEFAULT_COUNT
    return update, await read_page(call, update, account_id, request.cursor, count)


def _begin_to_listen(call: BankCall, update: Update) -> None:
    """From its first call on a reader is told when there is more to read."""
    item: dict[str, Any] = {"the_item_id": update.item_id, "the_client_id": update.client_id}
    if isinstance(call, ProcessorCall):
        token = call.grant.token
        if not token.synced:
            call.change.write(HOLD_ITEM, **item)
            call.change.write(
                MARK_TOKEN_SYNCED, the_token_id=token.token_id, the_client_id=token.client_id
            )
    elif not update.synced:
        call.change.write(HOLD_ITEM, **item)
        call.change.write(MARK_SYNCED, the_product=update.product, **item)


async def _shown(
    call: BankCall, listed: Verbatim, options: TransactionsSyncRequestOptions
) -> list[Transaction]:
    if shown_as_stored(options):
        return cast("list[Transaction]", listed)
    transactions = _decode(listed.data)
    ids = [transaction.transaction_id for transaction in transactions]
    found = await call.all(
        ORIGINAL_DESCRIPTIONS,
        item_id=call.item.item_id,
        client_id=call.item.client_id,
        product=TRANSACTIONS.name,
        entry_ids=msgspec.json.encode(ids).decode(),
    )
    descriptions = dict(found)
    for transaction in transactions:
        show_with_options(transaction, options, descriptions.get(transaction.transaction_id))
    return transactions


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
