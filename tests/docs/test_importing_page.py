"""The commands of the page about statements run, and print what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.test_blocks import IMPORTING_PAGE, blocks


def test_commands_print_what_the_page_says(tmp_path: Path) -> None:
    commands = [block.text for block in blocks(IMPORTING_PAGE) if block.run]
    shown = [block.text for block in blocks(IMPORTING_PAGE) if block.language == "text"]
    programs = Path(sys.executable).parent
    result = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail"],
        input="\n".join(commands),
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    (expected,) = shown
    assert result.stdout.startswith(expected)
    assert "2 transactions" in result.stdout.removeprefix(expected)
    assert "currency_code" in result.stderr
