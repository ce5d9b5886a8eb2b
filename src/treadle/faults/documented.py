"""The errors that a fault can answer: those of Treadle, and the further ones the API documents."""

from __future__ import annotations

import string
import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from treadle.http.errors import CATALOGUE, ErrorKind

_RATE_LIMIT = "RATE_LIMIT_EXCEEDED"


class _Further(msgspec.Struct, forbid_unknown_fields=True):
    rate_limits: dict[str, str]
    statuses: dict[str, int]
    messages: dict[str, dict[str, str]]
    codes: dict[str, list[str]]


@cache
def _further() -> _Further:
    text = files("treadle.faults").joinpath("documented.toml").read_text()
    return msgspec.convert(tomllib.loads(text), _Further)


@cache
def documented_errors() -> dict[tuple[str, str], ErrorKind]:
    """By type and code; where a code has several messages, the first of them."""
    found: dict[tuple[str, str], ErrorKind] = {}
    for kind in CATALOGUE:
        # What would be filled in is called by its name.
        names = {field: field for _, field, _, _ in string.Formatter().parse(kind.message) if field}
        plain = msgspec.structs.replace(kind, message=kind.message.format(**names))
        found.setdefault((kind.error_type, kind.error_code), plain)
    further = _further()
    for error_type, messages in further.messages.items():
        for code, message in messages.items():
            found.setdefault((error_type, code), _kind(error_type, code, message))
    for error_type, codes in further.codes.items():
        for code in codes:
            words = code.lower().replace("_", " ")
            found.setdefault((error_type, code), _kind(error_type, code, words))
    return found


def documented_error(code: str, error_type: str | None) -> ErrorKind | None:
    """The error of a code, of the first type that has it unless one is named."""
    for (of_type, of_code), kind in documented_errors().items():
        if of_code == code and error_type in (None, of_type):
            return kind
    return None


def rate_limit_code(path: str) -> str:
    """The code that an operation answers to a caller who asks too often."""
    return _further().rate_limits.get(path, "RATE_LIMIT")


def _kind(error_type: str, code: str, message: str) -> ErrorKind:
    status = 429 if error_type == _RATE_LIMIT else _further().statuses.get(code, 400)
    return ErrorKind(error_type, code, message, "", status)
