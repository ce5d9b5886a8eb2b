"""Names of businesses."""

from __future__ import annotations

import re

from treadle.matching.words import align, data, merge, mistyped, split

_FOR_ANOTHER_FORM = 8
_FOR_A_FORM_MISSING = 4

_TRADING_AS = re.compile(r"\b(?:d\s*/?\s*b\s*/?\s*a|trading as|t/a)\b")
_CONNECTING = {"the", "and", "of"}


def is_business(folded: str) -> bool:
    """Whether a folded name has a word that only businesses have."""
    if _TRADING_AS.search(folded):
        return True
    words, known = split(folded), data("names")["business"]
    return not set(known["words"]).isdisjoint(words) or (
        len(words) > 1 and words[-1] in known["endings"]
    )


def score(submitted: str, on_file: str) -> int:
    """How well two folded names agree, by any of the names that each trades under."""
    return max(
        _compare(split(one), split(other))
        for one in _TRADING_AS.split(submitted)
        for other in _TRADING_AS.split(on_file)
    )


def _compare(mine: list[str], theirs: list[str]) -> int:
    one, my_forms = _name_and_forms(mine)
    other, their_forms = _name_and_forms(theirs)
    one, other = merge(one, other), merge(other, one)
    letters = sum(map(len, one)) + sum(map(len, other))
    shared = sum(
        pair.likeness * (len(one[pair.one]) + len(other[pair.other]))
        for pair in align(one, other, mistyped)
    )
    number = round(100 * shared / letters) if letters else 0
    if my_forms == their_forms:
        return number
    return max(0, number - (_FOR_ANOTHER_FORM if my_forms and their_forms else _FOR_A_FORM_MISSING))


def _name_and_forms(words: list[str]) -> tuple[list[str], set[str]]:
    known = data("names")["business"]
    name = [known["abbreviations"].get(word, word) for word in words if word not in _CONNECTING]
    forms = set()
    while len(name) > 1 and name[-1] in known["forms"]:
        forms.add(known["forms"][name.pop()])
    return name, forms
