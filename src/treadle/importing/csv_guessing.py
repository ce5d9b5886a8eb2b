"""A first mapping of a CSV file, guessed from its headings and cells for its user to correct."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import BinaryIO, Literal

import msgspec

from treadle.importing.csv_cells import parse_amount, parse_day
from treadle.importing.csv_mapping import DATE_FORMATS, Mapping
from treadle.importing.delimited import detect_encoding
from treadle.importing.refusal import FileRefused

_SAMPLE_BYTES = 262_144
_SAMPLE_ROWS = 500
_DELIMITERS: tuple[Literal[",", ";", "\t", "|"], ...] = (",", ";", "\t", "|")
_ADVICE = "Declare a mapping; docs/importing.md shows how"
# Headings of banks in several languages, the most telling first.
_HEADINGS = {
    "date": (
        "posting date", "posted date", "date posted", "post date", "booking date", "buchungstag",
        "buchungsdatum", "transaction date", "trans. date", "trans date", "date", "datum",
        "date comptable", "fecha", "data", "completed date", "started date",
    ),
    "description": (
        "description", "transaction description", "description 1", "details", "narrative",
        "payee", "merchant", "merchant name", "name", "memo", "buchungstext",
        "verwendungszweck", "omschrijving", "naam / omschrijving", "libellé", "libelle",
        "concepto", "descrizione", "reference", "transaction details",
    ),
    "amount": (
        "amount", "transaction amount", "amount (usd)", "amount (gbp)", "betrag", "bedrag",
        "bedrag (eur)", "montant", "importe", "importo", "value", "cad$", "usd$", "net amount",
    ),
    "debit": (
        "debit", "debit amount", "withdrawal", "withdrawals", "withdrawal amount", "paid out",
        "money out", "débit", "soll", "debits", "cargo",
    ),
    "credit": (
        "credit", "credit amount", "deposit", "deposits", "deposit amount", "paid in",
        "money in", "crédit", "haben", "credits", "abono",
    ),
    "currency": ("currency", "currency code", "währung", "waehrung", "devise", "munt", "moneda"),
    "balance": (
        "balance", "running balance", "running bal.", "saldo", "solde", "account balance",
        "saldo na mutatie", "closing balance",
    ),
    "id": ("transaction id", "transaction_id", "fitid", "unique id", "id", "reference number"),
    "account_number": ("account number", "iban", "rekening", "auftragskonto", "account"),
}  # fmt: skip


class Guess(msgspec.Struct):
    mapping: Mapping
    # What the user should look at, since the file does not settle it.
    doubts: list[str]


def guess_mapping(file: BinaryIO) -> Guess:
    encoding = detect_encoding(file)
    file.seek(0)
    text = file.read(_SAMPLE_BYTES).decode(encoding, errors="replace")
    for delimiter in _DELIMITERS:
        lines, rows = _sample(text, delimiter)
        for place, row in enumerate(rows[:30]):
            found = _match_headings(row)
            if "date" in found and ("amount" in found or "debit" in found or "credit" in found):
                guess = _Guesser(found, rows[place + 1 :]).guess()
                guess.mapping.delimiter = delimiter
                guess.mapping.encoding = encoding if encoding == "cp1252" else None
                guess.mapping.skip_lines = lines[place - 1] if place else 0
                return guess
    raise FileRefused("no headings of a date and an amount were found", _ADVICE)


def _sample(text: str, delimiter: str) -> tuple[list[int], list[list[str]]]:
    """Rows from the beginning with the numbers of their lines, the last one left out if cut."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(row):
                lines.append(reader.line_num)
                rows.append(row)
            if len(rows) > _SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    if len(text) >= _SAMPLE_BYTES and len(rows) <= _SAMPLE_ROWS and rows:
        rows.pop()
    return lines, rows


def _match_headings(row: Sequence[str]) -> dict[str, tuple[str, int]]:
    """What each known heading is for, with its own spelling and place."""
    known = {heading.strip().lower(): place for place, heading in reversed(list(enumerate(row)))}
    found = {}
    taken: set[int] = set()
    for purpose, headings in _HEADINGS.items():
        place = next((known[one] for one in headings if known.get(one, -1) not in {-1, *taken}), -1)
        if place >= 0:
            taken.add(place)
            found[purpose] = (row[place].strip(), place)
    return found


