"""The investments of a described user."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256

import msgspec
from msgspec import structs

from treadle.bank.holding import Holding, Portfolio, Security, SourceInvestmentTransaction
from treadle.ids import compose_identifier
from treadle.sources.sandbox.custom import schema
from treadle.sources.sandbox.custom.values import ISO_4217
from treadle.sources.source import InvestmentsPicture, KnownAccount, Reading
from treadle.wire.common import InvestmentTransactionSubtype as Subtype
from treadle.wire.common import InvestmentTransactionType as Type


def described_investments(
    accounts: list[tuple[KnownAccount, schema.Account]], created: dt.date, reading: Reading
) -> InvestmentsPicture:
    """What the accounts hold, which stays as it is, and what was traded by today."""
    picture = InvestmentsPicture({}, [])
    for known, account in accounts:
        if account.type != "investment":
            continue
        picture.portfolios[known.account_id] = _portfolio(account)
        for index, one in enumerate(account.investment_transactions):
            date = one.date or created
            if reading.since <= date <= reading.today:
                key = f"{known.position}:listed:{index}"
                picture.transactions.append(_traded(one, key, known.account_id, account, date))
    return picture


def _portfolio(account: schema.Account) -> Portfolio:
    holdings = [_cash(account)] if account.holdings_ is None else account.holdings
    held = [
        _security(one.security, account, one.institution_price, one.institution_price_as_of)
        for one in holdings
    ]
    traded = [
        _security(one.security, account, one.price, one.date)
        for one in account.investment_transactions
        if one.security is not None
    ]
    return Portfolio(
        [_held(one, security) for one, security in zip(holdings, held, strict=True)],
        # Of one that was traded too, the price at which it is held stands.
        [*traded, *held],
    )


def _cash(account: schema.Account) -> schema.Holding:
    """An account of which no holdings are told holds its balance in cash."""
    currency, balance = account.currency, account.starting_balance
    cash = schema.Security(name="Cash", ticker_symbol=currency, currency=currency)
    return schema.Holding(institution_price=1, quantity=balance, cost_basis=balance, security=cash)


def _held(holding: schema.Holding, security: Security) -> Holding:
    price, quantity = holding.institution_price or 0, holding.quantity or 0
    iso, unofficial = security.iso_currency_code, security.unofficial_currency_code
    if holding.currency is not None:
        iso, unofficial = _currencies(holding.currency)
    return Holding(
        security_id=security.security_id,
        quantity=quantity,
        institution_price=price,
        institution_value=round(quantity * price, 4),
        institution_price_as_of=holding.institution_price_as_of,
        cost_basis=holding.cost_basis,
        iso_currency_code=iso,
        unofficial_currency_code=unofficial,
    )


def _security(
    given: schema.Security | None,
    account: schema.Account,
    price: float | None,
    price_as_of: dt.date | None,
) -> Security:
    given = given or schema.Security()
    currency = given.currency or account.currency or ""
    iso, unofficial = _currencies(currency)
    is_cash = given.ticker_symbol == currency
    return Security(
        security_id=_security_id(given, currency),
        name=given.name,
        type="cash" if is_cash else "equity" if given.ticker_symbol else "other",
        ticker_symbol=given.ticker_symbol,
        is_cash_equivalent=is_cash,
        close_price=price,
        close_price_as_of=price_as_of,
        iso_currency_code=iso,
        unofficial_currency_code=unofficial,
        isin=given.isin,
        cusip=given.cusip,
        sedol=given.sedol,
    )


def _security_id(given: schema.Security, currency: str) -> str:
    """The same for the same description, wherever it stands."""
    content = msgspec.json.encode(structs.replace(given, currency=currency))
    return compose_identifier(sha256(content).digest())


def _currencies(code: str) -> tuple[str | None, str | None]:
    """The code as an official and as an unofficial one."""
    return (code, None) if code in ISO_4217 else (None, code)


def _traded(
    given: schema.InvestmentTransaction,
    key: str,
    account_id: str,
    account: schema.Account,
    date: dt.date,
) -> SourceInvestmentTransaction:
    quantity, price, fees = given.quantity or 0, given.price or 0, given.fees
    # What leaves the account: the price of what is bought, and fees on top of it.
    amount = round(quantity * price + (fees or 0), 2)
    type_ = Type(given.type) if given.type else _suggested_type(quantity)
    iso, unofficial = _currencies(given.currency or account.currency or "")
    return SourceInvestmentTransaction(
        source_key=key,
        account_id=account_id,
        date=date,
        name=given.name or type_.capitalize(),
        type=type_,
        subtype=_subtype(type_, amount),
        amount=amount,
        quantity=quantity,
        price=price,
        fees=fees,
        security_id=_security_id(given.security, given.security.currency or account.currency or "")
        if given.security
        else None,
        iso_currency_code=iso,
        unofficial_currency_code=unofficial,
    )


def _suggested_type(quantity: float) -> Type:
    if quantity == 0:
        return Type.CASH
    return Type.BUY if quantity > 0 else Type.SELL


def _subtype(type_: Type, amount: float) -> Subtype:
    match type_:
        case Type.CASH:
            return Subtype.WITHDRAWAL if amount > 0 else Subtype.DEPOSIT
        case Type.FEE:
            return Subtype.ACCOUNT_FEE
    return Subtype(type_)
