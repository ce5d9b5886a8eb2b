"""Write src/treadle/wire from the pinned plaid-python package (--check only compares)."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import inspect
import io
import keyword
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "src" / "treadle" / "wire"
SDK = importlib.import_module("plaid.model_utils")
LINE_LENGTH = "100"

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


@dataclass(frozen=True)
class Endpoint:
    """An operation of the SDK, with the tokens of its two structs."""

    key: str
    name: str
    path: str
    method: str
    area: str
    credentials: bool
    request: str | None
    response: str | None


def body_model(endpoint: Any) -> Any:
    for name, place in endpoint.location_map.items():
        if place == "body" and isinstance(endpoint.openapi_types[name][0], type):
            return endpoint.openapi_types[name][0]
    return None


def read_endpoints(collector: Collector) -> list[Endpoint]:
    plaid, api_module = (importlib.import_module(name) for name in ("plaid", "plaid.api.plaid_api"))
    api = api_module.PlaidApi(plaid.ApiClient(plaid.Configuration()))
    found = [value for value in vars(api).values() if isinstance(value, api_module._Endpoint)]
    endpoints: dict[str, Endpoint] = {}
    for endpoint in sorted(
        found, key=lambda e: (e.settings["endpoint_path"], e.settings["http_method"])
    ):
        settings = endpoint.settings
        path, method = settings["endpoint_path"], settings["http_method"]
        # Two operations may share a path: the later one takes its method into the key.
        key = f"{method} {path}" if path in endpoints else path
        body = body_model(endpoint)
        answer = (settings["response_type"] or (None,))[0]
        answer = answer if answer and issubclass(answer, SDK.OpenApiModel) else None
        endpoints[key] = Endpoint(
            key=key,
            name=settings["operation_id"],
            path=path,
            method=method,
            area=path.split("/")[1].replace("-", "_"),
            credentials=bool(settings["auth"]),
            request=collector.struct(body, "request") if body else None,
            response=collector.struct(answer, "response") if answer else None,
        )
    return list(endpoints.values())


def webhook_roots(collector: Collector) -> set[str]:
    reached = {token.partition("/")[2].rstrip(">") for token in collector.structs}
    return {
        collector.struct(model, "response")
        for name, model in collector.models.items()
        if name.endswith("Webhook") and name not in reached and not is_simple(model)
    }


def reachable(collector: Collector, roots: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    queue = sorted(roots)
    while queue:
        token = queue.pop()
        if token not in seen:
            seen.add(token)
            queue += collector.structs[token].references() if token in collector.structs else ()
    return seen


def place(collector: Collector, endpoints: list[Endpoint], webhooks: set[str]) -> dict[str, str]:
    """The module of every struct and enum."""
    roots: dict[str, set[str]] = {"webhooks": webhooks}
    for endpoint in endpoints:
        wanted = {token for token in (endpoint.request, endpoint.response) if token}
        roots.setdefault(endpoint.area, set()).update(wanted)
    modules: dict[str, str] = {}
    for area in sorted(roots):
        for token in reachable(collector, roots[area]):
            modules[token] = "common" if token in modules else area
    return modules


def final_names(tokens: Iterable[str]) -> dict[str, str]:
    """Class names: the request twin of a struct that is also answered is called Input."""
    every = set(tokens)
    names: dict[str, str] = {}
    for token in sorted(every):
        side, name = TOKEN.fullmatch(token).groups()  # type: ignore[union-attr]
        twin = side == "request" and f"<response/{name}>" in every
        names[token] = f"{name}Input" if twin else name
    if len(set(names.values())) != len(names) or {"Request", "Response"} & set(names.values()):
        raise SystemExit("two generated classes have the same name")
    return names


def enum_source(name: str, members: dict[str, Any]) -> Iterator[str]:
    yield f"class {name}(enum.StrEnum):"
    used: set[str] = set()
    for key, value in members.items():
        if value is None or value == "null":
            continue
        member = re.sub(r"\W", "_", key).strip("_")
        member = f"VALUE_{member}" if not member or member[0].isdigit() else member
        while member in used:
            member += "_"
        used.add(member)
        yield f"    {member} = {value!r}"


def struct_source(token: str, name: str, struct: Struct) -> Iterator[str]:
    base = "Request" if token.startswith("<request") else "Response"
    tag = f", tag_field={struct.tag[0]!r}, tag={struct.tag[1]!r}" if struct.tag else ""
    yield f"class {name}({base}, kw_only=True{tag}):"
    yield from (f"    {line}" for line in struct.lines or ["pass"])


def shared_roots(endpoints: list[Endpoint], area: str, modules: dict[str, str]) -> set[str]:
    """The structs of an area's own operations that other areas use too."""
    roots = {token for e in endpoints if e.area == area for token in (e.request, e.response)}
    return {token for token in roots if token and modules[token] == "common"}


