"""Who owns an account."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from treadle.bank.rows import Account
from treadle.call import ItemCall, ProcessorCall
from treadle.gates import ItemGate, ProcessorGate
from treadle.operations import operation
from treadle.views.account import balances_view, choose
from treadle.views.item import item_view
from treadle.wire.common import AccountIdentity, Owner, Products
from treadle.wire.identity import IdentityGetRequest, IdentityGetResponse
from treadle.wire.processor import ProcessorIdentityGetRequest, ProcessorIdentityGetResponse


@operation("/identity/get", gate=ItemGate(Products.IDENTITY))
async def identity_get(call: ItemCall, request: IdentityGetRequest) -> IdentityGetResponse:
    chosen = choose(await call.accounts(), request.options.account_ids if request.options else None)
    return IdentityGetResponse(
        accounts=[_view(account) for account in chosen],
        item=item_view(call.item, call.now, call.institution_name),
        request_id=call.request_id,
    )


@operation("/processor/identity/get", gate=ProcessorGate())
async def processor_identity_get(
    call: ProcessorCall, request: ProcessorIdentityGetRequest
) -> ProcessorIdentityGetResponse:
    return ProcessorIdentityGetResponse(account=_view(call.account), request_id=call.request_id)


def _view(account: Account) -> AccountIdentity:
    data = account.data
    return AccountIdentity(
        account_id=account.account_id,
        balances=balances_view(data.balances),
        mask=data.mask,
        name=data.name,
        official_name=data.official_name,
        type=data.type,
        subtype=data.subtype,
        holder_category=data.holder_category or UNSET,
        owners=msgspec.convert(data.owners, list[Owner], from_attributes=True),
    )
