"""From the text of a password to a custom user, or to the place of the first fault in it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from functools import cache
from types import UnionType
from typing import Any, Final, TypeGuard, Union, get_args, get_origin

import msgspec
from msgspec import inspect, structs

from treadle.sources.sandbox.custom.part import Part
from treadle.sources.sandbox.custom.rules import broken_rules
from treadle.sources.sandbox.custom.schema import CustomUser

MAX_BYTES = 55 * 1024
# The place of what is wrong with the whole.
DOCUMENT = "the document"
_YEARS = range(1900, 2200)
_MAX_NAME_LENGTH = 100
# Python reads no longer ones as whole numbers, and no field takes one that long.
_MAX_DIGITS = 30


class CustomUserError(Exception):
    """What is wrong with a custom user, and where: `override_accounts[0].currency`."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def parse_custom_user(text: str, max_bytes: int = MAX_BYTES) -> CustomUser:
    """The custom user that a JSON text describes. Raises CustomUserError."""
    if len(text.encode(errors="surrogatepass")) > max_bytes:
        raise CustomUserError(DOCUMENT, f"must have at most {max_bytes} bytes")
    raw = _load(text)
    if not isinstance(raw, dict):
        raise CustomUserError(DOCUMENT, "must be an object")
    _check(raw, CustomUser, "")
    user = msgspec.convert(raw, CustomUser)
    for place, problem in broken_rules(user):
        raise CustomUserError(place, problem)
    return user


class _Object(dict[str, Any]):
    """A JSON object that remembers a name that it repeats."""

    repeated: str | None = None


class _Constant:
    """NaN or an infinity, which no field takes."""

    def __init__(self, name: str) -> None:
        self.name = name


def _load(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_Constant, parse_int=_number
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise CustomUserError(place, f"is not JSON: {error.msg}") from None
    except RecursionError:
        raise CustomUserError(DOCUMENT, "is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object()
    for name, value in pairs:
        if name in found:
            found.repeated = name
        found[name] = value
    return found


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _check(value: Any, annotation: Any, place: str) -> None:
    """Raises CustomUserError with the place of the first fault.

    An error of msgspec would not say which member of an array it means.
    """
    for option in _options(annotation):
        if isinstance(value, _Object) and _is_part(option):
            return _check_object(value, option, place)
        if isinstance(value, list) and get_origin(option) is list:
            return _check_array(value, option, place)
    return _check_single(value, annotation, place)


def _check_array(value: list[Any], annotation: Any, place: str) -> None:
    (member_type,) = get_args(annotation)
    for index, member in enumerate(value):
        _check(member, member_type, f"{place}[{index}]")


def _check_single(value: Any, annotation: Any, place: str) -> None:
    try:
        converted = msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        expected = _expectation(inspect.type_info(annotation))
        raise CustomUserError(place, f"must be {expected}") from None
    if isinstance(converted, dt.date) and converted.year not in _YEARS:
        problem = f"must be a date from {_YEARS.start} to {_YEARS.stop - 1}"
        raise CustomUserError(place, problem)
    if isinstance(value, str) and not _is_storable(value):
        raise CustomUserError(place, "must not contain a NUL character or a lone surrogate")


def _check_object(value: _Object, type_: type[Part], place: str) -> None:
    prefix = f"{place}." if place else ""
    types = _field_types(type_)
    for name, member in value.items():
        inner = prefix + name[:_MAX_NAME_LENGTH]
        if name == value.repeated:
            raise CustomUserError(inner, "is given more than once")
        if name not in types:
            raise CustomUserError(inner, "is not a field of a custom user")
        _check(member, types[name], inner)


@cache
def _field_types(type_: type[Part]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in structs.fields(type_)}


def _options(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (Union, UnionType):
        yield from get_args(annotation)
    else:
        yield annotation


def _is_part(option: Any) -> TypeGuard[type[Part]]:
    return isinstance(option, type) and issubclass(option, Part)


def _is_storable(text: str) -> bool:
    """Whether UTF-8 and the database can hold a text."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


_EXPECTATIONS: Final[dict[type[inspect.Type], str]] = {
    inspect.StructType: "an object",
    inspect.ListType: "an array",
    inspect.StrType: "a string",
    inspect.BoolType: "true or false",
    inspect.DateType: "a date of the form YYYY-MM-DD",
}


def _expectation(shape: inspect.Type) -> str:
    match shape:
        case inspect.Metadata(extra_json_schema={"description": str(description)}):
            return description
        case inspect.UnionType():
            wanted = [one for one in shape.types if not isinstance(one, inspect.NoneType)]
            return " or ".join(map(_expectation, wanted))
        case inspect.EnumType():
            return _one_of(member.value for member in shape.cls)
        case inspect.LiteralType():
            return _one_of(shape.values)
    return _EXPECTATIONS[type(shape)]


def _one_of(values: Iterable[object]) -> str:
    allowed = [json.dumps(value) for value in values]
    return allowed[0] if len(allowed) == 1 else f"one of {', '.join(allowed)}"
