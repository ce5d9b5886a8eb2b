"""Accounts and their balances."""

from __future__ import annotations

from datetime import datetime

from treadle.bank.rows import Account
from treadle.call import ItemCall, OpenCall, ProcessorCall
from treadle.clock import from_datetime, to_datetime
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.operations import operation
from treadle.views.account import account_view, choose
from treadle.views.item import item_view
from treadle.wire.accounts import (
    AccountsBalanceGetRequest,
    AccountsGetRequest,
    AccountsGetResponse,
)
from treadle.wire.common import AccountBase, Products
from treadle.wire.processor import (
    ProcessorAccountGetRequest,
    ProcessorAccountGetResponse,
    ProcessorBalanceGetRequest,
    ProcessorBalanceGetResponse,
)


@operation("/accounts/get", gate=ItemGate(reads_data=True))
async def accounts_get(call: ItemCall, request: AccountsGetRequest) -> AccountsGetResponse:
    chosen = choose(await call.accounts(), request.options.account_ids if request.options else None)
    return await _accounts_response(call, chosen)


@operation("/processor/account/get", gate=ProcessorGate())
async def processor_account_get(
    call: ProcessorCall, request: ProcessorAccountGetRequest
) -> ProcessorAccountGetResponse:
    return ProcessorAccountGetResponse(
        account=_view(call.account),
        institution_id=call.item.institution_id,
        request_id=call.request_id,
    )


@operation("/accounts/balance/get", gate=ItemGate(Products.BALANCE))
async def accounts_balance_get(
    call: ItemCall, request: AccountsBalanceGetRequest
) -> AccountsGetResponse:
    options = request.options or None
    _check_freshness(call, options.min_last_updated_datetime if options else None)
    chosen = choose(await call.accounts(), options.account_ids if options else None)
    return await _accounts_response(call, chosen)


@operation("/processor/balance/get", gate=ProcessorGate())
async def processor_balance_get(
    call: ProcessorCall, request: ProcessorBalanceGetRequest
) -> ProcessorBalanceGetResponse:
    options = request.options or None
    _check_freshness(call, options.min_last_updated_datetime if options else None)
    return ProcessorBalanceGetResponse(account=_view(call.account), request_id=call.request_id)


async def _accounts_response(call: ItemCall, accounts: list[Account]) -> AccountsGetResponse:
    return AccountsGetResponse(
        accounts=[_view(account) for account in accounts],
        item=item_view(call.item, call.now, await call.institution_name()),
        request_id=call.request_id,
    )


def _view(account: Account) -> AccountBase:
    return account_view(account, account.data)


def _check_freshness(call: OpenCall, wanted: datetime | None) -> None:
    """A balance is read at the moment of the call, so none can be as fresh as the future."""
    if wanted is not None and from_datetime(wanted) > call.now:
        newest = to_datetime(call.now).isoformat().replace("+00:00", "Z")
        raise errors.LAST_UPDATED_DATETIME_OUT_OF_RANGE(newest=newest)
