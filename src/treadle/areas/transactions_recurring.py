"""What recurs among an Item's transactions."""

from __future__ import annotations

from treadle.bank.recurring import Stream
from treadle.bank.rows import Account
from treadle.bank.streams import read_streams
from treadle.bank.transactions import TRANSACTIONS
from treadle.bank.updating import BankCall, bring_up_to_date
from treadle.call import ItemCall, ProcessorCall
from treadle.clock import to_datetime
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.operations import operation
from treadle.views.account import choose
from treadle.views.recurring import stream_view
from treadle.wire.common import (
    PersonalFinanceCategoryVersion,
    Products,
)
from treadle.wire.processor import (
    ProcessorTransactionsRecurringGetRequest,
    ProcessorTransactionsRecurringGetResponse,
)
from treadle.wire.transactions import (
    TransactionsRecurringGetRequest,
    TransactionsRecurringGetResponse,
)


@operation("/transactions/recurring/get", gate=ItemGate(Products.TRANSACTIONS, initialises=False))
async def transactions_recurring_get(
    call: ItemCall, request: TransactionsRecurringGetRequest
) -> TransactionsRecurringGetResponse:
    chosen = choose(await call.accounts(), request.account_ids)
    updated_at, streams = await _streams(call, chosen)
    return TransactionsRecurringGetResponse(
        inflow_streams=[stream_view(one) for one in streams if one.inflow],
        outflow_streams=[stream_view(one) for one in streams if not one.inflow],
        updated_datetime=to_datetime(updated_at),
        personal_finance_category_version=PersonalFinanceCategoryVersion.V2,
        request_id=call.request_id,
    )


@operation("/processor/transactions/recurring/get", gate=ProcessorGate())
async def processor_transactions_recurring_get(
    call: ProcessorCall, request: ProcessorTransactionsRecurringGetRequest
) -> ProcessorTransactionsRecurringGetResponse:
    updated_at, streams = await _streams(call, [call.account])
    return ProcessorTransactionsRecurringGetResponse(
        inflow_streams=[stream_view(one) for one in streams if one.inflow],
        outflow_streams=[stream_view(one) for one in streams if not one.inflow],
        updated_datetime=to_datetime(updated_at),
        personal_finance_category_version=PersonalFinanceCategoryVersion.V2,
        request_id=call.request_id,
    )


async def _streams(call: BankCall, accounts: list[Account]) -> tuple[int, list[Stream]]:
    """When the transactions were last brought up to date, and what recurs among them.

    Raises ApiError when nothing was read yet.
    """
    update = await bring_up_to_date(call, TRANSACTIONS)
    if update.updated_at is None:
        raise errors.PRODUCT_NOT_READY()
    return update.updated_at, await read_streams(call, update, accounts)
