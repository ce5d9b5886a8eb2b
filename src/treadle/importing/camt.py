"""camt.053: statements of accounts in the XML of ISO 20022."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from treadle.importing.keys import EntryKeys, account_key
from treadle.importing.refusal import FileRefused
from treadle.importing.statement import Entries, StatementAccount, StatementTransaction
from treadle.importing.values import checked_date, read_amount, read_text, shown, told_amount
from treadle.wire.common import AccountSubtype, AccountType

_AGAIN = "Download the file from the bank again"
_ROOT = "BkToCstmrStmt"
_DEBIT, _CREDIT = "DBIT", "CRDT"
_BOOKED, _PENDING, _INFORMATION = "BOOK", "PDNG", "INFO"
_CLOSING, _AVAILABLE = ("CLBD", "ITBD"), ("CLAV", "ITAV")


def read_camt(content: bytes) -> Entries:
    keys = EntryKeys()
    count = 0
    statement: _Statement | None = None
    for event, told in _elements(content):
        if event == "start" and told.tag == "Stmt":
            statement = _Statement(keys)
            count += 1
        elif event == "end" and statement:
            yield from statement.take(told)
    if count == 0:
        raise FileRefused("the file has no camt.053 statement", "Ask the bank for camt.053")


class _Told:
    """An element, found by names without their namespace."""

    def __init__(self, element: Any) -> None:
        self.element = element
        self.tag = _local_name(element)
        self.line: int = element.sourceline

    def parent(self) -> str:
        above = self.element.getparent()
        return "" if above is None else _local_name(above)

    def all(self, path: str) -> list[_Told]:
        steps = "/".join(f"{{*}}{step}" for step in path.split("/"))
        return [_Told(found) for found in self.element.iterfind(steps)]

    def first(self, *paths: str) -> _Told | None:
        return next((found for path in paths for found in self.all(path)), None)

    def text(self, *paths: str) -> str:
        """Of the first that is there; empty when none is."""
        found = self.first(*paths)
        return found.value() if found else ""

    def value(self) -> str:
        return read_text(self.element.text or "", line=self.line, field=self.tag)

    def missing(self, what: str) -> FileRefused:
        return FileRefused(f"{what} is missing", _AGAIN, line=self.line, field=self.tag)


def _local_name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _elements(content: bytes) -> Iterator[tuple[str, _Told]]:
    """Every element where it begins and ends, without what XML can do harm with."""
    events = etree.iterparse(
        io.BytesIO(content),
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    try:
        for event, element in events:
            if element.getroottree().docinfo.doctype:
                raise FileRefused("the file declares a document type", _AGAIN, line=1)
            if isinstance(element.tag, str):
                yield event, _Told(element)
    except etree.XMLSyntaxError as error:
        problem = str(error).partition(", line ")[0]
        raise FileRefused(f"no valid XML: {problem[:200]}", _AGAIN, line=error.lineno) from None


class _Statement:
    """One statement: an account, its balances, then its entries."""

    def __init__(self, keys: EntryKeys) -> None:
        self._keys = keys
        self._account: _Told | None = None
        self._balances: list[_Told] = []
        self._known: StatementAccount | None = None

    def take(self, told: _Told) -> Entries:
        if told.parent() == "Stmt" and told.tag == "Acct":
            self._account = told
        elif told.parent() == "Stmt" and told.tag == "Bal":
            self._balances.append(told)
        elif told.tag == "Ntry":
            if self._known is None:
                self._known = self._read_account(told)
                yield self._known
            yield from self._read_entry(told, self._known)
            told.element.clear()
        elif told.tag == "Stmt" and self._known is None:
            yield self._read_account(told)

    def _read_account(self, at: _Told) -> StatementAccount:
        told = self._account
        if told is None:
            raise at.missing("Acct")
        iban, number = told.text("Id/IBAN"), told.text("Id/Othr/Id")
        bank = told.text("Svcr/FinInstnId/BICFI", "Svcr/FinInstnId/BIC")
        if not iban and not number:
            raise told.missing("Id/IBAN")
        amounts = {bal.text("Tp/CdOrPrtry/Cd"): bal for bal in self._balances}
        current, available = (
            next((_signed(amounts[code]) for code in codes if code in amounts), None)
            for codes in (_CLOSING, _AVAILABLE)
        )
        currency = told.text("Ccy") or next((_amount(bal)[1] for bal in self._balances), None)
        return StatementAccount(
            key=account_key("camt", iban or bank, number),
            type=AccountType.DEPOSITORY,
            subtype=AccountSubtype.CHECKING,
            number=number or None,
            iban=iban or None,
            bank=bank or None,
            currency=currency,
            current=current,
            available=available,
        )

    def _read_entry(self, told: _Told, account: StatementAccount) -> Entries:
        status = told.text("Sts/Cd", "Sts") or _BOOKED
        if status == _INFORMATION:
            return
        day = _day(told, "BookgDt") or _day(told, "ValDt")
        if day is None:
            raise told.missing("BookgDt")
        amount = Decimal(0) - _signed(told)
        description = _describe(told, leaves=amount > 0)
        content = (day.isoformat(), told_amount(amount), description)
        reference = told.text("AcctSvcrRef")
        if reference:
            key = self._keys.of_id(account.key, reference, *content)
        else:
            key = self._keys.of_content(account.key, *content)
        if key:
            yield StatementTransaction(
                key=key,
                account=account.key,
                date=day,
                amount=amount,
                description=description,
                currency=_amount(told)[1],
                pending=status == _PENDING,
            )


def _amount(told: _Told) -> tuple[Decimal, str]:
    found = told.first("Amt")
    if found is None:
        raise told.missing("Amt")
    currency = found.element.get("Ccy")
    if not currency:
        raise found.missing("Ccy")
    amount = read_amount(found.value(), line=found.line, field=f"{told.tag}/Amt")
    return amount, read_text(currency, line=found.line, field="Ccy")


def _signed(told: _Told) -> Decimal:
    """The amount as it changes the balance."""
    amount, _ = _amount(told)
    direction = told.text("CdtDbtInd")
    if direction not in (_DEBIT, _CREDIT):
        problem = f"{shown(direction)} is neither {_DEBIT} nor {_CREDIT}"
        raise FileRefused(problem, _AGAIN, line=told.line, field=f"{told.tag}/CdtDbtInd")
    return amount if direction == _CREDIT else Decimal(0) - amount


def _day(told: _Told, path: str) -> dt.date | None:
    text = told.text(f"{path}/Dt", f"{path}/DtTm")
    if not text:
        return None
    field = f"{told.tag}/{path}"
    try:
        day = dt.date.fromisoformat(text[:10])
    except ValueError:
        problem = f"{shown(text)} is no date"
        raise FileRefused(problem, _AGAIN, line=told.line, field=field) from None
    return checked_date(day, line=told.line, field=field)


def _describe(told: _Told, *, leaves: bool) -> str:
    """Who was paid or paid, and for what."""
    details = told.all("NtryDtls/TxDtls")
    information = told.text("AddtlNtryInf")
    if len(details) != 1:
        return information or told.text("NtryRef") or "UNKNOWN"
    party = "Cdtr" if leaves else "Dbtr"
    one = details[0]
    name = one.text(f"RltdPties/{party}/Pty/Nm", f"RltdPties/{party}/Nm")
    remittance = " ".join(line.value() for line in one.all("RmtInf/Ustrd"))
    parts = [part for part in (name, remittance) if part]
    return " ".join(parts) or information or one.text("AddtlTxInf") or "UNKNOWN"
