"""CSV: rows of transactions, read as a mapping declares, without holding the file in memory."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Generator, Iterator, Sequence
from decimal import Decimal
from typing import BinaryIO

import msgspec

from treadle.importing.csv_cells import Dates, read_amount_cell
from treadle.importing.csv_mapping import Mapping
from treadle.importing.keys import EntryKeys, account_key
from treadle.importing.refusal import FileRefused
from treadle.importing.statement import Entries, StatementAccount, StatementTransaction
from treadle.importing.values import read_text, shown, told_amount
from treadle.wire.common import AccountSubtype, AccountType

_CHUNK_BYTES = 1_048_576
_ZERO = Decimal(0)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_SUBTYPES = {
    AccountType.DEPOSITORY: AccountSubtype.CHECKING,
    AccountType.CREDIT: AccountSubtype.CREDIT_CARD,
}
_OWED = (AccountType.CREDIT, AccountType.LOAN)
Row = Sequence[str]


def read_csv(file: BinaryIO, mapping: Mapping) -> Entries:
    mapping.checked()
    with contextlib.closing(numbered_rows(file, mapping)) as rows:
        reader = _Reader(mapping, _columns(rows, mapping))
        yield from reader.read(rows)
        yield from reader.closing()


def numbered_rows(file: BinaryIO, mapping: Mapping) -> Generator[tuple[int, Row]]:
    """The rows that are not blank, each with the number of its last line."""
    encoding = mapping.encoding or detect_encoding(file)
    file.seek(0)
    try:
        text = io.TextIOWrapper(file, encoding, newline="")
    except LookupError:
        advice = "Use a name such as utf-8 or cp1252"
        raise FileRefused(f"unknown encoding {shown(encoding)}", advice, field="mapping") from None
    reader = csv.reader(text, delimiter=mapping.delimiter)
    try:
        for row in reader:
            if reader.line_num > mapping.skip_lines and any(row):
                yield reader.line_num, row
    except UnicodeDecodeError:
        raise FileRefused(
            f"the text is not in {encoding}",
            "Name its encoding in the mapping",
            line=reader.line_num,
        ) from None
    except csv.Error as error:
        advice = "Check the quotes around it"
        raise FileRefused(str(error), advice, line=reader.line_num) from None
    finally:
        # Else the file would be closed with its wrapper.
        text.detach()


def detect_encoding(file: BinaryIO) -> str:
    """UTF-8 when all of the file is, else the code page that Windows uses in the West."""
    file.seek(0)
    chunk = file.read(_CHUNK_BYTES)
    if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk:
            decoder.decode(chunk)
            chunk = file.read(_CHUNK_BYTES)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _columns(rows: Iterator[tuple[int, Row]], mapping: Mapping) -> dict[str, int]:
    """The place of each column."""
    if not mapping.has_headings:
        numbered = {column: int(column) - 1 for column in mapping.columns() if column.isdecimal()}
        for column in mapping.columns():
            if numbered.get(column, -1) < 0:
                advice = "Without headings columns are named by their numbers, from 1"
                raise FileRefused(f"no column {shown(column)}", advice, field="mapping")
        return numbered
    line, headings = next(rows, (0, ()))
    places = {heading.strip(): place for place, heading in reversed(list(enumerate(headings)))}
    for column in mapping.columns():
        if column not in places:
            found = ", ".join(heading for heading in places if heading)[:200]
            problem = f"no column is named {shown(column)}"
            raise FileRefused(problem, f"The file has {found or 'no headings'}", line=line or None)
    return places


class _Reader:
    """Reads the rows of one file."""

    def __init__(self, mapping: Mapping, places: dict[str, int]) -> None:
        def place(column: str | None) -> int | None:
            return places[column] if column else None

        self._mapping = mapping
        self._date = places[mapping.date]
        self._description = [places[column] for column in mapping.description]
        self._amount, self._debit = place(mapping.amount), place(mapping.debit)
        self._credit, self._currency = place(mapping.credit), place(mapping.currency)
        self._balance, self._id = place(mapping.balance), place(mapping.id)
        self._number = place(mapping.account_number)
        self._width = 1 + max(places[column] for column in mapping.columns())
        self._dates = Dates(mapping.date_format, mapping.date)
        self._keys = EntryKeys()
        self._currencies: set[str] = set()
        self._accounts: dict[str, StatementAccount] = {}
        self._closing: dict[str, _Ends] = {}

    def read(self, rows: Iterator[tuple[int, Row]]) -> Entries:
        for line, row in rows:
            if len(row) < self._width:
                problem = f"the row has {len(row)} columns of {self._width}"
                raise FileRefused(problem, "Complete it, or take it out", line=line)
            number = row[self._number].strip() if self._number is not None else ""
            account = self._accounts.get(number)
            if account is None:
                account = self._accounts[number] = self._open(number, line, row)
                yield account
            transaction = self._read_transaction(account.key, line, row)
            if self._balance is not None and row[self._balance]:
                self._closing.setdefault(number, _Ends(line, row)).last = (line, row)
            if transaction:
                yield transaction

    def _read_transaction(self, account: str, line: int, row: Row) -> StatementTransaction | None:
        day = self._dates.read(row[self._date], line)
        amount = self._read_amount(line, row)
        cells = [row[place] for place in self._description]
        text = cells[0] if len(cells) == 1 else " ".join(filter(None, cells))
        description = read_text(text, line=line, field=self._mapping.description[0]) or "UNKNOWN"
        currency = self._read_currency(line, row)
        content = (day.isoformat(), told_amount(amount), description, currency)
        bank_id = row[self._id].strip() if self._id is not None else ""
        key = (
            self._keys.of_id(account, bank_id, *content)
            if bank_id
            else self._keys.of_content(account, *content)
        )
        if key is None:
            return None
        return StatementTransaction(
            key=key,
            account=account,
            date=day,
            amount=amount,
            description=description,
            currency=currency,
        )

    def closing(self) -> Entries:
        """Each account once more, now that its balance is known."""
        for number, ends in self._closing.items():
            (first, last) = (
                self._dates.read(row[self._date], line) for line, row in (ends.first, ends.last)
            )
            # Some banks tell the newest transaction first.
            line, row = ends.first if first > last else ends.last
            account = self._accounts[number]
            balance = self._cell_amount(self._balance, line, row)
            if balance is not None and account.type in _OWED and self._mapping.positive == "in":
                balance = _ZERO - balance
            yield msgspec.structs.replace(account, current=balance)

    def _open(self, number: str, line: int, row: Row) -> StatementAccount:
        told = self._mapping.account
        named = number or told.number
        return StatementAccount(
            key=account_key("csv", named or told.name),
            name=told.name if not number else None,
            type=told.type,
            subtype=told.subtype or _SUBTYPES.get(told.type),
            number=named,
            currency=self._read_currency(line, row),
        )

    def _read_amount(self, line: int, row: Row) -> Decimal:
        """Positive where money leaves."""
        if self._amount is not None:
            amount = self._cell_amount(self._amount, line, row)
            if amount is None:
                raise FileRefused(
                    "the row has no amount",
                    "Add it, or take the row out",
                    line=line,
                    field=self._mapping.amount or "",
                )
            return amount if self._mapping.positive == "out" or not amount else _ZERO - amount
        debit = self._cell_amount(self._debit, line, row)
        credit = self._cell_amount(self._credit, line, row)
        if bool(debit) and bool(credit):
            problem = "the row has both a debit and a credit"
            raise FileRefused(problem, "Leave one of them empty", line=line)
        if debit is None and credit is None:
            raise FileRefused(
                "the row has no amount", "Give a debit or a credit, or take the row out", line=line
            )
        return abs(debit) if debit else _ZERO - abs(credit or _ZERO)

    def _cell_amount(self, place: int | None, line: int, row: Row) -> Decimal | None:
        cell = row[place].strip() if place is not None else ""
        if not cell:
            return None
        return read_amount_cell(cell, self._mapping.decimal, line, f"column {(place or 0) + 1}")

    def _read_currency(self, line: int, row: Row) -> str:
        told = row[self._currency].strip() if self._currency is not None else ""
        currency = told or self._mapping.currency_code or ""
        if currency in self._currencies:
            return currency
        if not _CURRENCY.fullmatch(currency):
            problem = f"{shown(currency)} is no currency"
            advice = "Write it like USD, or give currency_code in the mapping"
            raise FileRefused(problem, advice, line=line, field=self._mapping.currency or "")
        self._currencies.add(currency)
        return currency


class _Ends:
    """The first and the last row of an account that tell a balance."""

    def __init__(self, line: int, row: Row) -> None:
        self.first = self.last = (line, row)
