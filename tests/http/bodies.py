"""Request bodies for every implemented operation, right ones and wrong ones."""

from __future__ import annotations

import json
from typing import Any, get_type_hints

from hypothesis import strategies as st
from msgspec import inspect

from treadle.http.decode import RequestDecoder
from treadle.ids import IDENTIFIER_ALPHABET
from treadle.operations import OWN, load_areas

IMPLEMENTED = load_areas() | {
    path: one for path, one in OWN.items() if one.method == "POST" and one.streams is None
}
PATHS = sorted(IMPLEMENTED)
ACCOUNT_ID = IDENTIFIER_ALPHABET[:37]
# How many fields an object has at most beside those that it must have.
_MOST_OPTIONAL = 6

# Texts for fields that a rule of their own applies to.
_RULED: dict[str, Any] = {
    "account_id": ACCOUNT_ID,
    "account_ids": [ACCOUNT_ID],
    "options.account_id": ACCOUNT_ID,
    "options.account_ids": [ACCOUNT_ID],
    "options.webhook": "https://shop.example/hook",
    "webhook": "https://shop.example/hook",
    "initial_products": ["auth"],
}


class Raw(str):
    """JSON text that is written as it stands."""


# An object as its members in order, so that a name can come twice.
Members = list[tuple[str, Any]]


class Object:
    def __init__(self, members: Members) -> None:
        self.members = members


def to_json(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Object):
        members = (f"{json.dumps(name)}: {to_json(one)}" for name, one in value.members)
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(to_json(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def decoder(path: str) -> RequestDecoder[Any]:
    return IMPLEMENTED[path].decoder


def request_type(path: str) -> inspect.Type:
    """What the handler of an operation takes."""
    return inspect.type_info(get_type_hints(IMPLEMENTED[path].handler)["request"])


@st.composite
def valid(draw: st.DrawFn, type_: inspect.Type, path: str = "") -> Any:
    """A value that a field of this type takes."""
    if path in _RULED:
        return _RULED[path]
    if isinstance(type_, inspect.UnionType):
        options = [one for one in type_.types if not isinstance(one, inspect.NoneType)]
        nullable = len(options) < len(type_.types)
        if nullable and draw(st.booleans()):
            return None
        return draw(
            valid(draw(st.sampled_from(options)) if _is_tagged(options) else options[0], path)
        )
    match type_:
        case inspect.StructType():
            return draw(_valid_struct(type_, path))
        case inspect.ListType():
            low, high = type_.min_length or 0, type_.max_length or 3
            count = draw(st.integers(low, min(max(low, 2), high)))
            return [draw(valid(type_.item_type, f"{path}[]")) for _ in range(count)]
        case inspect.DictType() | inspect.AnyType():
            return Object([("any", draw(st.sampled_from(["", 1, None])))])
        case inspect.BoolType():
            return draw(st.booleans())
        case inspect.IntType() | inspect.FloatType():
            low = int(type_.ge if type_.ge is not None else 0)
            return draw(st.integers(low, int(type_.le if type_.le is not None else low + 9)))
        case inspect.EnumType():
            return draw(st.sampled_from([member.value for member in type_.cls]))
        case inspect.LiteralType():
            return draw(st.sampled_from(type_.values))
        case inspect.DateType():
            return draw(st.dates()).isoformat()
        case inspect.DateTimeType():
            return "2026-01-31T12:00:00Z"
    low = getattr(type_, "min_length", None) or 0
    return draw(st.sampled_from(["x" * max(low, 1), "läck ✓"[:9].ljust(low, "x")]))


def _is_tagged(types: list[inspect.Type]) -> bool:
    """Whether a member tells which of them a value is of."""
    return all(isinstance(one, inspect.StructType) and one.tag_field for one in types)


@st.composite
def _valid_struct(draw: st.DrawFn, type_: inspect.StructType, path: str) -> Object:
    members: Members = [] if type_.tag_field is None else [(type_.tag_field, type_.tag)]
    optional = [field.encode_name for field in type_.fields if not field.required]
    # Of a request with a hundred fields any few will do, and all of them would take too long.
    few = (
        st.sets(st.sampled_from(optional), max_size=_MOST_OPTIONAL) if optional else st.just(set())
    )
    chosen = draw(few)
    for field in type_.fields:
        if field.required or field.encode_name in chosen:
            inner = f"{path}.{field.encode_name}".lstrip(".")
            members.append((field.encode_name, draw(valid(field.type, inner))))
    return Object(members)


_STRAY: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            0,
            -1,
            1.5,
            10**19,
            -(10**30),
            "",
            "auth",
            "2026-13-45",
            "2026-01-31",
            "a\x00b",
            "\\u0000",
            "\\",
            '"',
            "\ud7ff✓",
            [],
            [None],
            [[]],
            ["auth", 1],
            Object([]),
            Object([("a", 1), ("a", 2)]),
            Raw("1e400"),
            Raw("-1e400"),
            Raw("1.0"),
            Raw("NaN"),
            Raw("Infinity"),
            Raw("1" * 400),
            Raw("1" * 5_000),
            Raw(r'"\ud800"'),
            Raw(r'"a\u0041"'),
            Raw("nul"),
            Raw("01"),
        ]
    ),
    st.text(max_size=5),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)


@st.composite
def mutated(draw: st.DrawFn, type_: inspect.Type) -> Any:
    """A valid request after a few mutations: dropped, renamed, retyped, nested, repeated."""
    value = draw(valid(type_))
    for _ in range(draw(st.integers(0, 3))):
        value = draw(_mutate(value, 0))
    return value


@st.composite
def _mutate(draw: st.DrawFn, value: Any, depth: int) -> Any:
    if isinstance(value, Object) and value.members and (depth == 0 or draw(st.booleans())):
        members = list(value.members)
        index = draw(st.integers(0, len(members) - 1))
        name, member = members[index]
        match draw(st.sampled_from(["drop", "rename", "repeat", "add", "inside"])):
            case "drop":
                del members[index]
            case "rename":
                members[index] = (draw(st.sampled_from(["", name.upper(), "x.y", "\\"])), member)
            case "repeat":
                members.append((name, draw(st.one_of(st.just(member), _STRAY))))
            case "add":
                members.append((draw(st.sampled_from(["options", "count", "new"])), draw(_STRAY)))
            case "inside":
                members[index] = (name, draw(_mutate(member, depth + 1)))
        return Object(members)
    if isinstance(value, list) and value and draw(st.booleans()):
        index = draw(st.integers(0, len(value) - 1))
        changed = draw(_mutate(value[index], depth + 1))
        return [*value[:index], changed, *value[index + 1 :]]
    wrap = st.sampled_from([[value], Object([("options", value)]), [value, value]])
    return draw(st.one_of(_STRAY, wrap))