class _Guesser:
    def __init__(self, found: dict[str, tuple[str, int]], rows: list[list[str]]) -> None:
        self._found = found
        width = 1 + max(place for _, place in found.values())
        self._rows = [row for row in rows if len(row) >= width]
        self._doubts: list[str] = []

    def guess(self) -> Guess:
        if "description" not in self._found:
            raise FileRefused("no heading of a description was found", _ADVICE)
        single = "amount" in self._found
        decimal = self._decimal(
            "amount" if single else "debit" if "debit" in self._found else "credit"
        )
        mapping = Mapping(
            date=self._found["date"][0],
            date_format=self._date_format(decimal),
            description=[self._found["description"][0]],
            amount=self._name("amount"),
            debit=None if single else self._name("debit"),
            credit=None if single else self._name("credit"),
            positive=self._positive(decimal) if single else "in",
            decimal=decimal,
            currency=self._name("currency"),
            currency_code=None if "currency" in self._found else self._currency(),
            balance=self._name("balance"),
            id=self._name("id"),
            account_number=self._name("account_number"),
        )
        return Guess(mapping, self._doubts)

    def _name(self, purpose: str) -> str | None:
        return self._found[purpose][0] if purpose in self._found else None

    def _cells(self, purpose: str) -> list[str]:
        if purpose not in self._found:
            return []
        place = self._found[purpose][1]
        return [row[place].strip() for row in self._rows if row[place].strip()]

    def _date_format(self, decimal: str) -> str:
        cells = self._cells("date")
        fitting = [one for one in DATE_FORMATS if cells and all(parse_day(c, one) for c in cells)]
        if not fitting:
            raise FileRefused(
                "no known format fits the dates", _ADVICE, field=self._found["date"][0]
            )
        if len(fitting) > 1:
            european = [one for one in fitting if one.startswith("DD")]
            if decimal == "," and european:
                fitting = european
            self._doubts.append(f"date_format: the dates also fit {', '.join(fitting[1:])}")
        return fitting[0]

    def _decimal(self, purpose: str) -> Literal[".", ","]:
        cells = self._cells(purpose)
        points, commas = (
            sum(parse_amount(cell, decimal) is not None for cell in cells) for decimal in ".,"
        )
        return "," if commas > points or (commas == points and self._comma_ends(cells)) else "."

    @staticmethod
    def _comma_ends(cells: list[str]) -> bool:
        return any(cell[-3:-2] == "," for cell in cells)

    def _currency(self) -> str | None:
        signs = {"£": "GBP", "€": "EUR", "$": "USD"}
        purposes = [one for one in ("amount", "debit", "credit", "balance") if one in self._found]
        text = "".join("".join([self._found[one][0], *self._cells(one)[:20]]) for one in purposes)
        for code in ("GBP", "EUR", "CAD", "USD"):
            if code in text:
                return code
        for sign, code in signs.items():
            if sign in text:
                return code
        self._doubts.append("currency_code: the file does not tell the currency")
        return None

    def _positive(self, decimal: str) -> Literal["in", "out"]:
        """From the balances, if there are any; else most transactions are taken for payments."""
        amounts = self._numbers("amount", decimal)
        balances = self._numbers("balance", decimal)
        if len(amounts) == len(balances) > 1:
            in_, out = self._steps(amounts, balances)
            if in_ != out:
                return "in" if in_ > out else "out"
        negative = sum(amount < 0 for amount in amounts)
        if 0 < negative < len(amounts):
            return "in" if negative * 2 >= len(amounts) else "out"
        self._doubts.append("positive: all amounts have one sign, which may stand for in or out")
        return "in" if negative else "out"

    def _numbers(self, purpose: str, decimal: str) -> list[Decimal]:
        numbers = (parse_amount(cell, decimal) for cell in self._cells(purpose))
        return [number for number in numbers if number is not None]

    @staticmethod
    def _steps(amounts: list[Decimal], balances: list[Decimal]) -> tuple[int, int]:
        """How many steps between balances fit positive amounts that come in, and that go out."""
        in_ = out = 0
        for (before, after), (first, second) in zip(
            pairwise(balances), pairwise(amounts), strict=True
        ):
            # The newer row of two tells the step, whichever comes first in the file.
            in_ += after - before in (second, Decimal(0) - first)
            out += after - before in (Decimal(0) - second, first)
        return in_, out
