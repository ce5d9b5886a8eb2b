"""Investments: what is held, what was traded, and asking for the latest of both."""

from __future__ import annotations

import msgspec

from treadle.bank.holding import is_investment
from treadle.bank.investments import check_ready, read_investments, read_portfolios
from treadle.bank.ranges import DateRange, check_range, read_range
from treadle.bank.rows import Account
from treadle.bank.updating import BankCall
from treadle.call import ItemCall, ProcessorCall
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.operations import operation
from treadle.views.account import choose
from treadle.views.investments import (
    ShownPortfolio,
    held_view,
    holdings_view,
    investment_account_view,
    investment_transactions_view,
    securities_view,
)
from treadle.views.item import item_view
from treadle.wire.common import (
    InvestmentsTransactionsGetRequestOptions,
    InvestmentTransaction,
    Products,
    Security,
)
from treadle.wire.investments import (
    InvestmentsHoldingsGetRequest,
    InvestmentsHoldingsGetResponse,
    InvestmentsRefreshRequest,
    InvestmentsRefreshResponse,
    InvestmentsTransactionsGetRequest,
    InvestmentsTransactionsGetResponse,
)
from treadle.wire.processor import (
    ProcessorInvestmentsHoldingsGetRequest,
    ProcessorInvestmentsHoldingsGetResponse,
    ProcessorInvestmentsTransactionsGetRequest,
    ProcessorInvestmentsTransactionsGetResponse,
)


@operation("/investments/holdings/get", gate=ItemGate(Products.INVESTMENTS))
async def investments_holdings_get(
    call: ItemCall, request: InvestmentsHoldingsGetRequest
) -> InvestmentsHoldingsGetResponse:
    chosen = choose(await call.accounts(), request.options.account_ids if request.options else None)
    portfolios = await _portfolios(call, chosen)
    return InvestmentsHoldingsGetResponse(
        accounts=[investment_account_view(account, account.data) for account in chosen],
        holdings=holdings_view(portfolios),
        securities=held_view(portfolios),
        item=item_view(call.item, call.now, await call.institution_name()),
        request_id=call.request_id,
        is_investments_fallback_item=False,
    )


@operation("/processor/investments/holdings/get", gate=ProcessorGate())
async def processor_investments_holdings_get(
    call: ProcessorCall, request: ProcessorInvestmentsHoldingsGetRequest
) -> ProcessorInvestmentsHoldingsGetResponse:
    portfolios = await _portfolios(call, [call.account])
    return ProcessorInvestmentsHoldingsGetResponse(
        account=investment_account_view(call.account, call.account.data),
        holdings=holdings_view(portfolios),
        securities=held_view(portfolios),
        is_investments_fallback_item=False,
        request_id=call.request_id,
    )


async def _portfolios(call: BankCall, accounts: list[Account]) -> list[ShownPortfolio]:
    _check_accounts(accounts)
    return await read_portfolios(call, await read_investments(call), accounts)


def _check_accounts(accounts: list[Account]) -> None:
    """Raises ApiError when nothing can be held in any of the accounts."""
    if not any(is_investment(account.data) for account in accounts):
        raise errors.NO_INVESTMENT_ACCOUNTS()


@operation("/investments/transactions/get", gate=ItemGate(Products.INVESTMENTS))
async def investments_transactions_get(
    call: ItemCall, request: InvestmentsTransactionsGetRequest
) -> InvestmentsTransactionsGetResponse:
    options = request.options or InvestmentsTransactionsGetRequestOptions()
    chosen = choose(await call.accounts(), options.account_ids)
    traded = await _trades(call, request, options, chosen)
    return InvestmentsTransactionsGetResponse(
        item=item_view(call.item, call.now, await call.institution_name()),
        accounts=[investment_account_view(account, account.data) for account in chosen],
        securities=traded.securities,
        investment_transactions=traded.transactions,
        total_investment_transactions=traded.total,
        request_id=call.request_id,
        is_investments_fallback_item=False,
    )


@operation("/processor/investments/transactions/get", gate=ProcessorGate())
async def processor_investments_transactions_get(
    call: ProcessorCall, request: ProcessorInvestmentsTransactionsGetRequest
) -> ProcessorInvestmentsTransactionsGetResponse:
    """Those of the token's account, whatever accounts the options name.

    Raises ApiError when they name another one.
    """
    account = call.account
    options = request.options or InvestmentsTransactionsGetRequestOptions()
    chosen = choose([account], options.account_ids)
    traded = await _trades(call, request, options, chosen)
    return ProcessorInvestmentsTransactionsGetResponse(
        account=investment_account_view(account, account.data),
        investment_transactions=traded.transactions,
        securities=traded.securities,
        total_investment_transactions=traded.total,
        request_id=call.request_id,
        is_investments_fallback_item=False,
    )


class _Trades(msgspec.Struct):
    """One page of the transactions in a range, and how many there are in all."""

    total: int
    transactions: list[InvestmentTransaction]
    securities: list[Security]


async def _trades(
    call: BankCall,
    request: DateRange,
    options: InvestmentsTransactionsGetRequestOptions,
    accounts: list[Account],
) -> _Trades:
    """Raises ApiError when the days are the wrong way round, or nothing was read yet."""
    check_range(request)
    _check_accounts(accounts)
    await check_ready(call, asynchronous=options.async_update)
    update = await read_investments(call)
    total, found = await read_range(call, update, request, options, accounts)
    portfolios = await read_portfolios(call, update, accounts)
    return _Trades(
        total,
        investment_transactions_view(found),
        securities_view([one.data_json for one in found], portfolios),
    )


@operation("/investments/refresh", gate=ItemGate(Products.INVESTMENTS, initialises=False))
async def investments_refresh(
    call: ItemCall, request: InvestmentsRefreshRequest
) -> InvestmentsRefreshResponse:
    _check_accounts(await call.accounts())
    await check_ready(call)
    await read_investments(call, refresh=True)
    return InvestmentsRefreshResponse(request_id=call.request_id)
