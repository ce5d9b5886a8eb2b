"""The liabilities of an Item, as a product that is kept up to date with its source."""

from __future__ import annotations

from typing import Any

import msgspec

from treadle.bank.details import read_details
from treadle.bank.liability import Liability
from treadle.bank.model import AccountData
from treadle.bank.rows import Account
from treadle.bank.updating import BankCall, Picture, Product, bring_up_to_date
from treadle.sources.source import Reading, Source
from treadle.wire.common import AccountSubtype, AccountType, Products

_SUBTYPES = {
    AccountType.CREDIT: frozenset({AccountSubtype.CREDIT_CARD, AccountSubtype.PAYPAL}),
    AccountType.LOAN: frozenset(
        {
            AccountSubtype.AUTO,
            AccountSubtype.COMMERCIAL,
            AccountSubtype.COMMERCIAL_LINE_OF_CREDIT,
            AccountSubtype.CONSUMER,
            AccountSubtype.HOME_EQUITY,
            AccountSubtype.HOME_EQUITY_LOAN,
            AccountSubtype.LINE_OF_CREDIT,
            AccountSubtype.LOAN,
            AccountSubtype.MORTGAGE,
            AccountSubtype.STUDENT,
        }
    ),
}


def can_owe(data: AccountData) -> bool:
    """Whether the API supports liabilities on such an account."""
    return data.subtype in _SUBTYPES.get(data.type, ())


async def _read(source: Source, reading: Reading) -> Picture:
    owed: dict[str, Any] = await source.liabilities(reading)
    return Picture(details=owed)


# It has no entries.
LIABILITIES = Product(Products.LIABILITIES, "liability", _read)

_liabilities: msgspec.json.Decoder[Liability] = msgspec.json.Decoder(Liability)


async def read_liabilities(
    call: BankCall, accounts: list[Account]
) -> list[tuple[Account, Liability]]:
    """What is owed on those of the accounts on which anything is known to be."""
    update = await bring_up_to_date(call, LIABILITIES, ready_seconds=0)
    return await read_details(call, update, accounts, _liabilities)
