"""What is owed: credit cards, mortgages and other loans."""

from __future__ import annotations

from treadle.bank.liabilities import can_owe, read_liabilities
from treadle.bank.rows import Account
from treadle.bank.updating import BankCall
from treadle.call import ItemCall, ProcessorCall
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.operations import operation
from treadle.views.account import account_view, choose
from treadle.views.item import item_view
from treadle.views.liabilities import liabilities_view
from treadle.wire.common import LiabilitiesObject, Products
from treadle.wire.liabilities import LiabilitiesGetRequest, LiabilitiesGetResponse
from treadle.wire.processor import ProcessorLiabilitiesGetRequest, ProcessorLiabilitiesGetResponse


@operation("/liabilities/get", gate=ItemGate(Products.LIABILITIES))
async def liabilities_get(call: ItemCall, request: LiabilitiesGetRequest) -> LiabilitiesGetResponse:
    chosen = choose(await call.accounts(), request.options.account_ids if request.options else None)
    return LiabilitiesGetResponse(
        accounts=[account_view(account, account.data) for account in chosen],
        item=item_view(call.item, call.now, await call.institution_name()),
        liabilities=await _liabilities(call, chosen),
        request_id=call.request_id,
    )


@operation("/processor/liabilities/get", gate=ProcessorGate())
async def processor_liabilities_get(
    call: ProcessorCall, request: ProcessorLiabilitiesGetRequest
) -> ProcessorLiabilitiesGetResponse:
    return ProcessorLiabilitiesGetResponse(
        account=account_view(call.account, call.account.data),
        liabilities=await _liabilities(call, [call.account]),
        request_id=call.request_id,
    )


async def _liabilities(call: BankCall, accounts: list[Account]) -> LiabilitiesObject:
    """Raises ApiError when none of the accounts can owe anything."""
    owing = [account for account in accounts if can_owe(account.data)]
    if not owing:
        raise errors.NO_LIABILITY_ACCOUNTS()
    return liabilities_view(await read_liabilities(call, owing), call.services.keys)
