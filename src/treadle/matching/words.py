"""Words of names, streets and mail addresses: how they are folded, and when two are alike."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import OSA

from treadle.matching import MAX_LENGTH

# A comparison takes each word with each.
_MAX_WORDS = 12

EQUAL = 1.0
SPELLED_OUT = 0.97
MISTYPED = 0.88
# How far two words may be apart, by the length of the longer; short ones must be equal, since
# one letter makes another name of them.
_ALLOWED_SLIPS = ((12, 2), (5, 1))

_APOSTROPHES = re.compile(r"[`\u00b4\u2018\u2019\u02bc\u2032']")
_IDEOGRAPH = re.compile(r"([\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff])")
_WORD = re.compile(r"[a-z0-9]+")
_SPELLED_OUT = re.compile(r"([aou])e")

Likeness = Callable[[str, str], float]


@cache
def data(name: str) -> dict[str, Any]:
    """A table of words from a file beside this one."""
    return tomllib.loads((files("treadle.matching") / f"{name}.toml").read_text())


def plain(text: str | None) -> str:
    """A text as it was given, without what never tells two values apart: case and spaces."""
    return " ".join((text or "")[:MAX_LENGTH].casefold().split())


def fold(text: str) -> str:
    """A text in lower-case Latin letters without accents or apostrophes."""
    spaced = _IDEOGRAPH.sub(r"\1 ", _APOSTROPHES.sub("", text[:MAX_LENGTH]))
    return str(anyascii(spaced))[: 2 * MAX_LENGTH].lower().replace("'", "")


def split(folded: str) -> list[str]:
    return _WORD.findall(folded)[:_MAX_WORDS]


def mistyped(one: str, other: str) -> float:
    """How alike two words are that may be one, written differently or with a slip."""
    if one == other:
        return EQUAL
    if one[:1] != other[:1] or one.isdigit() or other.isdigit():
        return 0.0
    if _SPELLED_OUT.sub(r"\1", one) == _SPELLED_OUT.sub(r"\1", other):
        return SPELLED_OUT
    length = max(len(one), len(other))
    allowed = next((slips for least, slips in _ALLOWED_SLIPS if length >= least), 0)
    if length == 4 and sorted(one) == sorted(other):
        allowed = 1
    return MISTYPED if OSA.distance(one, other, score_cutoff=allowed) <= allowed else 0.0


def merge(words: list[str], others: list[str]) -> list[str]:
    """The words, with neighbours run together where the others have them as one word."""
    whole = set(others)
    merged: list[str] = []
    at = 0
    while at < len(words):
        for count in (3, 2, 1):
            joined = "".join(words[at : at + count])
            if count == 1 or (joined in whole and len(words) - at >= count):
                merged.append(joined)
                at += count
                break
    return merged


class Pair(NamedTuple):
    """Two words that belong together, by their places."""

    likeness: float
    one: int
    other: int


def align(ones: list[str], others: list[str], likeness: Likeness) -> list[Pair]:
    """Each word with the one that is most like it, in the order of the first list."""
    possible = [
        Pair(alike, one, other)
        for one, left in enumerate(ones)
        for other, right in enumerate(others)
        if (alike := likeness(left, right))
    ]
    # Of equally good partners the one at a like distance from the end is meant.
    possible.sort(key=lambda pair: (-pair.likeness, abs(pair.one - pair.other)))
    found: dict[int, Pair] = {}
    taken = set()
    for pair in possible:
        if pair.one not in found and pair.other not in taken:
            found[pair.one] = pair
            taken.add(pair.other)
    return [found[one] for one in sorted(found)]
