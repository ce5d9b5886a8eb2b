"""Each quickstart, followed word for word: its files are written, its commands run in order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.test_blocks import BASE_URL, DOCS, QUICKSTARTS, ROOT, blocks
from tests.support.effort import THOROUGH
from tests.support.server import Server

pytestmark = pytest.mark.slow

_FILE = re.compile(r"As a file `([^`]+)`[^\n]*\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SECONDS = 300


def _python(folder: Path, _request: pytest.FixtureRequest) -> None:
    (folder / "app").symlink_to(sys.prefix)


def _node(folder: Path, request: pytest.FixtureRequest) -> None:
    (folder / "node_modules").symlink_to(request.getfixturevalue("node_modules"))


def _go(_folder: Path, _request: pytest.FixtureRequest) -> None:
    if not THOROUGH:
        pytest.skip("building Plaid's Go SDK takes over a minute of CPU; `make soak` does it")
    _need("go")


def _java(_folder: Path, _request: pytest.FixtureRequest) -> None:
    _need("java")
    _need("mvn")


def _need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing")


# What takes the place of a page's block that installs an SDK, where no test runs that.
INSTALLED: dict[str, Callable[[Path, pytest.FixtureRequest], None]] = {
    "curl": lambda _folder, _request: None,
    "python": _python,
    "node": _node,
    "go": _go,
    "java": _java,
}
# Its page says at each block that no test runs it.
UNTESTED = {"ruby"}


def test_every_quickstart_is_followed() -> None:
    assert {Path(page).stem for page in QUICKSTARTS} == {*INSTALLED, *UNTESTED}


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.timeout(_SECONDS)
def test_quickstart(
    name: str, serve: Callable[..., Server], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = tmp_path / "quickstart"
    folder.mkdir()
    INSTALLED[name](folder, request)
    server = serve(data=tmp_path / "data")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "treadle").symlink_to(Path(sys.executable).parent / "treadle")

    page = DOCS / "quickstart" / f"{name}.md"
    for file, text in _FILE.findall(page.read_text()):
        (folder / file).write_text(text.replace(BASE_URL, server.url))
    parts = blocks(str(page.relative_to(ROOT)))
    result = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail"],
        input="\n".join(part.text for part in parts if part.run and part.language == "sh").replace(
            BASE_URL, server.url
        ),
        cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert result.returncode == 0, f"{page}:\n{result.stdout}\n{result.stderr}"
    (shown,) = (part.text for part in parts if part.language == "text")
    assert result.stdout.endswith(shown), result.stdout
    assert "Traceback" not in server.log()
