"""The schema of custom users against the official SDK's."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from msgspec import inspect, structs
from plaid.model.user_custom_password import UserCustomPassword

from treadle.sources.sandbox.custom.kinds import SUBTYPES
from treadle.sources.sandbox.custom.part import Part
from treadle.sources.sandbox.custom.schema import CustomUser
from treadle.wire.common import AccountSubtype

# What earlier editions of the API's schema had.
EARLIER = {"PaystubOverridePayPeriodDetails": {"pay_frequency"}}
# What the SDK says of a field only in words.
IN_WORDS = {
    "version",
    "recaptcha",
    "force_error",
    "type",
    "marital_status",
    "repayment_plan_type",
    "payment_day_of_month",
    "statement_day_of_month",
}


def options(annotation: Any) -> Iterator[Any]:
    """The types that an annotation allows, without None."""
    if get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from options(one)
    elif get_origin(annotation) is Annotated:
        yield from options(get_args(annotation)[0])
    elif annotation is not type(None):
        yield annotation


def model_of(sdk_type: Any) -> Any:
    """The SDK's model that a field holds, be it by itself or in an array."""
    (inner,) = sdk_type if isinstance(sdk_type, list) else (sdk_type,)
    return inner if hasattr(inner, "openapi_types") else None


def pairs(part: type[Part], model: Any) -> Iterator[tuple[type[Part], Any]]:
    yield part, model
    for field in structs.fields(part):
        sdk_type = model.openapi_types.get(field.encode_name, (None,))[0]
        inner = model_of(sdk_type) if sdk_type is not None else None
        if inner is None or "value" in inner.openapi_types:
            continue
        for option in options(field.type):
            (member,) = get_args(option) if get_origin(option) is list else (option,)
            if isinstance(member, type) and issubclass(member, Part):
                yield from pairs(member, inner)
                break


PAIRS = {model.__name__: (part, model) for part, model in pairs(CustomUser, UserCustomPassword)}
each_pair = pytest.mark.parametrize(
    ("part", "model"), [pytest.param(*pair, id=name) for name, pair in PAIRS.items()]
)


def test_every_model_is_looked_at() -> None:
    assert {"LiabilityOverrideAPR", "W2StateAndLocalWagesOverride", "PSLFStatus"} <= PAIRS.keys()
    assert len(PAIRS) >= 40


@each_pair
def test_part_has_the_fields_of_the_sdk_and_all_are_optional(part: type[Part], model: Any) -> None:
    names = {field.encode_name for field in structs.fields(part)}
    assert names == set(model.openapi_types) | EARLIER.get(model.__name__, set())
    assert part() == part(**{field.name: None for field in structs.fields(part)})


@each_pair
def test_fields_have_the_types_of_the_sdk(part: type[Part], model: Any) -> None:
    wrong = []
    for field in structs.fields(part):
        sdk_types = model.openapi_types.get(field.encode_name)
        if sdk_types is None or field.encode_name in IN_WORDS:
            continue
        wanted = {kind(one) for one in sdk_types} - {"null"}
        had = {kind(one) for one in options(field.type)}
        # Whole numbers are numbers that the SDK is vague about; a form has texts for numbers.
        if not wanted <= had | ({"number"} if "whole" in had else set()):
            wrong.append((field.encode_name, wanted, had))
    assert wrong == []


def kind(type_: Any) -> str:
    if isinstance(type_, list) or get_origin(type_) is list:
        return "array"
    simple = {str: "text", bool: "boolean", int: "whole", float: "number", dt.date: "date"}
    if type_ in simple:
        return simple[type_]
    if type_ is type(None):
        return "null"
    if get_origin(type_) is Literal:
        return "text"
    if issubclass(type_, enum.Enum):
        return "text"
    if hasattr(type_, "openapi_types"):
        return "text" if "value" in type_.openapi_types else "object"
    return "object"


@each_pair
def test_fields_take_the_values_of_the_sdk(part: type[Part], model: Any) -> None:
    for field in structs.fields(part):
        for one in options(field.type):
            allowed = documented(model, field.encode_name)
            if allowed and isinstance(one, type) and issubclass(one, enum.Enum):
                assert {member.value for member in one} == allowed, field.name


def documented(model: Any, name: str) -> set[str]:
    """The values that the SDK lists for a field, of which "null" stands for none."""
    (sdk_type, *_) = model.openapi_types.get(name, (None,))
    values = model.allowed_values.get((name,)) or getattr(sdk_type, "allowed_values", {}).get(
        ("value",), {}
    )
    return set(values.values()) - {None, "null"}


@each_pair
def test_every_number_has_limits(part: type[Part], model: Any) -> None:
    shape = inspect.type_info(part)
    assert isinstance(shape, inspect.StructType)
    for field in shape.fields:
        for one in numbers(field.type):
            assert one.ge is not None, field.name
            assert one.le is not None, field.name


def numbers(shape: Any) -> Iterator[inspect.FloatType | inspect.IntType]:
    match shape:
        case inspect.FloatType() | inspect.IntType():
            yield shape
        case inspect.UnionType():
            for one in shape.types:
                yield from numbers(one)
        case inspect.Metadata():
            yield from numbers(shape.type)
        case inspect.ListType():
            yield from numbers(shape.item_type)


def test_every_subtype_of_the_sdk_belongs_to_a_type() -> None:
    known = {subtype for subtypes in SUBTYPES.values() for subtype in subtypes}
    assert known == set(AccountSubtype)
