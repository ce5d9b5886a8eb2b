"""Reading the text of a description: its words, what is noise in it, and where it was."""

from __future__ import annotations

import re
from importlib.resources import files

import msgspec

# What stands behind is never a name, and a limit keeps the time for any text the same.
MAX_LENGTH = 200
_SEPARATORS = re.compile(r"[\W_]+")
# A reference that stands behind a name without a space.
_GLUED = re.compile(r"(?<=[A-Z]{3})(?=\d{3})")
_PPD_ID = re.compile(r"\bPPD ID:? ?(\w{1,20})", re.IGNORECASE)


class _Words(msgspec.Struct):
    # How it was paid, which stands before a name.
    prefixes: frozenset[str]
    # How it was paid, in words that say another thing where they stand alone.
    openings: list[str]
    # How it was paid, which stands behind a name.
    endings: frozenset[str]
    # What begins the names of cities that have more than one word.
    city_beginnings: frozenset[str]
    # What begins the description of a check.
    checks: frozenset[str]
    # States and provinces of the United States and Canada.
    regions: frozenset[str]
    countries: dict[str, str]
    # Kept in capitals where the rest of a name is not.
    capitals: frozenset[str]


_WORDS = msgspec.json.decode((files("treadle.enrichment") / "words.json").read_bytes(), type=_Words)
_OPENINGS = [opening.split() for opening in _WORDS.openings]
_MIN_REFERENCE_DIGITS = 3
_MAX_STORE_NUMBER_LENGTH = 8


class Place(msgspec.Struct, frozen=True):
    city: str | None = None
    region: str | None = None
    country: str | None = None
    store_number: str | None = None


NOWHERE = Place()


def split_words(description: str) -> list[str]:
    """The words in capitals, without punctuation."""
    text = description[:MAX_LENGTH].upper().replace("'", "").replace("\u2019", "")
    return _SEPARATORS.sub(" ", _GLUED.sub(" ", text)).split()


def without_opening(words: list[str]) -> list[str]:
    for opening in _OPENINGS:
        if words[: len(opening)] == opening:
            return words[len(opening) :]
    return words


def is_reference(word: str) -> bool:
    """Whether a word is a number of something, not a part of a name."""
    return not word.isalpha() and sum(map(str.isdigit, word)) >= _MIN_REFERENCE_DIGITS


def count_prefixes(words: list[str]) -> int:
    """How many words come before the name: how it was paid, and who processed it."""
    for count, word in enumerate(words):
        if word not in _WORDS.prefixes and not is_reference(word):
            return count
    return 0


def check_number(words: list[str]) -> str | None:
    if len(words) < 2 or words[0] not in _WORDS.checks:
        return None
    number = words[2] if words[1] in ("NO", "NUMBER", "PAID") and len(words) > 2 else words[1]
    return number if number.isdecimal() else None


def ppd_id(description: str) -> str | None:
    found = _PPD_ID.search(description[:MAX_LENGTH])
    return found[1] if found else None


def read_place(words: list[str]) -> Place:
    """The place that the words behind a name tell: store number, city, region and country."""
    rest = [word for word in words if word not in ("STORE", "NO")]
    country = _WORDS.countries.get(rest[-1]) if rest else None
    if country:
        rest.pop()
    region = rest.pop() if rest and rest[-1] in _WORDS.regions else None
    is_number = bool(rest) and rest[0].isdecimal() and len(rest[0]) <= _MAX_STORE_NUMBER_LENGTH
    named = [word for word in rest if word.isalpha()]
    return Place(
        city=" ".join(named).title() if region and named else None,
        region=region,
        country=country if region else None,
        store_number=rest[0] if is_number else None,
    )


def tail_behind_number(words: list[str]) -> list[str]:
    """The words behind a name that a number ends, the number included."""
    for place, word in enumerate(words):
        if place and word.isdecimal():
            return words[place:]
    return []


def tidy_name(description: str, place: Place) -> str:
    """What is left of a description without numbers, prefixes and the place at its end."""
    told = description[:MAX_LENGTH].replace("*", " ").partition(" DES:")[0]
    parts = told.split()
    words = [" ".join(split_words(part)) for part in parts]
    kept = [
        part
        for part, word in zip(parts, words, strict=True)
        if word and not is_reference(word) and not part.startswith("#")
    ]
    while len(kept) > 1 and kept[0].upper() in _WORDS.prefixes:
        kept.pop(0)
    located = [*(place.city or "").upper().split(), place.region, place.country]
    for end in reversed([word for word in located if word]):
        if len(kept) > 1 and kept[-1].strip(".,").upper() == end:
            kept.pop()
    if not any(located):
        kept = _without_city(kept)
    while len(kept) > 1 and kept[-1].upper() in _WORDS.endings:
        kept.pop()
    name = " ".join(kept).strip(" -/.,:;")
    if not any(map(str.islower, name)):
        name = " ".join(
            word if word in _WORDS.capitals else word.capitalize() for word in name.split()
        )
    return name or plain_name(description)


def _without_city(kept: list[str]) -> list[str]:
    """The parts of a name without the city and region that a card network puts behind it."""
    if len(kept) < 3 or kept[-1] not in _WORDS.regions:
        return kept
    words = 2 if kept[-3].upper() in _WORDS.city_beginnings and len(kept) > 3 else 1
    return kept[: -1 - words]


def plain_name(description: str) -> str:
    return " ".join(description.split()) or description
