"""Who owns an account, and whether that is who an app takes them for."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType

from treadle.bank.rows import Account
from treadle.call import ItemCall, ProcessorCall
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.matching import MAX_LENGTH
from treadle.operations import operation
from treadle.views.account import balances_view, choose
from treadle.views.item import item_view
from treadle.wire.common import (
    AccountBalance,
    AccountIdentity,
    AccountIdentityMatchScore,
    IdentityMatchUser,
    Owner,
    Products,
)
from treadle.wire.identity import (
    IdentityGetRequest,
    IdentityGetResponse,
    IdentityMatchRequest,
    IdentityMatchResponse,
)
from treadle.wire.processor import (
    ProcessorIdentityGetRequest,
    ProcessorIdentityGetResponse,
    ProcessorIdentityMatchRequest,
    ProcessorIdentityMatchResponse,
)


@operation("/identity/get", gate=ItemGate(Products.IDENTITY))
async def identity_get(call: ItemCall, request: IdentityGetRequest) -> IdentityGetResponse:
    chosen = choose(await call.accounts(), request.options.account_ids if request.options else None)
    return IdentityGetResponse(
        accounts=[_view(account) for account in chosen],
        item=item_view(call.item, call.now, await call.institution_name()),
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
        verification_status=data.verification_status or UNSET,
        owners=msgspec.convert(data.owners, list[Owner], from_attributes=True),
    )


@operation("/identity/match", gate=ItemGate(Products.IDENTITY))
async def identity_match(call: ItemCall, request: IdentityMatchRequest) -> IdentityMatchResponse:
    user = _user(request.user)
    chosen = choose(await call.accounts(), request.options.account_ids if request.options else None)
    return IdentityMatchResponse(
        accounts=[
            _match_view(account, user, balances_view(account.data.balances)) for account in chosen
        ],
        item=item_view(call.item, call.now, await call.institution_name()),
        request_id=call.request_id,
    )


@operation("/processor/identity/match", gate=ProcessorGate())
async def processor_identity_match(
    call: ProcessorCall, request: ProcessorIdentityMatchRequest
) -> ProcessorIdentityMatchResponse:
    account = _match_view(call.account, _user(request.user), _NO_BALANCES)
    return ProcessorIdentityMatchResponse(account=account, request_id=call.request_id)


# A partner that checks who owns an account is not told what is in it.
_NO_BALANCES = AccountBalance(
    available=None,
    current=None,
    limit=None,
    iso_currency_code=None,
    unofficial_currency_code=None,
)


def _match_view(
    account: Account, user: IdentityMatchUser, balances: AccountBalance
) -> AccountIdentityMatchScore:
    # The metadata of every country's telephone numbers takes long to load, for few servers.
    from treadle.matching.owners import score_owners

    data = account.data
    return AccountIdentityMatchScore(
        account_id=account.account_id,
        balances=balances,
        mask=data.mask,
        name=data.name,
        official_name=data.official_name,
        type=data.type,
        subtype=data.subtype,
        holder_category=data.holder_category or UNSET,
        verification_status=data.verification_status or UNSET,
        **score_owners(user, data.owners)._asdict(),
    )


def _user(user: IdentityMatchUser | UnsetType) -> IdentityMatchUser:
    """What is told of the user. Raises ApiError for a text too long to compare."""
    told = user or IdentityMatchUser()
    long = [path for path, text in _texts(told, "user") if len(text) > MAX_LENGTH]
    if long:
        raise errors.INVALID_FIELD(
            problem="; ".join(f"{path} must be at most {MAX_LENGTH} characters" for path in long)
        )
    return told


def _texts(value: msgspec.Struct, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a struct, with its dotted path."""
    for name, member in msgspec.structs.asdict(value).items():
        if isinstance(member, msgspec.Struct):
            yield from _texts(member, f"{path}.{name}")
        elif member:
            yield f"{path}.{name}", member
