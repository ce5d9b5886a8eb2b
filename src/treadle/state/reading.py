"""From the bytes of a document to the document, or to the place of its first fault."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from treadle.state.checking import refusal
from treadle.state.document import Document
from treadle.state.instants import decode_hook, encode_hook

_decode = msgspec.json.Decoder(Document, dec_hook=decode_hook).decode
_encode = msgspec.json.Encoder(enc_hook=encode_hook).encode
# What msgspec calls the whole.
_ROOT = "`$"


def encode_document(document: Document) -> bytes:
    return _encode(document)


def decode_document(raw: bytes) -> Document:
    """Raises ApiError for what is none of this version."""
    try:
        document = _decode(raw)
    except RecursionError:
        raise refusal("", "is nested too deeply") from None
    except msgspec.DecodeError as error:
        problem, _, place = str(error).partition(f" - at {_ROOT}")
        raise refusal(place.rstrip("`"), problem[:1].lower() + problem[1:]) from None
    # What stands inside bank data is of types that take further fields elsewhere.
    for place in _unknown(msgspec.json.decode(raw), _shape_of_document(), ""):
        raise refusal(place[:300], "there is no such field")
    return document


class _Each:
    """A list, or names that nobody has fixed, with members of one shape."""

    def __init__(self, shape: _Shape) -> None:
        self.shape = shape


class _Tagged:
    """Objects of which a member tells the shape."""

    def __init__(self, field: str, shapes: dict[Any, _Shape]) -> None:
        self.field = field
        self.shapes = shapes


# An object by the names of its members. None stands for what holds no objects.
_Shape = dict[str, Any] | _Each | _Tagged | None


def _shape_of(type_: inspect.Type) -> _Shape:
    match type_:
        case inspect.Metadata():
            return _shape_of(type_.type)
        case inspect.ListType():
            shape = _shape_of(type_.item_type)
        case inspect.DictType():
            shape = _shape_of(type_.value_type)
        case inspect.StructType():
            fields = {field.encode_name: _shape_of(field.type) for field in type_.fields}
            return fields if type_.tag_field is None else {**fields, type_.tag_field: None}
        case inspect.UnionType():
            structs = [one for one in type_.types if isinstance(one, inspect.StructType)]
            if structs and (field := structs[0].tag_field) is not None:
                return _Tagged(field, {one.tag: _shape_of(one) for one in structs})
            shapes = [_shape_of(one) for one in type_.types]
            return next((one for one in shapes if one is not None), None)
        case _:
            return None
    return None if shape is None else _Each(shape)


def _unknown(value: Any, shape: _Shape, place: str) -> Iterator[str]:
    """The places of members that no type has, in a value that fits its type."""
    if value is None:
        return
    if isinstance(shape, _Tagged):
        shape = shape.shapes[value[shape.field]]
    if isinstance(shape, _Each):
        named = isinstance(value, dict)
        for key, member in value.items() if named else enumerate(value):
            yield from _unknown(
                member, shape.shape, f"{place}.{key}" if named else f"{place}[{key}]"
            )
    elif isinstance(shape, dict):
        for name, member in value.items():
            if name not in shape:
                yield f"{place}.{name}"
            elif shape[name] is not None:
                yield from _unknown(member, shape[name], f"{place}.{name}")


@cache
def _shape_of_document() -> _Shape:
    # Made when first asked for, since that takes longer than most modules take to load.
    return _shape_of(inspect.type_info(Document))
