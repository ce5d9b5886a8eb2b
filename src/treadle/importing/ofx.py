"""OFX and QFX: accounts of banks and credit cards, and what was paid there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from treadle.importing.keys import EntryKeys, account_key
from treadle.importing.ofx_investments import read_investments, read_securities
from treadle.importing.ofx_tree import Aggregate, read_tree
from treadle.importing.refusal import FileRefused
from treadle.importing.statement import (
    Entries,
    StatementAccount,
    StatementRemoval,
    StatementTransaction,
)
from treadle.importing.values import told_amount
from treadle.wire.common import AccountSubtype, AccountType

_BANK_TYPES = {
    "CHECKING": (AccountType.DEPOSITORY, AccountSubtype.CHECKING),
    "SAVINGS": (AccountType.DEPOSITORY, AccountSubtype.SAVINGS),
    "MONEYMRKT": (AccountType.DEPOSITORY, AccountSubtype.MONEY_MARKET),
    "CD": (AccountType.DEPOSITORY, AccountSubtype.CD),
    "CREDITLINE": (AccountType.LOAN, AccountSubtype.LINE_OF_CREDIT),
}
_CARD = (AccountType.CREDIT, AccountSubtype.CREDIT_CARD)
_BANK = ("BANKMSGSRSV1", "STMTTRNRS", "STMTRS", "BANKACCTFROM")
_CREDIT_CARD = ("CREDITCARDMSGSRSV1", "CCSTMTTRNRS", "CCSTMTRS", "CCACCTFROM")
_INVESTMENT = ("INVSTMTMSGSRSV1", "INVSTMTTRNRS", "INVSTMTRS", "INVACCTFROM")
_CODE = re.compile(r"\d{4}", re.ASCII)


def read_ofx(content: bytes) -> Entries:
    root = Aggregate(read_tree(content), "the file")
    keys = EntryKeys()
    securities = dict(read_securities(root))
    yield from securities.values()
    count = 0
    for group in (_BANK, _CREDIT_CARD):
        for statement in _statements(root, group):
            count += 1
            yield from _read_statement(statement, group[-1], keys)
    for statement in _statements(root, _INVESTMENT):
        count += 1
        yield from read_investments(statement, _INVESTMENT[-1], securities, keys)
    if count == 0:
        raise FileRefused("the file has no statement", "Download one with transactions")


def _statements(root: Aggregate, group: tuple[str, str, str, str]) -> Iterator[Aggregate]:
    messages, response, statement, _ = group
    for message in root.children(messages):
        for answer in message.children(response):
            if answer.text("STATUS/SEVERITY") == "ERROR":
                told = answer.text("STATUS/MESSAGE") or answer.text("STATUS/CODE")
                raise FileRefused(
                    f"the bank answered with an error: {told}",
                    "Download the file again",
                    field=answer.name,
                )
            yield from answer.children(statement)


def _read_statement(statement: Aggregate, account_tag: str, keys: EntryKeys) -> Entries:
    account = _read_account(statement, account_tag)
    yield account
    for transaction in statement.children("BANKTRANLIST/STMTTRN"):
        yield from read_transaction(transaction, account, keys)


def _read_account(statement: Aggregate, account_tag: str) -> StatementAccount:
    told = statement.need(account_tag)
    number = told.need_text("ACCTID")
    bank = told.text("BANKID")
    type_, subtype = _CARD if account_tag == _CREDIT_CARD[-1] else _bank_type(told)
    current = statement.amount("LEDGERBAL/BALAMT")
    if current is not None and type_ is not AccountType.DEPOSITORY:
        # Banks tell what is owed as less than nothing.
        current = Decimal(0) - current
    return StatementAccount(
        key=account_key("ofx", bank, told.text("BRANCHID"), number, told.text("ACCTTYPE")),
        type=type_,
        subtype=subtype,
        number=number,
        bank=bank or None,
        currency=statement.need_text("CURDEF"),
        current=current,
        available=statement.amount("AVAILBAL/BALAMT"),
    )


def _bank_type(told: Aggregate) -> tuple[AccountType, AccountSubtype]:
    type_ = told.need_text("ACCTTYPE")
    if type_ not in _BANK_TYPES:
        known = ", ".join(_BANK_TYPES)
        problem = f"{type_} is no type of account"
        raise FileRefused(problem, f"Use one of {known}", field=f"{told.name}, ACCTTYPE")
    return _BANK_TYPES[type_]


def read_transaction(told: Aggregate, account: StatementAccount, keys: EntryKeys) -> Entries:
    bank_id = told.text("FITID")
    if bank_id:
        told.name = f"transaction {bank_id}"
    correction = told.text("CORRECTACTION")
    day, amount = told.need_day("DTPOSTED"), told.need_amount("TRNAMT")
    description = describe(told)
    content = (day.isoformat(), told_amount(amount), description)
    key = (
        keys.of_id(account.key, told.text("CORRECTFITID") or bank_id, *content)
        if bank_id
        else keys.of_content(account.key, *content)
    )
    if key is None:
        return
    if correction == "DELETE":
        yield StatementRemoval(key=key, account=account.key)
        return
    code = told.text("SIC")
    yield StatementTransaction(
        key=key,
        account=account.key,
        date=day,
        amount=Decimal(0) - amount,
        description=description,
        currency=told.text("CURRENCY/CURSYM") or account.currency,
        authorized_date=told.day("DTUSER"),
        merchant_category_code=code if _CODE.fullmatch(code) else None,
    )


def describe(told: Aggregate) -> str:
    """What stands on the statement: some banks cut the name and go on in the memo."""
    name = told.text("NAME") or told.text("PAYEE/NAME")
    memo = told.text("MEMO")
    number = told.text("CHECKNUM")
    if not name and not memo:
        return f"CHECK {number}" if number else told.text("TRNTYPE") or "UNKNOWN"
    if name and memo and not memo.startswith(name):
        return name if memo in name else f"{name} {memo}"
    return memo or name
