"""Writes the documentation that the code itself holds: coverage, errors, permissions, settings
and processors; and the navigation of the documentation's site.

With --check it writes nothing and fails when a page differs from what it would write.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

import click

# Run as a script, this file's own folder is searched rather than the one above it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.docs_navigation import with_navigation
from treadle.cli import main as command_line
from treadle.http.errors import CATALOGUE
from treadle.operations import load_areas
from treadle.partners.processors import PROCESSORS
from treadle.tokens.scope import PROCESSOR_SCOPES, Scope
from treadle.wire.operations import OPERATIONS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SITE = ROOT / "zensical.toml"

NOTICE = "<!-- Written by scripts/generate_docs.py; do not edit. -->"
IMPLEMENTED = load_areas()


def page(title: str, *blocks: str) -> str:
    return "\n\n".join([NOTICE, f"# {title}", *blocks]) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines.append(["---"] * len(lines[0]))
    lines += [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def coverage() -> str:
    by_area = groupby(sorted(OPERATIONS.values(), key=_place), key=lambda one: one.area)
    sections = []
    for area, members in by_area:
        operations = list(members)
        done = sum(_implemented(one.path, one.method) for one in operations)
        rows = [(f"`{one.method} {one.path}`", _state(one.path, one.method)) for one in operations]
        sections.append(f"## {area}\n\n{done} of {len(operations)}.")
        sections.append(table(("Operation", "State"), rows))
    return page(
        "Coverage",
        f"**{len(IMPLEMENTED)} of {len(OPERATIONS)} operations are implemented.**",
        "The operations are those of the Plaid API, version 2020-09-14, that the official Python "
        "SDK knows. One that is not implemented answers 400 with the code `NOT_IMPLEMENTED`; it "
        "never makes an answer up. An implemented operation marked *sandbox only* answers "
        "`SANDBOX_ONLY` in production.",
        *sections,
    )


def _place(one: object) -> tuple[str, str, str]:
    area, path, method = (getattr(one, name) for name in ("area", "path", "method"))
    return area, path, method


def _implemented(path: str, method: str) -> bool:
    return path in IMPLEMENTED and method == "POST"


def _state(path: str, method: str) -> str:
    state = "implemented" if _implemented(path, method) else "not implemented"
    return f"{state}, sandbox only" if path.startswith("/sandbox/") else state


def errors() -> str:
    by_type = groupby(
        sorted(CATALOGUE, key=lambda kind: kind.error_type), key=lambda kind: kind.error_type
    )
    sections = []
    for error_type, kinds in by_type:
        rows = [
            (
                f"`{kind.error_code}`",
                str(kind.status),
                f"`{kind.message}`",
                kind.meaning,
                kind.display_message or "none",
            )
            for kind in kinds
        ]
        head = ("Code", "Status", "Message", "Meaning", "Display message")
        sections += [f"## {error_type}", table(head, rows)]
    codes = {kind.error_code for kind in CATALOGUE}
    return page(
        "Errors",
        f"**{len(codes)} codes in {len(CATALOGUE)} forms.** A code that has several messages "
        "stands once for each.",
        "An error is a JSON object with `error_type`, `error_code`, `error_message`, "
        "`display_message`, `documentation_url`, `request_id` and `suggested_action`. What stands "
        "in braces is filled in.",
        *sections,
    )


def permissions() -> str:
    scopes = PROCESSOR_SCOPES.items()
    names = sorted({product.value for _, scope in scopes for product in scope.admitted_by})
    rows = [
        (
            f"`{path}`",
            ", ".join(f"`{name}`" for name in names if name in scope.admitted_by)
            or "any list admits it",
            _needed(scope),
            "yes" if path in IMPLEMENTED else "not yet",
        )
        for path, scope in scopes
    ]
    head = ("Partner's operation", "Permissions that admit it", "Item needs", "Implemented")
    matrix = [
        (f"`{path}`", *("yes" if not admits or name in admits else "" for name in names))
        for path, admits in ((path, scope.admitted_by) for path, scope in scopes)
    ]
    return page(
        "Permissions",
        "`/processor/token/permissions/set` narrows a processor token to a list of products. "
        "**An empty list means everything**: a token without permissions, or one whose list was "
        "set to `[]`, is not narrowed.",
        "Once the list names a product, an operation is admitted when the list holds one of the "
        "permissions in its row. Otherwise it answers `INVALID_PRODUCT`. A product that admits "
        "nothing here still narrows.",
        table(head, rows),
        "## The same as a matrix",
        table(("Partner's operation", *(f"`{name}`" for name in names)), matrix),
    )


def _needed(scope: Scope) -> str:
    return "no product" if scope.product is None else f"`{scope.product.value}`"


def settings() -> str:
    with click.Context(
        command_line, info_name="treadle", **command_line.context_settings
    ) as context:
        sections = [block for command in _commands(context) for block in _command(command)]
    return page(
        "Settings",
        "Each option can be given on the command line or in the environment; the command line "
        "wins. There is no configuration file. In the environment a flag takes `1` or `0`, and "
        "the values of a repeatable option are separated by spaces.",
        *sections,
    )


def _commands(context: click.Context) -> Iterator[click.Context]:
    """A context for each command that does something, under the group of this one."""
    group = context.command
    if not isinstance(group, click.Group):
        yield context
        return
    for name, command in group.commands.items():
        further = click.Context(command, parent=context, info_name=name)
        yield from _commands(further)


def _command(context: click.Context) -> list[str]:
    parameters = context.command.params
    arguments = [str(one.name).upper() for one in parameters if isinstance(one, click.Argument)]
    rows = [_option(one, context) for one in parameters if isinstance(one, click.Option)]
    usage = " ".join([context.command_path, *arguments])
    return [
        f"## `{usage}`",
        " ".join((context.command.help or "").split()),
        table(("Option", "Environment variable", "Default", "Meaning"), rows),
    ]


def _option(option: click.Option, context: click.Context) -> tuple[str, ...]:
    kind = option.type
    metavar = option.make_metavar(context).removesuffix(" RANGE")
    value = "" if option.is_flag else f" {metavar}"
    variable = f"{context.auto_envvar_prefix}_{str(option.name).upper()}"
    default = option.get_default(context)
    shown = f"`{default}`" if isinstance(default, str | int | Path) else "none"
    if option.is_flag:
        shown = "off"
    meaning = option.help or ""
    if isinstance(kind, click.IntRange):
        meaning = f"{meaning} From {kind.min} to {kind.max}."
    return f"`{option.opts[0]}{value}`", f"`{variable}`", shown, meaning


def processors() -> str:
    rows = [(f"`{id_}`", name) for id_, name in sorted(PROCESSORS.items())]
    return page(
        "Processors",
        f"**{len(PROCESSORS)} processors** can be named in `/processor/token/create` and "
        "registered for a partner with `treadle client create --processors`. Any other name is "
        "refused with `INVALID_FIELD`. The names are trademarks of their owners, none of whom is "
        "affiliated with Treadle.",
        table(("`processor`", "Name"), rows),
    )


PAGES: dict[str, Callable[[], str]] = {
    "coverage.md": coverage,
    "errors.md": errors,
    "permissions.md": permissions,
    "settings.md": settings,
    "processors.md": processors,
}


def stale() -> Iterator[tuple[Path, str]]:
    """The files that differ from what they should hold, each with its text."""
    for name, render in PAGES.items():
        path, text = DOCS / name, render()
        if not path.exists() or path.read_text() != text:
            yield path, text
    configuration = SITE.read_text()
    text = with_navigation(configuration, (DOCS / "README.md").read_text())
    if configuration != text:
        yield SITE, text


def run() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args().check
    differing = list(stale())
    for path, text in differing:
        state = "is out of date; run: make generate" if check else "written"
        print(f"{path.relative_to(ROOT)} {state}")
        if not check:
            path.write_text(text)
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(run())
