"""What a file tells, whatever its format."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from treadle.wire.common import (
    AccountSubtype,
    AccountType,
    InvestmentTransactionSubtype,
    InvestmentTransactionType,
)


class StatementAccount(msgspec.Struct, kw_only=True, frozen=True):
    # The same for the same account in every file.
    key: str
    type: AccountType
    subtype: AccountSubtype | None
    # What its user calls it.
    name: str | None = None
    # None where the file does not tell it.
    number: str | None = None
    iban: str | None = None
    # Whatever names the bank there: a routing number, a sort code, a BIC.
    bank: str | None = None
    currency: str | None = None
    current: Decimal | None = None
    available: Decimal | None = None

    @property
    def mask(self) -> str | None:
        told = self.number or self.iban
        return told[-4:] if told else None


class StatementTransaction(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    # The same for the same transaction in every file.
    key: str
    account: str
    date: dt.date
    # Positive where money leaves the account.
    amount: Decimal
    description: str
    currency: str | None
    pending: bool = False
    authorized_date: dt.date | None = None
    merchant_category_code: str | None = None


class StatementRemoval(msgspec.Struct, kw_only=True, frozen=True):
    """A transaction that the bank takes back."""

    key: str
    account: str


class StatementSecurity(msgspec.Struct, kw_only=True, frozen=True):
    # Its CUSIP, ISIN, or what else the broker knows it by.
    key: str
    id_type: str
    name: str
    type: str
    ticker: str | None = None
    price: Decimal | None = None
    price_as_of: dt.date | None = None


class StatementHolding(msgspec.Struct, kw_only=True, frozen=True):
    account: str
    security: str
    quantity: Decimal
    price: Decimal
    value: Decimal
    as_of: dt.date
    currency: str | None


class StatementTrade(msgspec.Struct, kw_only=True, frozen=True):
    """A movement in an investment account. A positive amount is cash that leaves it."""

    key: str
    account: str
    date: dt.date
    name: str
    type: InvestmentTransactionType
    subtype: InvestmentTransactionSubtype
    amount: Decimal
    quantity: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    fees: Decimal | None = None
    security: str | None = None
    currency: str | None = None


Entry = (
    StatementAccount
    | StatementTransaction
    | StatementRemoval
    | StatementSecurity
    | StatementHolding
    | StatementTrade
)
# An account stands before what belongs to it, a security before what names it. An account may
# stand there again, with newer balances.
Entries = Iterator[Entry]
