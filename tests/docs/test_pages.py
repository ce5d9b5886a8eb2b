"""The pages agree with the code and with each other."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from treadle.cli import main
from treadle.http.errors import CATALOGUE
from treadle.operations import load_areas
from treadle.tokens.scope import PROCESSOR_SCOPES

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])

_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def test_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, "scripts/generate_docs.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_implemented_operation_is_marked_as_such() -> None:
    coverage = (ROOT / "docs" / "coverage.md").read_text()
    for path in load_areas():
        assert f"| `POST {path}` | implemented" in coverage


def test_every_error_code_is_documented() -> None:
    text = (ROOT / "docs" / "errors.md").read_text()
    assert {kind.error_code for kind in CATALOGUE} <= set(re.findall(r"`([A-Z_]+)`", text))


def test_every_partner_operation_is_documented() -> None:
    text = (ROOT / "docs" / "permissions.md").read_text()
    assert [path for path in PROCESSOR_SCOPES if f"`{path}`" not in text] == []


def _options(command: click.Command) -> Iterator[str]:
    yield from (
        option
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    )
    if isinstance(command, click.Group):
        for member in command.commands.values():
            yield from _options(member)


def test_every_option_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    options = set(_options(main)) - {"--version"}
    assert {option for option in options if not re.search(rf"`{option}[ `]", text)} == set()


def test_documented_environment_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable is given a marker; click must report it as the option's value."""
    text = (ROOT / "docs" / "settings.md").read_text()
    variables = re.findall(r"`(TREADLE_[A-Z_]+)`", text)
    assert variables
    for variable in variables:
        monkeypatch.setenv(variable, "marker")
    read = set()
    with click.Context(main, info_name="treadle", **main.context_settings) as context:
        for leaf in _leaves(context):
            for parameter in leaf.command.params:
                if parameter.value_from_envvar(leaf):
                    read.add(f"{leaf.auto_envvar_prefix}_{str(parameter.name).upper()}")
    assert read == set(variables)


def _leaves(context: click.Context) -> Iterator[click.Context]:
    command = context.command
    if not isinstance(command, click.Group):
        yield context
        return
    for name, member in command.commands.items():
        yield from _leaves(click.Context(member, parent=context, info_name=name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_repository_resolve(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_CODE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        other = (page.parent / name).resolve() if name else page
        if not other.exists() or (anchor and anchor not in _anchors(other)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_listed() -> None:
    listing = (ROOT / "docs" / "README.md").read_text()
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages - {"README.md"} if page not in listing} == set()
