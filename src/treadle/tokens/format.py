"""What a token looks like, and what can be said of one without a look-up."""

from __future__ import annotations

import re
from enum import Enum

from treadle.ids import token_checksum

ENVIRONMENTS = ("sandbox", "development", "production")

UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_UUID = re.compile(UUID_PATTERN)


class Shape(Enum):
    """What the text alone says of a token."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    PLAUSIBLE = "plausible"


def inspect(text: str, kind: str, environment: str) -> Shape:
    """Judge a token by its text.

    MALFORMED only when the prefix is wrong. With a right prefix a bad checksum, a token of
    another environment and a token that nobody knows must look the same from outside, so the
    first two are UNKNOWN and a PLAUSIBLE one is looked up.
    """
    prefix, _, rest = text.partition("-")
    other, _, identifier = rest.partition("-")
    if prefix != kind or other not in ENVIRONMENTS or not identifier:
        return Shape.MALFORMED
    if other != environment:
        return Shape.UNKNOWN
    if _UUID.fullmatch(identifier) is None:
        return Shape.UNKNOWN
    raw = bytes.fromhex(identifier.replace("-", ""))
    genuine = token_checksum(kind, environment, raw[:12]) == raw[12:]
    return Shape.PLAUSIBLE if genuine else Shape.UNKNOWN
