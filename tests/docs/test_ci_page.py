"""The page on CI: its files are written into a repository, and its workflow's jobs run there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.test_blocks import CI_PAGE, ROOT
from tests.support.effort import THOROUGH
from tests.support.node import install

pytestmark = [pytest.mark.slow, pytest.mark.served]

JEST_PROJECT = Path(__file__).parent / "jest"
FILES = dict(
    re.findall(
        r"[Aa]s a file `([^`]+)`[^\n]*\n\n```\w+\n(.*?)^```$",
        (ROOT / CI_PAGE).read_text(),
        re.DOTALL | re.MULTILINE,
    )
)
WORKFLOW = yaml.safe_load(FILES[".github/workflows/tests.yml"])
_INSTALLS = ("pip install ", "npm install ")


def commands(job: str) -> list[str]:
    steps = WORKFLOW["jobs"][job]["steps"]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    return [step["run"] for step in steps if "run" in step]


def test_the_workflow_is_one() -> None:
    # A YAML 1.1 parser takes the key `on` for a truth value.
    assert set(WORKFLOW) == {"name", True, "permissions", "jobs"}
    for job, content in WORKFLOW["jobs"].items():
        assert content["runs-on"] == "ubuntu-latest"
        first = content["steps"][0]["uses"]
        assert re.fullmatch(r"actions/checkout@v\d+", first)
        assert commands(job)[0].startswith(_INSTALLS)


@pytest.mark.parametrize("job", WORKFLOW["jobs"])
def test_the_jobs_run(job: str, tmp_path: Path) -> None:
    if job == "jest":
        if not THOROUGH:
            pytest.skip("Jest takes half a minute to install; `make soak` does it")
        (tmp_path / "node_modules").symlink_to(install(JEST_PROJECT))
        (tmp_path / "package.json").write_text("{}")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    run = [command for command in commands(job) if not command.startswith(_INSTALLS)]
    assert run
    for command in run:
        result = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=tmp_path,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert result.returncode == 0, f"{command}:\n{result.stdout}\n{result.stderr}"
        assert re.search(r"1 passed", result.stdout + result.stderr)
