"""Names of people, and which of the ways to write one mean the same person."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import NamedTuple

from treadle.matching import THRESHOLD, businesses
from treadle.matching.words import (
    EQUAL,
    MISTYPED,
    Pair,
    align,
    data,
    fold,
    merge,
    mistyped,
    plain,
    split,
)

NICKNAME = 0.92
INITIAL = 0.75

# What is taken off a perfect score.
_FOR_NICKNAME = 8
_FOR_SLIP = 6
_FOR_INITIAL = 8
_FOR_FURTHER_WORD = 4
_FOR_ORDER = 3
_FOR_MIDDLE_NAME = 8
_FOR_GENERATION = 2
_HIGHEST_MISMATCH = 65

_MAX_JOINT_OWNERS = 4
_JOINT = re.compile(r"\s(?:and|or)\s|[&/+;]")
_POINTS = re.compile(r"\.(?=\w\b)")


class NameScore(NamedTuple):
    score: int
    is_first_name_or_last_name_match: bool = False
    is_nickname_match: bool = False
    is_business_name_detected: bool = False


class Person(NamedTuple):
    words: list[str]
    generation: str | None


def score(submitted: str, on_file: str) -> NameScore:
    """How well two names agree. Either may name two people of whom one will do."""
    one, other = _POINTS.sub("", fold(submitted)), _POINTS.sub("", fold(on_file))
    if businesses.is_business(one) or businesses.is_business(other):
        number = 100 if plain(submitted) == plain(on_file) else businesses.score(one, other)
        return NameScore(number, is_business_name_detected=True)
    if plain(submitted) == plain(on_file):
        return NameScore(100, is_first_name_or_last_name_match=True)
    pairs = ((mine, theirs) for mine in _people(one) for theirs in _people(other))
    return max((_compare(mine, theirs) for mine, theirs in pairs), default=NameScore(0))


def _people(folded: str) -> list[Person]:
    """Everyone a name may stand for: of a joint one each owner, with the shared family name."""
    parts = [person for part in _JOINT.split(folded) if (person := _person(part)).words]
    found: list[Person] = []
    for person in islice(parts, _MAX_JOINT_OWNERS):
        if len(parts) == 1 or sum(len(word) > 1 for word in person.words) > 1:
            found.append(person)
        else:
            # The family name stands at the end or, as banks have it, at the beginning.
            for shared in (parts[-1].words[-1], parts[0].words[0]):
                if shared not in person.words:
                    found.append(Person([*person.words, shared], person.generation))
    return found


def _person(folded: str) -> Person:
    known = data("names")
    ending = {*known["degrees"], *known["capacities"], *known["generations"]}
    pieces = [words for piece in folded.split(",") if (words := split(piece))]
    # What follows a comma is either a suffix or the rest of a name that began with the family's.
    trailing = [word for words in pieces[1:] if ending.issuperset(words) for word in words]
    parts = pieces[:1] + [words for words in pieces[1:] if not ending.issuperset(words)]
    words = [word for part in (*parts[1:], *parts[:1]) for word in part]
    while len(words) > 1 and words[0] in known["titles"]:
        words = words[1:]
    while len(words) > 1 and words[-1] in ending:
        trailing.append(words.pop())
    generations = [known["generations"][word] for word in trailing if word in known["generations"]]
    return Person(words, generations[0] if generations else None)


def _compare(mine: Person, theirs: Person) -> NameScore:
    one = _initials_apart(mine.words, theirs.words)
    other = _initials_apart(theirs.words, mine.words)
    one, other = merge(one, other), merge(other, one)
    if len(one) > len(other):
        one, other = other, one
    pairs = align(one, other, given_name_likeness)
    equal = {(pair.one, pair.other) for pair in pairs if pair.likeness == EQUAL}
    # The family name may stand at either end.
    ends = {(first, last) for first in (0, len(one) - 1) for last in (0, len(other) - 1)}
    same_generation = mine.generation == theirs.generation
    other_generation = bool(mine.generation and theirs.generation) and not same_generation
    if _agree(one, other, pairs) and not other_generation:
        deducted = _deductions(one, other, pairs) + (0 if same_generation else _FOR_GENERATION)
        number = max(100 - deducted, THRESHOLD)
    else:
        alike = 2 * sum(pair.likeness for pair in pairs) / (len(one) + len(other))
        number = min(round(100 * alike), _HIGHEST_MISMATCH)
    return NameScore(
        number,
        is_first_name_or_last_name_match=bool(equal & ends),
        is_nickname_match=any(pair.likeness == NICKNAME for pair in pairs),
    )


def _agree(one: list[str], other: list[str], pairs: list[Pair]) -> bool:
    """Whether one name is wholly in the other, with enough of it to tell a person."""
    if _has_further_word(one, {pair.one for pair in pairs}) and _has_further_word(
        other, {pair.other for pair in pairs}
    ):
        return False
    if len(pairs) < 2:
        return len(one) == len(other) == len(pairs)
    # A name is more than initials, and a first name with the initial of a family says too little.
    lasts = (len(one) - 1, len(other) - 1)
    return any(
        pair.likeness != INITIAL and (pair.one == lasts[0] or pair.other == lasts[1])
        for pair in pairs
    )


def _has_further_word(words: list[str], found: set[int]) -> bool:
    """Whether a name has a word that was not found; particles inside it may be left out."""
    inside = range(1, len(words) - 1)
    particles = data("names")["particles"]
    return any(
        at not in found and not (at in inside and word in particles)
        for at, word in enumerate(words)
    )


def _deductions(one: list[str], other: list[str], pairs: list[Pair]) -> int:
    likenesses = [pair.likeness for pair in pairs]
    places = [pair.other for pair in pairs]
    further = len(other) - len(pairs)
    in_order = places == sorted(places)
    return (
        _FOR_NICKNAME * likenesses.count(NICKNAME)
        + _FOR_INITIAL * likenesses.count(INITIAL)
        + _FOR_SLIP * likenesses.count(MISTYPED)
        + _FOR_FURTHER_WORD * min(further, 3)
        + (0 if in_order else _FOR_ORDER)
        + (_FOR_MIDDLE_NAME if in_order and places and places[0] > 0 else 0)
    )


def _initials_apart(words: list[str], others: list[str]) -> list[str]:
    """The words, with a first one like "jr" as two when the other name begins with j and r."""
    first = words[0]
    if len(words) > 1 and 2 <= len(first) <= 3 and first not in others:
        initials = "".join(word[0] for word in others[: len(first)])
        if initials == first and len(others) > len(first):
            return [*first, *words[1:]]
    return words


def given_name_likeness(one: str, other: str) -> float:
    """How alike two words of names are.

    Two names that are both known and do not stand for each other are two people's: only one
    that nobody bears is taken for a slip.
    """
    if one == other:
        return EQUAL
    if 1 in (len(one), len(other)):
        return INITIAL if one[0] == other[0] else 0.0
    groups = _given_names()
    if one in groups and other in groups:
        return 0.0 if groups[one].isdisjoint(groups[other]) else NICKNAME
    return mistyped(one, other)


@cache
def _given_names() -> dict[str, set[int]]:
    """Each known given name, with the groups of names that stand for one another it is in."""
    groups: dict[str, set[int]] = {}
    lines = (files("treadle.matching") / "given_names.txt").read_text().splitlines()
    for number, names in enumerate(lines):
        for name in names.split():
            groups.setdefault(name, set()).add(number)
    return groups
