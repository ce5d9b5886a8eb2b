"""What Treadle has beyond the API stands in the documentation: addresses, commands, metrics.

Operations of the API, errors, options and permissions are test_pages.py's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from treadle import pytest_plugin
from treadle.cli import main
from treadle.console.protection import PREFIX as CONSOLE
from treadle.http.routing import OWN_SANDBOX
from treadle.link.pages.site import PREFIX as LINK
from treadle.metrics.metrics import Metrics
from treadle.operations import OWN, load_areas

DOCS = Path(__file__).parents[2] / "docs"
OPERATIONS_PAGE = (DOCS / "operations.md").read_text()
PAGES = {path.name: path.read_text() for path in DOCS.glob("*.md")}
TEXT = "\n".join(PAGES.values())


def _addresses() -> set[str]:
    """The first column of the table of addresses."""
    section = OPERATIONS_PAGE.partition("## Addresses\n")[2].partition("\n## ")[0]
    return {
        address
        for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        for address in re.findall(r"`([^`]+)`", row)
    }


def test_every_place_that_answers_is_in_the_table_of_addresses() -> None:
    load_areas()
    first_parts = {f"/{implementation.path.split('/')[1]}/" for implementation in OWN.values()}
    served = {*first_parts, LINK, f"{CONSOLE}/", "/healthz", "/readyz", "/metrics"}
    assert served == _addresses() - {"POST /…"}


def test_every_operation_of_treadles_own_is_documented() -> None:
    load_areas()
    own = [one for one in OWN.values() if one.path.startswith("/treadle/")]
    assert [
        f"{one.method} {one.path}"
        for one in own
        if f"`{one.method} {one.path}`" not in TEXT
        # Where there is one method alone, a page may leave it out.
        and not (f"`{one.path}`" in TEXT and not one.path.startswith(OWN_SANDBOX))
    ] == []


def test_no_operation_is_documented_that_is_not_there() -> None:
    load_areas()
    there = {f"{one.method} {one.path}" for one in OWN.values()}
    named = set(re.findall(r"`((?:GET|POST) /treadle/[\w/.]+)`", TEXT))
    assert named - there == set()


def test_every_metric_is_documented_and_no_other() -> None:
    names = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in Metrics().registry.collect()
    }
    assert set(re.findall(r"^\| `(treadle_\w+)` \|", OPERATIONS_PAGE, re.MULTILINE)) == names


def test_every_command_is_documented() -> None:
    commands = set(_commands(click.Context(main, info_name="treadle")))
    written = PAGES["settings.md"]
    assert {name for name in commands if not re.search(rf"\b{name}\b", written)} == set()


def _commands(context: click.Context) -> Iterator[str]:
    if not isinstance(context.command, click.Group):
        yield context.command_path
        return
    for name, member in context.command.commands.items():
        yield from _commands(click.Context(member, parent=context, info_name=name))


def test_every_option_of_the_pytest_plugin_is_documented() -> None:
    source = Path(pytest_plugin.__file__).read_text()
    options = re.findall(r'"(--[\w-]+)"', source)
    assert options
    assert [option for option in options if option not in PAGES["testing.md"]] == []
