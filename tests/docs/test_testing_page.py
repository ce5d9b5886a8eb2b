"""The Python of the page on testing: tests that pass, and programs that run."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.docs.test_blocks import LINES_PAGES, TESTED_PAGE, Block, blocks

pytestmark = [pytest.mark.slow, pytest.mark.served]

BLOCKS = [block for block in blocks(TESTED_PAGE) if block.run]
_SECONDS = 100


def is_test(block: Block) -> bool:
    return "    def test_" in block.text or "\ndef test_" in block.text


def run(folder: Path, *arguments: str) -> None:
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert result.returncode == 0, f"{TESTED_PAGE}:\n{result.stdout}\n{result.stderr}"


def test_tests_pass(tmp_path: Path) -> None:
    """Each block is a file of tests; the number in its name is its line on the page."""
    tests = [block for block in BLOCKS if is_test(block)]
    for block in tests:
        (tmp_path / f"test_line_{block.line}.py").write_text(block.text)
    assert tests
    run(tmp_path, "-m", "pytest", "--strict-markers", "-p", "no:cacheprovider")


@pytest.mark.parametrize("page", LINES_PAGES)
def test_lines_of_tests_run(page: str, tmp_path: Path) -> None:
    tests = [
        f"def test_line_{block.line}(treadle):\n{textwrap.indent(block.text, '    ')}"
        for block in blocks(page)
        if block.run
    ]
    (tmp_path / "test_lines.py").write_text("\n\n".join(tests))
    assert tests
    run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider")


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if not is_test(block)], ids=lambda block: str(block.line)
)
def test_programs_run(block: Block, tmp_path: Path) -> None:
    (tmp_path / "block.py").write_text(block.text)
    run(tmp_path, "block.py")
