"""Write src/treadle/wire from the pinned plaid-python package (--check only compares)."""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Run as a script, this file's own folder is searched rather than the one above it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.wire_sdk import OPEN_FIELDS, SDK, TOKEN, Collector, Struct, public_models

OUT = Path(__file__).resolve().parent.parent / "src" / "treadle" / "wire"
LINE_LENGTH = "100"


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
    """Models that no operation leads to and that carry the two fields every webhook has."""
    reached = {token.partition("/")[2].rstrip(">") for token in collector.structs}
    return {
        collector.struct(model, "response")
        for name, model in collector.models.items()
        if name not in reached and {"webhook_type", "webhook_code"} <= set(model.openapi_types)
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
