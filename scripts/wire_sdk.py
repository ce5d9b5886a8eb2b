"""Read the models of plaid-python as structs and enums, for generate_wire.py."""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import io
import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

SDK = importlib.import_module("plaid.model_utils")

# Requests whose enum the handler decides on, so that it can answer an unknown value with the
# error of that endpoint rather than with a decoding error.
OPEN_FIELDS = {
    ("InstitutionsGetRequestOptions", "products"),
    ("InstitutionsSearchRequest", "products"),
    ("ItemImportRequest", "products"),
    ("ProcessorTokenCreateRequest", "processor"),
    ("ProcessorTokenPermissionsSetRequest", "products"),
    ("SandboxPublicTokenCreateRequest", "initial_products"),
}

PRIMITIVES: dict[Any, str] = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    dt.date: "dt.date",
    dt.datetime: "dt.datetime",
    io.IOBase: "bytes",
}
NUMERIC_CHECKS = {
    "inclusive_minimum": "ge",
    "inclusive_maximum": "le",
    "exclusive_minimum": "gt",
    "exclusive_maximum": "lt",
}
LENGTH_CHECKS = {
    "min_length": "min_length",
    "max_length": "max_length",
    "min_items": "min_length",
    "max_items": "max_length",
    "min_properties": "min_length",
    "max_properties": "max_length",
    "regex": "pattern",
}
# A reference to a generated class inside an annotation; resolved once its module is known.
TOKEN = re.compile(r"<(request|response|enum)/(\w+)>")


@dataclass(frozen=True)
class Shape:
    """How one value is annotated, before required and optional are considered."""

    text: str
    nullable: bool = False
    container: bool = False
    checks: tuple[tuple[str, Any], ...] = ()

    @property
    def checked(self) -> str:
        if not self.checks:
            return self.text
        meta = ", ".join(f"{key}={value!r}" for key, value in sorted(self.checks))
        return f"Annotated[{self.text}, msgspec.Meta({meta})]"

    @property
    def element(self) -> str:
        return f"{self.checked} | None" if self.nullable else self.checked


@dataclass
class Struct:
    """A struct to be written; `also` holds enums to write that no field refers to."""

    lines: list[str]
    tag: tuple[str, str] | None = None
    also: set[str] = field(default_factory=set)

    def references(self) -> set[str]:
        return {match.group() for line in self.lines for match in TOKEN.finditer(line)} | self.also


ANYTHING = Shape("object")


def public_models() -> dict[str, Any]:
    module = importlib.import_module("plaid.models")
    return {
        name: value
        for name, value in sorted(vars(module).items())
        if isinstance(value, type) and issubclass(value, SDK.OpenApiModel)
    }


def is_composed(model: Any) -> bool:
    return issubclass(model, SDK.ModelComposed)


def is_simple(model: Any) -> bool:
    return issubclass(model, SDK.ModelSimple)


def union_variants(model: Any) -> dict[str, Any]:
    """The variants of a oneOf or anyOf by tag; empty where the tags cannot tell them apart."""
    if not model.discriminator:
        return {}
    variants: dict[str, Any] = next(iter(model.discriminator.values()))
    return variants if len(set(variants.values())) == len(variants) else {}


def variant_tags(models: Iterable[Any]) -> dict[str, tuple[str, str]]:
    tags: dict[str, tuple[str, str]] = {}
    for model in models:
        for value, variant in union_variants(model).items() if is_composed(model) else ():
            tag = (next(iter(model.discriminator)), value)
            if tags.setdefault(variant.__name__, tag) != tag:
                raise SystemExit(f"{variant.__name__} has two tags")
    return tags


def required_fields(model: Any, side: str) -> set[str]:
    """Required arguments; those the SDK has a default for count for responses only."""
    factory = model._from_openapi_data
    signature = set(inspect.signature(factory).parameters) - {"cls", "args", "kwargs"}
    if side == "request" and not is_composed(model):
        return signature
    # Composed models take keyword arguments only: which are required is told by their order
    # in the argument list of the docstring, the optional ones coming after `_check_type`.
    listed = factory.__doc__.partition("_check_type (")[0]
    return signature | set(re.findall(r"^ {12}(\w+) \(", listed, re.MULTILINE))


