"""Account and routing numbers."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import structs

from treadle.bank.model import Numbers
from treadle.bank.rows import Account
from treadle.call import ItemCall, ProcessorCall
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.operations import operation
from treadle.views.account import account_view, choose
from treadle.views.item import item_view
from treadle.wire.auth import (
    AuthGetNumbers,
    AuthGetRequest,
    AuthGetResponse,
    NumbersACH,
    NumbersBACS,
    NumbersEFT,
    NumbersInternational,
)
from treadle.wire.common import Products
from treadle.wire.processor import (
    NumbersACHNullable,
    NumbersBACSNullable,
    NumbersEFTNullable,
    NumbersInternationalNullable,
    ProcessorAuthGetRequest,
    ProcessorAuthGetResponse,
    ProcessorNumber,
)

V = TypeVar("V", bound=msgspec.Struct)


@operation("/auth/get", gate=ItemGate(Products.AUTH))
async def auth_get(call: ItemCall, request: AuthGetRequest) -> AuthGetResponse:
    chosen = choose(await call.accounts(), request.options.account_ids if request.options else None)
    described = [(account, account.data) for account in chosen]
    numbered = [
        (account.account_id, account.numbers(call.services.keys))
        for account, data in described
        if data.debitable and data.verified
    ]
    if not numbered:
        unverified = any(data.debitable for _, data in described)
        raise errors.PRODUCT_NOT_READY() if unverified else errors.NO_AUTH_ACCOUNTS()
    return AuthGetResponse(
        accounts=[account_view(account, data) for account, data in described],
        numbers=_numbers(numbered),
        item=item_view(call.item, call.now, await call.institution_name()),
        request_id=call.request_id,
    )


def _numbers(numbered: list[tuple[str, Numbers | None]]) -> AuthGetNumbers:
    view = AuthGetNumbers(ach=[], eft=[], international=[], bacs=[])
    for account_id, numbers in numbered:
        if numbers is None:
            continue
        if numbers.ach is not None:
            view.ach.append(NumbersACH(account_id=account_id, **structs.asdict(numbers.ach)))
        if numbers.eft is not None:
            view.eft.append(NumbersEFT(account_id=account_id, **structs.asdict(numbers.eft)))
        if numbers.international is not None:
            international = structs.asdict(numbers.international)
            view.international.append(NumbersInternational(account_id=account_id, **international))
        if numbers.bacs is not None:
            view.bacs.append(NumbersBACS(account_id=account_id, **structs.asdict(numbers.bacs)))
    return view


@operation("/processor/auth/get", gate=ProcessorGate())
async def processor_auth_get(
    call: ProcessorCall, request: ProcessorAuthGetRequest
) -> ProcessorAuthGetResponse:
    data = call.account.data
    if not data.debitable:
        raise errors.NO_AUTH_ACCOUNTS()
    if not data.verified:
        raise errors.PRODUCT_NOT_READY()
    return ProcessorAuthGetResponse(
        account=account_view(call.account, data),
        numbers=_processor_numbers(call.account, call.account.numbers(call.services.keys)),
        request_id=call.request_id,
    )


def _processor_numbers(account: Account, numbers: Numbers | None) -> ProcessorNumber:
    """One object or null for each network, where `/auth/get` has lists."""
    numbers = numbers or Numbers()
    account_id = account.account_id
    return ProcessorNumber(
        ach=_one(NumbersACHNullable, account_id, numbers.ach),
        eft=_one(NumbersEFTNullable, account_id, numbers.eft),
        international=_one(NumbersInternationalNullable, account_id, numbers.international),
        bacs=_one(NumbersBACSNullable, account_id, numbers.bacs),
    )


def _one(view: type[V], account_id: str, numbers: msgspec.Struct | None) -> V | None:
    return None if numbers is None else view(account_id=account_id, **structs.asdict(numbers))
