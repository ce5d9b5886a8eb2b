"""From the bytes of a body to a typed request, or to an error that names every fault.

The fast path decodes straight into the generated struct. Only when that fails, or something looks
odd, does a slow path walk the raw body and name what is missing, unknown and malformed.
"""

from __future__ import annotations

import datetime
import json
import re
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import inspect

from treadle.http import errors
from treadle.http.errors import ApiError
from treadle.http.fields import RULES

T = TypeVar("T", bound=msgspec.Struct)

_NOT_JSON = "body could not be parsed as JSON"
_STRINGS = re.compile(rb'"([^"\\]*)"\s*(:?)')
_MAX_LISTED_VALUES = 24


class RequestDecoder(Generic[T]):
    """Decodes the bodies of one operation."""

    def __init__(self, request: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(request)
        self._type = inspect.type_info(request)
        self._all_text = _text_fields(self._type)
        self._rules = {path: RULES[path] for path in RULES if _has_field(self._type, path)}

    def decode(self, body: bytes, credentials_needed: list[str]) -> T:
        """The request in a body.

        `credentials_needed` names the credentials that no header gave, so that a body without
        them is told so together with whatever else it lacks. Raises ApiError.
        """
        try:
            request = self._decoder.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raw = parse(body)
            self.explain(raw, credentials_needed)
            return self._decoder.decode(msgspec.json.encode(raw))
        absent = [name for name in credentials_needed if getattr(request, name, None) is None]
        if absent or not self._is_plain(request, body):
            self.explain(parse(body), credentials_needed)
        for path, (accepts, message) in self._rules.items():
            value = _value_at(request, path)
            if value is not None and not accepts(value):
                raise errors.INVALID_FIELD(problem=message)
        return request

    def _is_plain(self, request: T, body: bytes) -> bool:
        """Whether a decoded body certainly has neither escapes nor repeated names."""
        if b"\\" in body:
            return False
        if self._all_text:
            # A name and its text take four quotes, so any more stand for something repeated.
            texts = sum([isinstance(getattr(request, name), str) for name in self._all_text])
            return body.count(b'"') == 4 * texts or looks_plain(body)
        return looks_plain(body)

    def explain(self, raw: dict[str, Any], credentials_needed: list[str]) -> None:
        """Raise the error that names every fault of a raw body, if it has one."""
        faults = _Faults()
        faults.missing += [name for name in credentials_needed if name not in raw]
        faults.malformed += [
            f"{name} must be a properly formatted, non-empty string"
            for name in credentials_needed
            if name in raw and raw[name] is None
        ]
        _walk(raw, self._type, "", faults)
        faults.raise_first()


def looks_plain(body: bytes) -> bool:
    """Whether a body has neither escapes nor repeated names, as almost every body does."""
    if b"\\" in body:
        return False
    names = [text for text, colon in _STRINGS.findall(body) if colon]
    return len(names) == len(set(names))


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; the literal `null` stands for an empty one.

    Raises ApiError for anything else, repeated keys, NaN and unreadable nesting included.
    """
    try:
        raw = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
        # The text of a string may hold what UTF-8 and the database cannot: lone surrogates.
        msgspec.json.encode(raw)
    except ApiError:
        raise
    except (ValueError, RecursionError):
        raise errors.INVALID_BODY(problem=_NOT_JSON) from None
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise errors.INVALID_BODY(problem="body must be a JSON object")
    return raw


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise errors.INVALID_BODY(problem=f"body repeats the fields: {', '.join(repeated)[:200]}")
    return result


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


class _Faults:
    def __init__(self) -> None:
        self.missing: list[str] = []
        self.unknown: list[str] = []
        self.malformed: list[str] = []

    def raise_first(self) -> None:
        """Raise for the first kind of fault there is, naming all of that kind."""
        if self.missing:
            raise errors.MISSING_FIELDS(fields=_list(self.missing))
        if self.unknown:
            raise errors.UNKNOWN_FIELDS(fields=_list(self.unknown))
        if self.malformed:
            raise errors.INVALID_FIELD(problem="; ".join(self.malformed[:_MAX_LISTED_VALUES]))


def _list(names: list[str]) -> str:
    return ", ".join(name[:100] for name in names[:_MAX_LISTED_VALUES])


def _walk(value: Any, type_: inspect.Type, path: str, faults: _Faults) -> None:
    options = type_.types if isinstance(type_, inspect.UnionType) else (type_,)
    if value is None and any(isinstance(option, inspect.NoneType) for option in options):
        return
    kinds = [option for option in options if not isinstance(option, inspect.NoneType)]
    kind = kinds[0]
    if isinstance(kind, inspect.StructType) and isinstance(value, dict):
        if kind.tag_field is None:
            _walk_struct(value, kind, path, faults)
        else:
            _walk_tagged(value, kinds, kind.tag_field, path, faults)
    elif isinstance(kind, inspect.ListType) and isinstance(value, list) and path not in RULES:
        for index, member in enumerate(value):
            _walk(member, kind.item_type, f"{path}[{index}]", faults)
        _check(value, kind, path, faults, shallow=True)
    else:
        _check(value, kind, path, faults)


def _walk_tagged(
    value: dict[str, Any], kinds: list[Any], tag_field: str, path: str, faults: _Faults
) -> None:
    """Walk an object that may be of several structs; a member tells of which."""
    by_tag = {kind.tag: kind for kind in kinds}
    tag, rest = value.get(tag_field), {name: value[name] for name in value if name != tag_field}
    if tag_field not in value:
        faults.missing.append(f"{path}.{tag_field}")
    elif not isinstance(tag, str) or tag not in by_tag:
        faults.malformed.append(f"{path}.{tag_field} must be one of {', '.join(by_tag)}")
    else:
        _walk_struct(rest, by_tag[tag], path, faults)


def _walk_struct(
    value: dict[str, Any], type_: inspect.StructType, path: str, faults: _Faults
) -> None:
    prefix = f"{path}." if path else ""
    fields = {field.encode_name: field for field in type_.fields}
    if type_.cls.__struct_config__.forbid_unknown_fields:
        faults.unknown += [prefix + name for name in value if name not in fields]
    for name, field in fields.items():
        if name in value:
            _walk(value[name], field.type, prefix + name, faults)
        elif field.required:
            faults.missing.append(prefix + name)


def _check(
    value: Any, type_: inspect.Type, path: str, faults: _Faults, *, shallow: bool = False
) -> None:
    """Note a value that its field cannot take; of a list only its length when shallow."""
    rule = RULES.get(path)
    if _fits(value, type_, shallow) and (rule is None or rule[0](value)):
        if not _holds_nul(value):
            return
        faults.malformed.append(f"{path} must not contain a NUL character")
    else:
        faults.malformed.append(rule[1] if rule else f"{path} must be {_expectation(type_, value)}")


def _holds_nul(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_nul(member) for member in value)
    if isinstance(value, dict):
        return any(_holds_nul(name) or _holds_nul(member) for name, member in value.items())
    return isinstance(value, str) and "\0" in value


def _fits(value: Any, type_: inspect.Type, shallow: bool) -> bool:
    match type_:
        case inspect.ListType():
            return isinstance(value, list) and (
                (type_.min_length or 0) <= len(value) <= (type_.max_length or len(value))
            )
        case inspect.DictType() | inspect.StructType():
            return isinstance(value, dict)
        case inspect.StrType():
            return isinstance(value, str) and (type_.min_length or 0) <= len(value) <= (
                type_.max_length if type_.max_length is not None else len(value)
            )
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            is_integer = isinstance(value, int) and _is_number(value)
            return is_integer and _in_range(value, type_)
        case inspect.FloatType():
            return _is_number(value) and _in_range(value, type_)
        case inspect.EnumType():
            return isinstance(value, str) and value in {member.value for member in type_.cls}
        case inspect.LiteralType():
            return isinstance(value, str) and value in type_.values
        case inspect.DateType() | inspect.DateTimeType():
            return _is_moment(value, type_)
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_range(value: float, type_: inspect.IntType | inspect.FloatType) -> bool:
    low, high = type_.ge, type_.le
    return (low is None or value >= low) and (high is None or value <= high)


def _is_moment(value: Any, type_: inspect.Type) -> bool:
    kind = datetime.date if isinstance(type_, inspect.DateType) else datetime.datetime
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError:
        return False
    return isinstance(value, str)


def _expectation(type_: inspect.Type, value: Any) -> str:
    match type_:
        case inspect.ListType(min_length=minimum):
            return "a non-empty array" if minimum else "an array"
        case inspect.DictType() | inspect.StructType():
            return "an object"
        case inspect.BoolType():
            return "a boolean"
        case inspect.IntType():
            is_integer = isinstance(value, int) and _is_number(value)
            return "an integer" + (_range(type_) if is_integer else "")
        case inspect.FloatType():
            return "a number" + (_range(type_) if _is_number(value) else "")
        case inspect.DateType():
            return "a string of the format 'YYYY-MM-DD'"
        case inspect.DateTimeType():
            return "a string of the format 'YYYY-MM-DDTHH:MM:SSZ'"
        case inspect.EnumType():
            values = [str(member.value) for member in type_.cls]
            if len(values) <= _MAX_LISTED_VALUES:
                return "one of " + ", ".join(values)
            return "one of the documented values"
        case inspect.LiteralType():
            return "one of " + ", ".join(map(str, type_.values))
        case inspect.StrType(max_length=int(maximum)):
            return f"a properly formatted, non-empty string of at most {maximum} characters"
    return "a properly formatted, non-empty string"


def _range(type_: inspect.IntType | inspect.FloatType) -> str:
    if type_.ge is not None and type_.le is not None:
        return f" from {type_.ge} to {type_.le}"
    return f" of at least {type_.ge}" if type_.ge is not None else ""


def _text_fields(type_: inspect.Type) -> list[str]:
    """The names of a struct's fields when every one of them is text, else none."""
    if not isinstance(type_, inspect.StructType):
        return []
    names = []
    for field in type_.fields:
        options = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        if not all(isinstance(one, inspect.StrType | inspect.NoneType) for one in options):
            return []
        names.append(field.name)
    return names


def _has_field(type_: inspect.Type, path: str) -> bool:
    head, _, rest = path.partition(".")
    options = type_.types if isinstance(type_, inspect.UnionType) else (type_,)
    for option in options:
        if isinstance(option, inspect.StructType):
            for field in option.fields:
                if field.encode_name == head:
                    return not rest or _has_field(field.type, rest)
    return False


def _value_at(request: msgspec.Struct, path: str) -> Any:
    value: Any = request
    for name in path.split("."):
        value = getattr(value, name, None)
    return None if value is msgspec.UNSET else value
