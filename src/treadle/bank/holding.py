"""What is held in investment accounts and traded there, in the API's own words."""

from __future__ import annotations

import datetime as dt

import msgspec

from treadle.bank.model import AccountData
from treadle.wire.common import (
    AccountType,
    FixedIncome,
    InvestmentTransactionSubtype,
    InvestmentTransactionType,
    OptionContract,
)


def is_investment(data: AccountData) -> bool:
    """Whether anything can be held in such an account."""
    return data.type is AccountType.INVESTMENT


class Security(msgspec.Struct, kw_only=True, frozen=True):
    # The same for whoever holds it, wherever.
    security_id: str
    name: str | None
    type: str | None
    subtype: str | None = None
    ticker_symbol: str | None = None
    is_cash_equivalent: bool | None = None
    close_price: float | None = None
    close_price_as_of: dt.date | None = None
    iso_currency_code: str | None = None
    unofficial_currency_code: str | None = None
    isin: str | None = None
    cusip: str | None = None
    sedol: str | None = None
    figi: str | None = None
    cfi_code: str | None = None
    market_identifier_code: str | None = None
    sector: str | None = None
    industry: str | None = None
    option_contract: OptionContract | None = None
    fixed_income: FixedIncome | None = None


class Holding(msgspec.Struct, kw_only=True, frozen=True):
    security_id: str
    quantity: float
    institution_price: float
    institution_value: float
    institution_price_as_of: dt.date | None = None
    cost_basis: float | None = None
    vested_quantity: float | None = None
    vested_value: float | None = None
    iso_currency_code: str | None
    unofficial_currency_code: str | None = None


class Portfolio(msgspec.Struct):
    """What is known of one account."""

    holdings: list[Holding]
    # Those that its holdings name and its transactions ever named, at today's prices.
    securities: list[Security]


class SourceInvestmentTransaction(msgspec.Struct, kw_only=True, frozen=True):
    """A movement in an investment account. A positive amount is cash that leaves it."""

    # The source's own name for it, unique within the Item.
    source_key: str
    account_id: str
    date: dt.date
    name: str
    type: InvestmentTransactionType
    subtype: InvestmentTransactionSubtype
    amount: float
    # Positive where units come in, negative where they go.
    quantity: float = 0
    price: float = 0
    fees: float | None = None
    security_id: str | None = None
    iso_currency_code: str | None
    unofficial_currency_code: str | None = None