def checks_for(text: str, validations: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    if text in ("int", "float"):
        cast = int if text == "int" else float
        return tuple((NUMERIC_CHECKS[k], cast(v)) for k, v in validations.items())
    if text == "str" or text.startswith(("list[", "dict[")):
        values = {k: v["pattern"] if k == "regex" else v for k, v in validations.items()}
        return tuple((LENGTH_CHECKS[k], v) for k, v in values.items())
    return ()


def camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def identifier(name: str) -> str:
    if name.isidentifier() and not keyword.iskeyword(name):
        return name
    return re.sub(r"\W", "_", name) + "_"


def has_null(members: dict[str, Any]) -> bool:
    return any(value is None or value == "null" for value in members.values())


class Collector:
    """Turns models into structs and enums, following every reference."""

    def __init__(self, models: dict[str, Any]) -> None:
        self.models = models
        self.tags = variant_tags(models.values())
        self.structs: dict[str, Struct] = {}
        self.enums: dict[str, dict[str, Any]] = {}
        self.opened: set[tuple[str, str]] = set()

    def enum(self, name: str, members: dict[str, Any]) -> str:
        if self.enums.setdefault(name, members) != members:
            raise SystemExit(f"two enums are called {name}")
        return f"<enum/{name}>"

    def shape(self, types: tuple[Any, ...], side: str) -> Shape:
        parts = [part for part in types if part is not SDK.none_type]
        nullable = len(parts) < len(types)
        if len(parts) != 1:
            return ANYTHING
        [part] = parts
        if isinstance(part, list):
            text = f"list[{self.shape(tuple(part), side).element}]"
            return Shape(text, nullable, container=True)
        if isinstance(part, dict):
            [values] = part.values()
            values = values if isinstance(values, tuple) else (values,)
            return Shape(f"dict[str, {self.shape(values, side).element}]", nullable, container=True)
        if issubclass(part, SDK.OpenApiModel):
            shape = self.model_shape(part, side)
            return replace(shape, nullable=nullable or shape.nullable)
        return Shape(PRIMITIVES[part], nullable)

    def model_shape(self, model: Any, side: str) -> Shape:
        if is_simple(model):
            return self.simple_shape(model, side)
        if is_composed(model):
            schemas = model._composed_schemas
            if schemas["oneOf"] or schemas["anyOf"]:
                variants = union_variants(model).values()
                text = " | ".join(self.struct(variant, side) for variant in variants)
                return Shape(text or "dict[str, object]", model._nullable, container=True)
            if len(schemas["allOf"]) == 1 and is_simple(schemas["allOf"][0]):
                inner = self.simple_shape(schemas["allOf"][0], side)
                return replace(inner, nullable=inner.nullable or model._nullable)
        if not model.openapi_types and model.additional_properties_type:
            return self.mapping_shape(model, side)
        return Shape(self.struct(model, side), model._nullable, container=True)

    def simple_shape(self, model: Any, side: str) -> Shape:
        members = model.allowed_values.get(("value",))
        if members:
            token = self.enum(model.__name__, members)
            return Shape(token, model._nullable or has_null(members))
        inner = self.shape(model.openapi_types["value"], side)
        found = model.validations.get(("value",), {}) if side == "request" else {}
        checks = checks_for(inner.text, found) or inner.checks
        return replace(inner, nullable=inner.nullable or model._nullable, checks=checks)

    def mapping_shape(self, model: Any, side: str) -> Shape:
        text = f"dict[str, {self.shape(model.additional_properties_type, side).element}]"
        found = model.validations.get(("value",), {}) if side == "request" else {}
        return Shape(text, model._nullable, container=True, checks=checks_for(text, found))

    def struct(self, model: Any, side: str) -> str:
        token = f"<{side}/{model.__name__}>"
        if token not in self.structs:
            self.structs[token] = struct = Struct([], self.tags.get(model.__name__))
            required = required_fields(model, side)
            for attribute, types in model.openapi_types.items():
                json_name = model.attribute_map[attribute]
                if struct.tag and struct.tag[0] == json_name:
                    continue
                shape = self.field_shape(model, attribute, types, side, struct)
                struct.lines.append(
                    field_line(json_name, shape, side, required=attribute in required)
                )
        return token

    def field_shape(
        self, model: Any, attribute: str, types: tuple[Any, ...], side: str, struct: Struct
    ) -> Shape:
        place_in_sdk = (model.__name__, attribute)
        is_open = place_in_sdk in OPEN_FIELDS
        self.opened |= {place_in_sdk} & OPEN_FIELDS
        members = model.allowed_values.get((attribute,))
        shape = self.shape(types, side)
        if members:
            token = self.enum(inline_enum_name(model, attribute, members), members)
            struct.also.add(token)
            text = "str" if is_open else token
            shape = replace(shape, text=text, nullable=shape.nullable or has_null(members))
        elif is_open:
            shape = replace(shape, text=TOKEN.sub("str", shape.text))
        found = model.validations.get((attribute,), {}) if side == "request" else {}
        return replace(shape, checks=checks_for(shape.text, found) or shape.checks)


def inline_enum_name(model: Any, attribute: str, members: dict[str, Any]) -> str:
    """A composed model shares the enum of the part its field comes from."""
    for part in model._composed_schemas["allOf"] if is_composed(model) else ():
        if part.allowed_values.get((attribute,)) == members:
            return inline_enum_name(part, attribute, members)
    return f"{model.__name__}{camel(attribute)}"


def field_line(json_name: str, shape: Shape, side: str, *, required: bool) -> str:
    annotation, default = shape.checked, ""
    none_is_absent = side == "request" and (shape.nullable or not shape.container)
    if shape == ANYTHING:
        default = "" if required else "None" if side == "request" else "msgspec.UNSET"
    else:
        if not required:
            default = "None" if none_is_absent else "msgspec.UNSET"
            annotation += "" if none_is_absent else " | msgspec.UnsetType"
        if shape.nullable or (none_is_absent and not required):
            annotation += " | None"
    name = identifier(json_name)
    if name != json_name:
        keywords = f"default={default}, " if default else ""
        default = f'msgspec.field({keywords}name="{json_name}")'
    return f"{name}: {annotation}" + (f" = {default}" if default else "")
