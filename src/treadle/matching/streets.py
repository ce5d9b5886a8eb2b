"""The street line of an address: its house number, flat, name, kind and directions."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from treadle.matching.words import align, data, fold, merge, mistyped, split

# What is taken off a perfect score.
_FOR_PART_MISSING = 4
_FOR_SLIP = 4
_FOR_HOUSE_NUMBER_MISSING = 20

_BOX = "pobox"
_BOX_WORDS = re.compile(r"\b(?:p\s*o|post office)\s*box\b")
_FLAT_BY_SLASH = re.compile(r"^\s*(\d+[a-z]?)/(?=\d)")
_HYPHEN_WITH_LETTER = re.compile(r"\b(\d+)-([a-z])\b")
_ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")


class Street(NamedTuple):
    number: str
    unit: str
    name: list[str]
    kinds: frozenset[str]
    directions: frozenset[str]


def deduction(submitted: str, on_file: str) -> int | None:
    """What the ways to write one street line take off; None when they are two."""
    one, other = _parse(submitted), _parse(on_file)
    deducted = 0
    for mine, theirs, missing in (
        (one.number, other.number, _FOR_HOUSE_NUMBER_MISSING),
        (one.unit, other.unit, _FOR_PART_MISSING),
        (one.kinds, other.kinds, _FOR_PART_MISSING),
        (one.directions, other.directions, _FOR_PART_MISSING),
    ):
        if mine != theirs:
            if mine and theirs:
                return None
            deducted += missing
    name = words_deduction(one.name, other.name)
    return None if name is None else deducted + name


def words_deduction(one: list[str], other: list[str]) -> int | None:
    """What slips and missing words take off; None when the words do not mean one place."""
    one, other = merge(one, other), merge(other, one)
    if one == other:
        return 0
    pairs = align(one, other, mistyped)
    if not pairs or len(pairs) < min(len(one), len(other)):
        return None
    slips = sum(pair.likeness < 1 for pair in pairs)
    return _FOR_SLIP * slips + _FOR_PART_MISSING * abs(len(one) - len(other))


@cache
def abbreviations(table: str) -> dict[str, str]:
    """Every word of a table, abbreviated or not, with the one that stands for it."""
    return {
        word: short for short, words in data("addresses")[table].items() for word in (short, *words)
    }


def _parse(street: str) -> Street:
    folded = _BOX_WORDS.sub(f" {_BOX} ", fold(street).replace(".", ""))
    folded = _HYPHEN_WITH_LETTER.sub(r"\1\2", _FLAT_BY_SLASH.sub(r"unit \1 ", folded))
    words, unit = _without_unit(split(folded.replace("#", " unit ")))
    number, words = _without_number(words)
    directions, kinds, ordinals = (
        abbreviations(table) for table in ("directions", "kinds", "ordinals")
    )
    name = [word for word in words if word not in kinds and word not in directions]
    return Street(
        number,
        unit,
        [ordinals.get(word, _ORDINAL.sub(r"\1", _german(word))) for word in name],
        frozenset(kinds[word] for word in words if word in kinds),
        frozenset(directions[word] for word in words if word in directions),
    )


def _german(word: str) -> str:
    return word.removesuffix("asse") if word.endswith("strasse") else word


def _without_unit(words: list[str]) -> tuple[list[str], str]:
    """The words before and after the flat, and the flat."""
    units = abbreviations("units")
    kept: list[str] = []
    unit = ""
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        after = words[at + 1] if at + 1 < len(words) else ""
        if units.get(word) == "fl" and _ORDINAL.match(before):
            kept.pop()
        elif word not in units and before in units and units[before] != "fl":
            unit += word
        elif word not in units or not (after or kept):
            kept.append(word)
    return kept, unit


def _without_number(words: list[str]) -> tuple[str, list[str]]:
    """The house number, which stands first or, as in German, last; and the other words."""
    if words[:1] == [_BOX]:
        return "".join(words[1:2]), [_BOX]
    if len(words) > 1 and words[0][0].isdigit():
        return words[0], words[1:]
    if len(words) > 1 and words[-1][0].isdigit():
        return words[-1], words[:-1]
    return "", words
