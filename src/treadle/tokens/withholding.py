"""Leaving out of an answer the fields that a token may not read: empty, as the API has empty."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import structs

from treadle.bank.model import LoanNumbers
from treadle.tokens.limits import Field, Limits

_OF_OWNER = {
    "names": Field.OWNER_NAMES,
    "emails": Field.OWNER_EMAILS,
    "phone_numbers": Field.OWNER_PHONE_NUMBERS,
    "addresses": Field.OWNER_ADDRESSES,
}


def withhold(response: Any, limits: Limits | None) -> Any:
    """The answer to a partner without the fields that its token may not read.

    What an operation is for is not among them: the gate has refused those that a token may not
    have at all.
    """
    if limits is None or limits.fields is None:
        return response
    account = getattr(response, "account", None)
    if account is not None:
        if Field.BALANCES not in limits.fields:
            account.balances = _emptied(account.balances)
        for owner in getattr(account, "owners", []):
            for name, field in _OF_OWNER.items():
                if field not in limits.fields:
                    setattr(owner, name, [])
    liabilities = getattr(response, "liabilities", None)
    if liabilities is not None and Field.NUMBERS not in limits.fields:
        for owed in structs.astuple(liabilities):
            for liability in owed or ():
                _take_numbers(liability)
    return response


def _emptied(balances: msgspec.Struct) -> msgspec.Struct:
    kind = type(balances)
    return kind(**{field.name: None for field in structs.fields(kind) if field.required})


def _take_numbers(liability: msgspec.Struct) -> None:
    for name in set(LoanNumbers.__struct_fields__) & set(liability.__struct_fields__):
        setattr(liability, name, None)
