"""What a statement tells, as records."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import Any

from msgspec import UNSET, UnsetType
from stdnum import bic
from stdnum.us import rtn

from treadle.bank.model import Ach, Bacs, International, Numbers
from treadle.importing.statement import (
    StatementAccount,
    StatementHolding,
    StatementRemoval,
    StatementSecurity,
    StatementTrade,
    StatementTransaction,
)
from treadle.ingest import records
from treadle.wire.common import AccountType

_SORT_CODE_DIGITS = 6
_BACS_ACCOUNT_DIGITS = 8
_ISO_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_LONGEST_CURRENCY = 20
_ID_BYTES = 15


class Describer:
    """Makes records of one user's accounts at one institution."""

    def __init__(self, institution_id: str, user_id: str) -> None:
        self._institution_id = institution_id
        self._user_id = user_id
        self._account_ids: dict[str, str] = {}

    def account_id(self, key: str) -> str:
        """Another one for each user, so that nobody who has a number sees another's account."""
        found = self._account_ids.get(key)
        if found is None:
            found = self._account_ids[key] = _digest(self._user_id, key)
        return found

    def account(self, told: StatementAccount) -> records.Account:
        return records.Account(
            institution_id=self._institution_id,
            account_id=self.account_id(told.key),
            user_ids=[self._user_id],
            name=told.name or (told.subtype or told.type).value.capitalize(),
            mask=told.mask if told.mask and len(told.mask) > 1 else None,
            type=told.type,
            subtype=told.subtype,
            balances=_balances(told),
            numbers=_numbers(told),
        )

    def transaction(self, told: StatementTransaction) -> records.Transaction:
        return records.Transaction(
            institution_id=self._institution_id,
            account_id=self.account_id(told.account),
            transaction_id=told.key,
            date=told.date,
            amount=rounded(told.amount),
            description=told.description,
            pending=told.pending,
            authorized_date=told.authorized_date,
            merchant_category_code=told.merchant_category_code,
            **_currency(told.currency),
        )

    def removal(self, told: StatementRemoval) -> records.DeleteTransaction:
        return self.removal_of(self.account_id(told.account), told.key)

    def removal_of(self, account_id: str, transaction_id: str) -> records.DeleteTransaction:
        return records.DeleteTransaction(
            institution_id=self._institution_id,
            account_id=account_id,
            transaction_id=transaction_id,
        )

    def security(self, told: StatementSecurity) -> records.Security:
        kind = told.id_type.lower()
        return records.Security(
            institution_id=self._institution_id,
            security_id=_security_id(told.key),
            name=told.name or None,
            type=told.type,
            ticker_symbol=told.ticker or None,
            close_price=None if told.price is None else rounded(told.price),
            close_price_as_of=told.price_as_of,
            isin=told.key if kind == "isin" else None,
            cusip=told.key if kind == "cusip" else None,
            sedol=told.key if kind == "sedol" else None,
        )

    def holding(self, told: StatementHolding) -> records.Holding:
        return records.Holding(
            security_id=_security_id(told.security),
            quantity=rounded(told.quantity),
            institution_price=rounded(told.price),
            institution_value=rounded(told.value),
            institution_price_as_of=told.as_of,
            **_currency(told.currency),
        )

    def holdings(self, account: str, held: list[records.Holding]) -> records.Holdings:
        return records.Holdings(
            institution_id=self._institution_id, account_id=self.account_id(account), holdings=held
        )

    def trade(self, told: StatementTrade) -> records.InvestmentTransaction:
        return records.InvestmentTransaction(
            institution_id=self._institution_id,
            account_id=self.account_id(told.account),
            investment_transaction_id=told.key,
            date=told.date,
            name=told.name,
            amount=rounded(told.amount),
            type=told.type,
            subtype=told.subtype,
            quantity=rounded(told.quantity),
            price=rounded(told.price),
            fees=None if told.fees is None else rounded(told.fees),
            security_id=None if told.security is None else _security_id(told.security),
            **_currency(told.currency),
        )


def _balances(told: StatementAccount) -> records.Balances | UnsetType:
    """A file without balances leaves those that are known."""
    if told.current is None and told.available is None:
        return UNSET
    return records.Balances(
        current=None if told.current is None else rounded(told.current),
        available=None if told.available is None else rounded(told.available),
        **_currency(told.currency),
    )


def _numbers(told: StatementAccount) -> Numbers | UnsetType:
    """Those that a payment needs, which are no use without the bank's own."""
    if told.type is not AccountType.DEPOSITORY or not told.bank:
        return UNSET
    bank = told.bank.replace("-", "").replace(" ", "")
    found = Numbers()
    if told.iban and bic.is_valid(bank):
        found.international = International(told.iban, bank)
    if told.number and rtn.is_valid(bank):
        found.ach = Ach(told.number, bank)
    elif told.number and _is_of_bacs(told.number, bank):
        found.bacs = Bacs(told.number, bank)
    return UNSET if found == Numbers() else found


def _is_of_bacs(number: str, bank: str) -> bool:
    digits = number.isdecimal() and bank.isdecimal()
    return digits and (len(number), len(bank)) == (_BACS_ACCOUNT_DIGITS, _SORT_CODE_DIGITS)


def _currency(told: str | None) -> dict[str, Any]:
    if not told:
        return {}
    if _ISO_CURRENCY.fullmatch(told):
        return {"iso_currency_code": told}
    return {"unofficial_currency_code": told[:_LONGEST_CURRENCY]}


def rounded(value: Decimal) -> Decimal:
    """The nearest number that a client of the API can read."""
    return Decimal(repr(float(value)))


def _security_id(key: str) -> str:
    return _digest("security", key)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).digest()[:_ID_BYTES].hex()
