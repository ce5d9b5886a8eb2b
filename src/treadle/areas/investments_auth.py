"""What it takes to transfer what is held at one broker to another."""

from __future__ import annotations

import msgspec

from treadle.bank.holding import is_investment
from treadle.bank.investments import read_investments, read_portfolios, read_year
from treadle.bank.rows import Account
from treadle.bank.updating import BankCall
from treadle.call import ItemCall, ProcessorCall
from treadle.clock import to_date
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.operations import operation
from treadle.views.account import account_view, choose
from treadle.views.investments import held_view, holdings_view, investment_account_view
from treadle.views.investments_auth import details_401k_view, numbers_view, owner_view
from treadle.views.item import item_view
from treadle.wire.common import (
    AccountSubtype,
    DataSources,
    Holding,
    InvestmentsAuthAccountDetails401k,
    InvestmentsAuthDataSources,
    InvestmentsAuthGetNumbers,
    InvestmentsAuthOwner,
    Products,
    Security,
)
from treadle.wire.investments import InvestmentsAuthGetRequest, InvestmentsAuthGetResponse
from treadle.wire.processor import (
    ProcessorInvestmentsAuthGetRequest,
    ProcessorInvestmentsAuthGetResponse,
)


@operation("/investments/auth/get", gate=ItemGate(Products.INVESTMENTS_AUTH))
async def investments_auth_get(
    call: ItemCall, request: InvestmentsAuthGetRequest
) -> InvestmentsAuthGetResponse:
    chosen = choose(await call.accounts(), request.options.account_ids if request.options else None)
    return InvestmentsAuthGetResponse(
        accounts=[investment_account_view(account, account.data) for account in chosen],
        **msgspec.structs.asdict(await _transfer(call, chosen)),
        item=item_view(call.item, call.now, await call.institution_name()),
        request_id=call.request_id,
    )


@operation("/processor/investments/auth/get", gate=ProcessorGate())
async def processor_investments_auth_get(
    call: ProcessorCall, request: ProcessorInvestmentsAuthGetRequest
) -> ProcessorInvestmentsAuthGetResponse:
    return ProcessorInvestmentsAuthGetResponse(
        account=account_view(call.account, call.account.data),
        **msgspec.structs.asdict(await _transfer(call, [call.account])),
        is_investments_fallback_item=False,
        request_id=call.request_id,
    )


class _Transfer(msgspec.Struct):
    """The members that both answers share."""

    holdings: list[Holding]
    securities: list[Security]
    owners: list[InvestmentsAuthOwner]
    numbers: InvestmentsAuthGetNumbers
    data_sources: InvestmentsAuthDataSources
    account_details_401k: list[InvestmentsAuthAccountDetails401k]


async def _transfer(call: BankCall, accounts: list[Account]) -> _Transfer:
    """Raises ApiError when nothing can be held in any of the accounts."""
    described = [(one, data) for one in accounts if is_investment(data := one.data)]
    if not described:
        raise errors.NO_INVESTMENT_AUTH_ACCOUNTS()
    update = await read_investments(call)
    holding = [account for account, _ in described]
    portfolios = await read_portfolios(call, update, holding)
    keys, institution = call.services.keys, DataSources.INSTITUTION
    return _Transfer(
        holdings=holdings_view(portfolios),
        securities=held_view(portfolios),
        owners=[owner_view(account.account_id, data.owners) for account, data in described],
        numbers=numbers_view([(one.account_id, one.numbers(keys)) for one in holding]),
        data_sources=InvestmentsAuthDataSources(
            numbers=institution, owners=institution, holdings=institution
        ),
        account_details_401k=[
            details_401k_view(
                account.account_id, await read_year(call, update, account), to_date(call.now)
            )
            for account, data in described
            if data.subtype is AccountSubtype.VALUE_401K
        ],
    )
