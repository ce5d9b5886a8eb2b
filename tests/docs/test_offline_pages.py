"""The commands of pages that need no server run, and print what the page says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_blocks import OFFLINE_PAGES, blocks

IMPORTING_PAGE, COMMANDS_PAGE, KEYS_PAGE = OFFLINE_PAGES


def run(page: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """All of a page's commands in one shell, in an empty folder."""
    programs = Path(sys.executable).parent
    result = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail"],
        input="\n".join(block.text for block in blocks(page) if block.run),
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result


def test_statements_are_told_as_the_page_says(tmp_path: Path) -> None:
    (expected,) = [block.text for block in blocks(IMPORTING_PAGE) if block.language == "text"]
    result = run(IMPORTING_PAGE, tmp_path)
    assert result.stdout.startswith(expected)
    assert "2 transactions" in result.stdout.removeprefix(expected)
    assert "currency_code" in result.stderr


def test_a_server_serves_one_command(tmp_path: Path) -> None:
    result = run(COMMANDS_PAGE, tmp_path)
    assert '"institution_id":"ins_109508"' in result.stdout
    assert "data folder data" in result.stdout


@pytest.mark.slow
def test_a_key_is_replaced_and_retired(tmp_path: Path) -> None:
    result = run(KEYS_PAGE, tmp_path)
    (table,) = [block.text for block in blocks(KEYS_PAGE) if block.language == "text"]
    heading, _, former = table.splitlines()
    assert heading in result.stdout
    assert former in result.stdout
    assert "revoked 1 tokens and secrets" in result.stdout


def test_completion_knows_the_commands() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from treadle.cli import main; main(prog_name='treadle')"],
        env={
            **os.environ,
            "_TREADLE_COMPLETE": "bash_complete",
            "COMP_WORDS": "treadle sn",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "plain,snapshot\n"
