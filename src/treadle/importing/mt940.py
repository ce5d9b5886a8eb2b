"""MT940 and MT942: statements of accounts in the messages of SWIFT."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

from mt940.models import Transactions
from stdnum import iban

from treadle.importing.keys import EntryKeys, account_key
from treadle.importing.refusal import FileRefused
from treadle.importing.statement import Entries, StatementAccount, StatementTransaction
from treadle.importing.values import checked_amount, checked_date, decode, read_text, told_amount
from treadle.wire.common import AccountSubtype, AccountType

# It would log the lines that it does not understand.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)
_AGAIN = "Download the file from the bank again"
_BEGINNING = re.compile(r"^:20:", re.MULTILINE)
# What stands behind the closing balance is about the statement, not about its last transaction.
_CLOSING = re.compile(r"^:62[FM]:", re.MULTILINE)
_INFORMATION = re.compile(r"^:86:[^\n]*(\n(?!:)[^\n]*)*", re.MULTILINE)
_LINE = re.compile(r"^:61:[^\n]*(\n(?!:)[^\n]*)*", re.MULTILINE)
# What the library raises for a tag that does not read.
_UNREADABLE = (RuntimeError, ValueError, ArithmeticError, TypeError, LookupError, AttributeError)
# Of who was paid and for what, among the codes of Dutch and Belgian banks.
_CODED = re.compile(r"/(?:NAME|REMI)/(.*?)(?=/[A-Z]{4}/|$)")
_LEAVES = ("D", "RC")
_CURRENT = ("final_closing_balance", "intermediate_closing_balance")
_NO_REFERENCE = ("NONREF", "")


def read_mt940(content: bytes) -> Entries:
    text = decode(content).replace("\r\n", "\n").replace("\r", "\n")
    keys = EntryKeys()
    count = 0
    for line, statement in _statements(text):
        count += 1
        yield from _read_statement(statement, line, keys)
    if count == 0:
        raise FileRefused("the file has no statement", "A statement begins with :20:")


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement with the number of its first line."""
    starts = [found.start() for found in _BEGINNING.finditer(text)]
    line, at = 1, 0
    for start, end in pairwise([*starts, len(text)]):
        line += text.count("\n", at, start)
        at = start
        closing = _CLOSING.search(text, start, end)
        tail = closing.start() if closing else end
        yield line, text[start:tail] + _INFORMATION.sub("", text[tail:end])


def _read_statement(text: str, line: int, keys: EntryKeys) -> Entries:
    parsed = Transactions()
    try:
        parsed.parse(text)
    except _UNREADABLE:
        raise _refusal(text, line) from None
    account = _read_account(parsed, line)
    yield account
    for found in parsed.transactions:
        # A tag 86 can stand without a transaction.
        if "amount" in found.data:
            yield _read_transaction(found.data, account, keys, line)


def _refusal(text: str, line: int) -> FileRefused:
    """Says which line of the statement does not read, if it is one of a transaction."""
    for found in _LINE.finditer(text):
        try:
            Transactions().parse(found[0])
        except _UNREADABLE:
            line += text.count("\n", 0, found.start())
            return FileRefused(
                "the line of a transaction is malformed", _AGAIN, line=line, field=":61:"
            )
    problem = "the statement that begins here is malformed"
    return FileRefused(problem, _AGAIN, line=line, field=":20:")


def _read_account(parsed: Transactions, line: int) -> StatementAccount:
    told = read_text(str(parsed.data.get("account_identification") or ""), line=line, field=":25:")
    if not told:
        raise FileRefused("the account is missing", _AGAIN, line=line, field=":25:")
    bank, _, number = told.rpartition("/")
    is_iban = iban.is_valid(number)
    current = next((parsed.data[slug] for slug in _CURRENT if slug in parsed.data), None)
    return StatementAccount(
        key=account_key("mt940", told),
        type=AccountType.DEPOSITORY,
        subtype=AccountSubtype.CHECKING,
        number=None if is_iban else number,
        iban=iban.compact(number) if is_iban else None,
        bank=bank or None,
        currency=parsed.currency,
        current=_balance(current, line),
        available=_balance(parsed.data.get("available_balance"), line),
    )


def _balance(told: Any, line: int) -> Decimal | None:
    if told is None or told.amount is None:
        return None
    return checked_amount(Decimal(told.amount.amount), line=line, field=":62F:")


def _read_transaction(
    told: dict[str, Any], account: StatementAccount, keys: EntryKeys, line: int
) -> StatementTransaction:
    value_date = _day(told["date"], line)
    day = _day(told["entry_date"], line) if told.get("entry_date") else value_date
    size = abs(Decimal(told["amount"].amount))
    amount = size if told["status"] in _LEAVES else Decimal(0) - size
    description = read_text(_describe(told), line=line, field=":86:")
    reference = read_text(str(told.get("bank_reference") or ""), line=line, field=":61:")
    content = (day.isoformat(), value_date.isoformat(), told_amount(amount), description)
    return StatementTransaction(
        key=keys.of_content(account.key, *content, reference),
        account=account.key,
        date=day,
        amount=checked_amount(amount, line=line, field=":61:"),
        description=description,
        currency=told.get("currency") or account.currency,
    )


def _day(told: dt.date, line: int) -> dt.date:
    return checked_date(dt.date(told.year, told.month, told.day), line=line, field=":61:")


def _describe(told: dict[str, Any]) -> str:
    """Who was paid or paid, and for what, where the bank tells it by codes; else all of it."""
    details = " ".join(str(told.get("transaction_details") or "").split("\n"))
    coded = [found[1].strip() for found in _CODED.finditer(details)]
    coded = coded or [str(told.get(slug) or "").strip() for slug in ("applicant_name", "purpose")]
    parts = [part for part in coded if part] or [details]
    if not any(part.strip() for part in parts):
        parts = [str(told.get(slug) or "") for slug in ("customer_reference", "extra_details")]
        parts = [part for part in parts if part not in _NO_REFERENCE]
    return " ".join(parts) or str(told.get("posting_text") or told.get("id") or "UNKNOWN")
