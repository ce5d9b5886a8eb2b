"""The tree of an OFX file, version 1 (SGML) or 2 (XML), checked as far as any reading needs."""

from __future__ import annotations

import datetime as dt
import io
import logging
import re
from collections.abc import Iterator
from decimal import Decimal
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, unescape

from ofxtools.header import OFXHeaderError, parse_header
from ofxtools.Parser import ParseError, TreeBuilder
from ofxtools.Types import OFXSpecError

from treadle.importing.refusal import FileRefused
from treadle.importing.values import checked_date, decode, read_amount, read_text, shown

# It would log what it reads.
logging.getLogger("ofxtools").setLevel(logging.CRITICAL)
_MAX_DEPTH = 32
_CLOSING = re.compile(r"</([A-Z0-9._]+)>")
_OPENING = re.compile(r"<([A-Z0-9._]+)>\s*(?=<)")
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_ENTITIES = {"&nbsp;": " ", "&quot;": '"', "&apos;": "'"}
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)(\d{4}(\d\d(\.\d{1,6})?)?)?\s*(\[[^\]]{1,16}\])?", re.ASCII)
_AGAIN = "Download the file from the bank again"


def read_tree(content: bytes) -> Element:
    message = _message(content)
    if "</OFX>" not in message:
        raise FileRefused("the file is cut off: </OFX> is missing", _AGAIN)
    message = _plain(message)
    builder = _Builder()
    try:
        builder.feed(message)
        root = builder.finished()
    except (ParseError, AssertionError) as error:
        problem = str(error).partition(" in <OFX")[0].partition(" - position")[0]
        raise FileRefused(f"the file is no valid OFX: {problem[:200]}", _AGAIN) from None
    if root.tag != "OFX":
        raise FileRefused("the file has no <OFX> element", _AGAIN)
    return root


def _message(content: bytes) -> str:
    """The text behind the header. Some banks leave the header out."""
    body = content.lstrip()
    if body.startswith(b"<OFX>"):
        return decode(body)
    try:
        return str(parse_header(io.BytesIO(content))[1])
    except (OFXHeaderError, OFXSpecError, ValueError, IndexError, LookupError) as error:
        problem = "its encoding is not the one that its header names"
        if not isinstance(error, UnicodeDecodeError):
            problem = "its header is malformed"
        raise FileRefused(f"the file is no valid OFX: {problem}", _AGAIN) from None


def _plain(message: str) -> str:
    """The message without sections of character data and elements that are empty and not closed."""
    first, *sections = message.split(_CDATA)
    parts = [first]
    for section in sections:
        text, end, rest = section.partition(_CDATA_END)
        if not end:
            raise FileRefused("a CDATA section does not end", _AGAIN)
        parts += (escape(text), rest)
    message = "".join(parts)
    closed = set(_CLOSING.findall(message))
    return _OPENING.sub(lambda found: found[0] if found[1] in closed else "", message)


class _Builder(TreeBuilder):
    """Refuses what the builder of the library would let pass: tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._root: Element | None = None

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        if len(self._open) >= _MAX_DEPTH:
            raise ParseError("its elements are nested too deep")
        if self._root is not None and not self._open:
            raise ParseError("there is more than one root element")
        self._open.append(tag)
        element: Element = super().start(tag, attrs)
        if self._root is None:
            self._root = element
        return element

    def end(self, tag: str) -> Element:
        if not self._open or self._open.pop() != tag:
            raise ParseError(f"</{tag}> closes nothing that is open")
        ended: Element = super().end(tag)
        return ended

    def finished(self) -> Element:
        if self._root is None:
            raise ParseError("it has no elements")
        if self._open:
            raise ParseError(f"<{self._open[-1]}> is not closed; the file may be cut off")
        return self._root


class Aggregate:
    """An element that has others, with its name for messages."""

    def __init__(self, element: Element, name: str) -> None:
        self._element = element
        self.name = name

    @property
    def tag(self) -> str:
        return self._element.tag

    def find(self, path: str) -> Aggregate | None:
        found = self._element.find(path)
        return None if found is None else Aggregate(found, f"{self.name}/{path}")

    def need(self, path: str) -> Aggregate:
        found = self.find(path)
        if found is None:
            raise self._missing(path)
        return found

    def children(self, path: str = "*") -> Iterator[Aggregate]:
        for number, element in enumerate(self._element.iterfind(path), 1):
            yield Aggregate(element, f"{element.tag} {number} of {self.name}")

    def text(self, path: str) -> str:
        """Empty when it is not there."""
        found = self._element.findtext(path)
        if not found:
            return ""
        return read_text(unescape(found, _ENTITIES), field=f"{self.name}, {path}")

    def need_text(self, path: str) -> str:
        text = self.text(path)
        if not text:
            raise self._missing(path)
        return text

    def amount(self, path: str) -> Decimal | None:
        text = self.text(path)
        if not text:
            return None
        if "." not in text:
            text = text.replace(",", ".")
        return read_amount(text, field=f"{self.name}, {path}")

    def need_amount(self, path: str) -> Decimal:
        amount = self.amount(path)
        if amount is None:
            raise self._missing(path)
        return amount

    def day(self, path: str) -> dt.date | None:
        """The day where the bank is, whatever the time zone that it tells."""
        text = self.text(path)
        if not text:
            return None
        field = f"{self.name}, {path}"
        found = _DAY.fullmatch(text)
        try:
            if found:
                day = dt.date(int(found[1]), int(found[2]), int(found[3]))
                return checked_date(day, field=field)
        except ValueError:
            pass
        raise FileRefused(f"{shown(text)} is no date", "Write it like 20240131", field=field)

    def need_day(self, path: str) -> dt.date:
        day = self.day(path)
        if day is None:
            raise self._missing(path)
        return day

    def _missing(self, path: str) -> FileRefused:
        return FileRefused(f"{path} is missing", "Add it, or leave the entry out", field=self.name)
