"""Reading single values of any format: amounts and descriptions."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from treadle.importing.refusal import FileRefused

MAX_TEXT_LENGTH = 4_000
# Beyond it a double no longer tells cents apart.
_LARGEST = Decimal(10) ** 13
_ZERO = Decimal(0)
_PLAIN = re.compile(r"[+-]?(\d{1,30}(\.\d{0,12})?|\.\d{1,12})", re.ASCII)
_SPACES = re.compile(r"\s+")
_EARLIEST = dt.date(1900, 1, 1)
_LATEST = dt.date(2199, 12, 31)


def read_amount(text: str, *, line: int | None = None, field: str) -> Decimal:
    """A number as banks write it into files of formats: a point, no thousands."""
    if _PLAIN.fullmatch(text):
        return checked_amount(Decimal(text), line=line, field=field)
    raise FileRefused(f"{shown(text)} is no amount", "Write it like -12.50", line=line, field=field)


def checked_amount(amount: Decimal, *, line: int | None = None, field: str) -> Decimal:
    """The amount, without a sign when it is zero."""
    if not amount.is_finite() or abs(amount) >= _LARGEST:
        raise FileRefused(
            "the amount is too large", f"It must be below {_LARGEST:,}", line=line, field=field
        )
    return amount if amount else _ZERO


def checked_date(day: dt.date, *, line: int | None = None, field: str) -> dt.date:
    if not _EARLIEST <= day <= _LATEST:
        raise FileRefused(
            f"{day} is no day of a statement",
            f"Give one from {_EARLIEST} to {_LATEST}",
            line=line,
            field=field,
        )
    return day


def read_text(text: str, *, line: int | None = None, field: str) -> str:
    """A text on one line, without what would hide or turn a part of it."""
    if len(text) > MAX_TEXT_LENGTH:
        raise FileRefused(
            f"the text has {len(text):,} characters",
            f"Shorten it to {MAX_TEXT_LENGTH:,}",
            line=line,
            field=field,
        )
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    if not text.isprintable():
        # Control characters, and what hides or turns the text behind it.
        text = "".join(one if one.isprintable() else " " for one in text)
    return _SPACES.sub(" ", text).strip()


def shown(text: str) -> str:
    """A text that may be long or hostile, for a message."""
    return repr(text if len(text) <= 40 else text[:40] + "…")


def told_amount(amount: Decimal) -> str:
    """An amount for a key: the same however many zeros it was written with."""
    return f"{amount.normalize():f}"


def decode(content: bytes) -> str:
    """The text of a file that does not say how it is encoded."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
