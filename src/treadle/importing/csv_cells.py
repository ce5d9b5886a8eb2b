"""Reading the cells of a CSV file: dates and amounts as people and programs write them."""

from __future__ import annotations

import datetime as dt
import re
import time
from decimal import Decimal

from treadle.importing.csv_mapping import DATE_FORMATS
from treadle.importing.refusal import FileRefused
from treadle.importing.values import checked_amount, checked_date, shown

_KNOWN_DAYS_LIMIT = 50_000
# What stands around a number: a currency, and spaces of any kind.
_AROUND = re.compile(r"^[^\d.,()+\-]*([(+\-]*)[^\d.,()+\-]*([\d.,' ]*)[^\d]*?([)\-]?|CR|DR|C|D)$")
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u00a0": " ", "\u202f": " ", "\u2019": "'"})
_SIMPLE = re.compile(r"-?\d{1,13}(\.\d{1,10})?", re.ASCII)
_GROUPED = {
    ".": re.compile(r"(\d{1,3}(?:[,' ]\d{2,3})+|\d+)?(?:\.(\d{0,10}))?", re.ASCII),
    ",": re.compile(r"(\d{1,3}(?:[.' ]\d{2,3})+|\d+)?(?:,(\d{0,10}))?", re.ASCII),
}
_MAX_AMOUNT_LENGTH = 60


class Dates:
    """The days of one column. Few differ, so each is read once."""

    def __init__(self, date_format: str, field: str) -> None:
        self._format = date_format
        self._field = field
        self._known: dict[str, dt.date] = {}

    def read(self, cell: str, line: int) -> dt.date:
        known = self._known.get(cell)
        if known:
            return known
        day = self._parse(cell, line)
        if len(self._known) < _KNOWN_DAYS_LIMIT:
            self._known[cell] = day
        return day

    def _parse(self, cell: str, line: int) -> dt.date:
        day = parse_day(cell, self._format)
        if day is None:
            problem = f"{shown(cell)} is no date like {self._format}"
            advice = "Correct the date, or date_format in the mapping"
            raise FileRefused(problem, advice, line=line, field=self._field)
        return checked_date(day, line=line, field=self._field)


def parse_day(cell: str, date_format: str) -> dt.date | None:
    """The day that a cell tells, a time of day behind it left out."""
    text = cell.strip()
    length = len(text.split()[0]) if " " not in date_format and text else len(text)
    text = text[:length].partition("T")[0] if "MMM" not in date_format else text
    try:
        return dt.date(*time.strptime(text[:40], DATE_FORMATS[date_format])[:3])
    except ValueError:
        return None


def parse_amount(cell: str, decimal: str) -> Decimal | None:
    """The number that a cell tells; None when it tells none."""
    if decimal == "." and _SIMPLE.fullmatch(cell):
        return Decimal(cell)
    text = cell.translate(_MINUS).strip()
    if len(text) > _MAX_AMOUNT_LENGTH:
        return None
    found = _AROUND.fullmatch(text.upper())
    if not found:
        return None
    before, digits, behind = found[1], found[2].strip(), found[3]
    number = _GROUPED[decimal].fullmatch(digits)
    if not number or not (number[1] or number[2]):
        return None
    if (before.count("(") == 1) != (behind == ")") or len(before) > 1 + before.count("("):
        return None
    whole = re.sub(r"[.,' ]", "", number[1] or "0")
    amount = Decimal(f"{whole}.{number[2] or '0'}")
    leaves = "(" in before or "-" in before or behind in ("-", "DR", "D")
    return Decimal(0) - amount if leaves else amount


def read_amount_cell(cell: str, decimal: str, line: int, field: str) -> Decimal:
    amount = parse_amount(cell, decimal)
    if amount is None:
        advice = f"Write it like -1234{decimal}50, or correct decimal in the mapping"
        raise FileRefused(f"{shown(cell)} is no amount", advice, line=line, field=field)
    return checked_amount(amount, line=line, field=field)
