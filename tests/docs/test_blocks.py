"""Every block of code in the README and the quickstart runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.server import Server
from treadle.cli import _banner
from treadle.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BASE_URL = "http://127.0.0.1:8484"
RUN_PAGES = ("README.md", "docs/quickstart.md")
# All of their code is followed in order; test_quickstarts.py does it.
QUICKSTARTS = sorted(str(path.relative_to(ROOT)) for path in (DOCS / "quickstart").glob("*.md"))
# Its Python is tests and programs of their own; test_testing_page.py runs them.
TESTED_PAGE = "docs/testing.md"
# Their Python are lines of tests, which that test runs as well.
LINES_PAGES = (
    "docs/delegation.md",
    "docs/processor-tokens.md",
    "docs/scenarios.md",
    "docs/state.md",
)
# All of their code is for the shell and needs no server; test_offline_pages.py runs it.
OFFLINE_PAGES = ("docs/importing.md", "docs/command-line.md", "docs/keys.md")
# All of their code runs against one server; test_ingest_page.py does that.
INGEST_PAGE, IMPORT_PAGE = INGEST_PAGES = ("docs/ingest.md", "docs/import.md")
# Its code is for a browser; tests/browser runs it.
BROWSER_PAGE = "docs/link-in-tests.md"
# Its files are written and its workflow's jobs are run; test_ci_page.py does that.
CI_PAGE = "docs/ci.md"
# All of their code is for the shell.
SHELL_PAGES = ("docs/control-plane.md",)
ALL_PAGES = [
    "README.md",
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md")),
]
RUN = ("sh", "python", "js", "go", "java", "ruby", "html")
# Blocks that show something and are not for running.
SHOWN = ("text", "json", "yaml", "xml")

_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"<!-- not run: \S[^>]* -->\n\Z")
_SECONDS = 90


class Block(NamedTuple):
    line: int
    language: str
    text: str
    run: bool


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    found = []
    for fence in _FENCE.finditer(text):
        before = text[: fence.start()]
        language, content = fence.groups()
        marked = _MARK.search(before) is not None
        line = before.count("\n") + 1
        found.append(Block(line, language, content, language in RUN and not marked))
    assert text.count("```") == 2 * len(found), f"{page} has a fence that does not close"
    return found


@pytest.mark.parametrize("page", ALL_PAGES)
def test_no_code_is_left_unrun(page: str) -> None:
    """Code is run, or marked with the reason why not; other blocks say that they are not code."""
    for block in blocks(page):
        where = f"{page}, line {block.line}"
        assert block.language in RUN + SHOWN, f"{where}: unknown language {block.language!r}"
        tested = page in (*RUN_PAGES, *QUICKSTARTS, *INGEST_PAGES, CI_PAGE)
        tested |= page in (TESTED_PAGE, *LINES_PAGES) and block.language == "python"
        tested |= page in (*SHELL_PAGES, *OFFLINE_PAGES) and block.language == "sh"
        tested |= page == BROWSER_PAGE
        assert tested or not block.run, f"{where}: code that no test runs"


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN_PAGES)
def test_blocks_run(
    page: str,
    store: list[str],
    serve: Callable[..., Server],
    node_modules: Path,
    tmp_path: Path,
) -> None:
    """The blocks of a language are one program; what the shell exports the others see.

    They run in a folder with a virtual environment and a data folder as the repository has.
    """
    server = serve(*store, data=tmp_path / "data")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "treadle").symlink_to(Path(sys.executable).parent / "treadle")
    (tmp_path / "node_modules").symlink_to(node_modules)
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    if store:
        for command in ("CREATE", "LIST", "ROTATE_SECRET", "REMOVE"):
            environment[f"TREADLE_CLIENT_{command}_DATABASE"] = store[1]

    def run(language: str, name: str, *command: str, tail: str = "") -> str:
        parts = [block.text for block in blocks(page) if block.run and block.language == language]
        assert parts, f"{page} has no {language}"
        text = "\n".join(parts).replace(BASE_URL, server.url)
        assert not re.search(r":8484\b", text), f"{page} addresses the server in another way"
        (tmp_path / name).write_text(text + tail)
        result = subprocess.run(
            [*command, name],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert result.returncode == 0, f"{page}, {language}:\n{result.stdout}\n{result.stderr}"
        return result.stdout

    shell = ("bash", "-e", "-u", "-o", "pipefail")
    outputs = [run("sh", "blocks.sh", *shell, tail="\nenv -0 > exported\n")]
    for pair in (tmp_path / "exported").read_text().split("\0"):
        name, separator, value = pair.partition("=")
        if separator and name not in ("_", "SHLVL", "PWD", "OLDPWD"):
            environment[name] = value
    outputs.append(run("python", "blocks.py", sys.executable))
    outputs.append(run("js", "blocks.mjs", "node"))
    for output in outputs:
        # Each of them reads the account number, and is refused something.
        assert re.search(r"\b\d{10,}\b", output), output
        assert "INVALID_PRODUCT" in output
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("page", SHELL_PAGES)
def test_commands_run(page: str, serve: Callable[..., Server]) -> None:
    commands = [block.text for block in blocks(page) if block.run]
    assert commands
    result = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail"],
        input="\n".join(commands).replace(BASE_URL, serve().url),
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    # An error is an answer too, as far as curl can tell.
    assert "request_id" in result.stdout
    assert "error_code" not in result.stdout


def test_readme_shows_what_the_server_prints() -> None:
    assert _banner(Settings(data=Path("data"))).rstrip() in (ROOT / "README.md").read_text()
