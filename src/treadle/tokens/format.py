"""What a token looks like, and what can be said of one without a look-up."""

from __future__ import annotations

import uuid
from enum import Enum

from treadle.ids import token_checksum

ENVIRONMENTS = ("sandbox", "development", "production")


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
    try:
        raw = uuid.UUID(identifier)
    except ValueError:
        return Shape.UNKNOWN
    canonical = str(raw) == identifier
    genuine = token_checksum(kind, environment, raw.bytes[:12]) == raw.bytes[12:]
    return Shape.PLAUSIBLE if canonical and genuine else Shape.UNKNOWN
