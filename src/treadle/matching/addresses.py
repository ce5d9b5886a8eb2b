"""Postal addresses."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec
from rapidfuzz.distance import OSA

from treadle.matching import THRESHOLD, streets
from treadle.matching.streets import abbreviations
from treadle.matching.words import fold, plain, split

# What is taken off a perfect score.
_FOR_PART_MISSING = 5
_FOR_ANOTHER_CITY = 8
_FOR_POSTAL_CODE_SLIP = 12

# What addresses are worth that do not agree on a street.
_POSTAL_CODE_AND_CITY = 75
_POSTAL_CODE_ALONE = 60
_CITY_ALONE = 50
_ANOTHER_STREET = 40
_ANOTHER_PLACE = 20

# A postal code this many slips away may be meant for the same place.
_POSTAL_CODE_SLIPS = 2

_LAST_LINE = re.compile(r"(.*?)\s+(\d[\d -]*)")


class Place(msgspec.Struct, frozen=True):
    """An address as an app or a bank writes it; any part may be missing."""

    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to compare."""
        return _normal(self) == Place()


class AddressScore(NamedTuple):
    score: int
    is_postal_code_match: bool = False


def score(submitted: Place, on_file: Place) -> AddressScore:
    """How well two addresses agree."""
    one, other = _normal(submitted), _normal(on_file)
    same_code = bool(one.postal_code) and one.postal_code == other.postal_code
    if one == other:
        return AddressScore(100, same_code)
    place = _place_deduction(one, other)
    if place is None:
        return AddressScore(_ANOTHER_PLACE, same_code)
    if not (one.street and other.street):
        return AddressScore(_without_street(one, other), same_code)
    street = streets.deduction(one.street, other.street)
    if street is None:
        return AddressScore(_ANOTHER_STREET, same_code)
    return AddressScore(max(100 - place - street, THRESHOLD), same_code)


def _normal(place: Place) -> Place:
    """The parts, each written in one way; of the street only the case and the spaces."""
    street, city, region, postal_code, country = map(plain, msgspec.structs.astuple(place))
    lines = street.split(",")
    if len(lines) > 2 and not (city or region or postal_code):
        # All of it was written into the street.
        *first, city, last = lines
        found = _LAST_LINE.fullmatch(last.strip())
        street, region, postal_code = ",".join(first), *(found.groups() if found else (last, ""))
    country = abbreviations("countries").get(_words(country), country)
    region = _words(region)
    places = abbreviations("places")
    return Place(
        street,
        " ".join(places.get(word, word) for word in _words(city).split()),
        abbreviations("regions").get(region, region),
        _postal_code(postal_code, country),
        country,
    )


def _words(text: str) -> str:
    return " ".join(split(fold(text).replace(".", "")))


def _postal_code(written: str, country: str) -> str:
    code = _words(written).replace(" ", "")
    if country in ("us", "") and code.isdigit():
        # A spreadsheet drops leading zeros, and the last four digits of nine are for the carrier.
        return code.zfill(5)[:5] if len(code) < 6 else code.zfill(9)[:5]
    return code


def _place_deduction(one: Place, other: Place) -> int | None:
    """What the city, region, postal code and country take off; None when there are two places."""
    if one.country and other.country and one.country != other.country:
        return None
    city = _city_deduction(one.city, other.city)
    code = _postal_code_deduction(one.postal_code, other.postal_code)
    same_code = code == 0
    regions_differ = bool(one.region and other.region) and one.region != other.region
    # A place may have several names under one postal code, and a city several postal codes.
    if code is None or (not same_code and (city is None or regions_differ)):
        return None
    return (_FOR_ANOTHER_CITY if city is None else city) + code


def _city_deduction(one: str, other: str) -> int | None:
    if not (one and other):
        return 0 if one == other else _FOR_PART_MISSING
    return streets.words_deduction(one.split(), other.split())


def _postal_code_deduction(one: str, other: str) -> int | None:
    if not (one and other):
        return _FOR_PART_MISSING
    if one == other:
        return 0
    slips = OSA.distance(one, other, score_cutoff=_POSTAL_CODE_SLIPS)
    return _FOR_POSTAL_CODE_SLIP if slips <= _POSTAL_CODE_SLIPS else None


def _without_street(one: Place, other: Place) -> int:
    same_city = bool(one.city) and one.city == other.city
    if one.postal_code and one.postal_code == other.postal_code:
        return _POSTAL_CODE_AND_CITY if same_city else _POSTAL_CODE_ALONE
    return _CITY_ALONE if same_city else _ANOTHER_PLACE