def module_source(
    module: str,
    collector: Collector,
    modules: dict[str, str],
    names: dict[str, str],
    shared: Iterable[str],
) -> str:
    def resolve(match: re.Match[str]) -> str:
        home, name = modules[match.group()], names[match.group()]
        return name if home == module else f"{home}.{name}"

    enums, structs = [], []
    for token in sorted((t for t in modules if modules[t] == module), key=names.__getitem__):
        if token in collector.structs:
            lines = struct_source(token, names[token], collector.structs[token])
            structs.append(TOKEN.sub(resolve, "\n".join(lines)))
        else:
            enums.append("\n".join(enum_source(names[token], collector.enums[names[token]])))
    body = "\n\n\n".join(enums + structs)
    # `X as X` says that the name is meant to be found here as well.
    again = ", ".join(f"{name} as {name}" for name in sorted(names[token] for token in shared))
    again = f"from treadle.wire.common import {again}" if again else ""
    return f"{imports(body)}\n{again}\n\n\n{body}\n"


def imports(body: str) -> str:
    """The import lines a module needs, in the order linters want."""
    bases = [name for name in ("Request", "Response") if f"({name}," in body]
    standard = {
        "import datetime as dt": "dt.",
        "import enum": "(enum.StrEnum)",
        "from typing import Annotated": "Annotated[",
    }
    groups = [
        ["from __future__ import annotations"],
        [line for line, use in standard.items() if use in body],
        ["import msgspec"] if "msgspec." in body else [],
        ["from treadle.wire import common"] if "common." in body else [],
    ]
    if bases:
        groups[-1].append(f"from treadle.wire.base import {', '.join(bases)}")
    return "\n\n".join("\n".join(group) for group in groups if group)


BASE = '''
import msgspec


class Request(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request body."""


class Response(msgspec.Struct, kw_only=True):
    """An answer."""
'''

OPERATION = '''
import msgspec


class Operation(msgspec.Struct, frozen=True):
    """One endpoint: `area` is the module here that holds its structs, None stands for no body."""

    name: str
    path: str
    method: str
    area: str
    request: str | None
    response: str | None
    credentials: bool


'''


def operations_source(endpoints: list[Endpoint], names: dict[str, str]) -> str:
    rows = [
        f'    "{e.key}": Operation(name="{e.name}", path="{e.path}", method="{e.method}", '
        f'area="{e.area}", request={names[e.request] if e.request else None!r}, '
        f"response={names[e.response] if e.response else None!r}, credentials={e.credentials}),"
        for e in endpoints
    ]
    note = "# Keyed by path; where two methods share one, the second carries its method in the key."
    return "\n".join([OPERATION + note, "OPERATIONS: dict[str, Operation] = {", *rows, "}", ""])


def generate() -> dict[str, str]:
    """Every file by name, formatted."""
    collector = Collector(public_models())
    endpoints = read_endpoints(collector)
    modules = place(collector, endpoints, webhook_roots(collector))
    if missing := OPEN_FIELDS - collector.opened:
        raise SystemExit(f"not fields of any request: {sorted(missing)}")
    names = final_names(modules)
    files = {
        f"{module}.py": module_source(
            module, collector, modules, names, shared_roots(endpoints, module, modules)
        )
        for module in sorted(set(modules.values()))
    }
    files["__init__.py"] = '"""The API\'s requests and answers as structs."""\n'
    files["base.py"] = BASE
    files["operations.py"] = operations_source(endpoints, names)
    notice = (
        "# Generated by scripts/generate_wire.py from plaid-python "
        f"{version('plaid-python')}; not to be edited.\n"
    )
    return formatted({name: notice + text for name, text in files.items()})


def formatted(files: dict[str, str]) -> dict[str, str]:
    options = ["--isolated", "--no-cache", "--line-length", LINE_LENGTH, "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text)
        command = [sys.executable, "-m", "ruff", "format", *options, folder]
        subprocess.run(command, check=True)
        return {name: Path(folder, name).read_text() for name in sorted(files)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a file would change")
    check = parser.parse_args().check
    files = generate()
    present = {path.name: path.read_text() for path in OUT.glob("*.py")}
    changed = sorted(n for n in files.keys() | present.keys() if files.get(n) != present.get(n))
    if check:
        if changed:
            print("differs from what plaid-python gives:", ", ".join(changed), file=sys.stderr)
        return 1 if changed else 0
    OUT.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in files:
            (OUT / name).write_text(files[name])
        else:
            (OUT / name).unlink()
    print(f"{len(files)} files, {len(changed)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
