"""Telephone numbers."""

from __future__ import annotations

import re
import unicodedata

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    national_significant_number,
    parse,
)

from treadle.matching.words import plain

_AREA_CODE_MISSING = 75
_EXTENSION_MISSING = 85
_DIFFERENT = 0
# Fewer digits than a local number has do not tell a line.
_LEAST_DIGITS = 7

_ZEROS = re.compile(r"^\s*00(?=[1-9])")
# Longer than any number with its extension.
_MAX_LENGTH = 60


def score(submitted: str, on_file: str, country: str) -> int:
    """How well two numbers agree. One without a country code is of the country given."""
    if plain(submitted) == plain(on_file):
        return 100
    one, other = _parse(submitted, country), _parse(on_file, country)
    if one is None or other is None or one.country_code != other.country_code:
        return _DIFFERENT
    if one.extension and other.extension and one.extension != other.extension:
        return _DIFFERENT
    number = _compare(national_significant_number(one), national_significant_number(other))
    return number if one.extension == other.extension else min(number, _EXTENSION_MISSING)


def _compare(one: str, other: str) -> int:
    if one == other:
        return 100
    shorter, longer = sorted((one, other), key=len)
    is_local = len(shorter) >= _LEAST_DIGITS and longer.endswith(shorter)
    return _AREA_CODE_MISSING if is_local else _DIFFERENT


def _parse(text: str, country: str) -> PhoneNumber | None:
    written = _ZEROS.sub("+", unicodedata.normalize("NFKC", text[:_MAX_LENGTH]))
    try:
        return parse(written, country)
    except NumberParseException:
        return None
