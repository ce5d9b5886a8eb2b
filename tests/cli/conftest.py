"""The command line, run as a program of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def treadle(tmp_path: Path) -> Run:
    """Runs `treadle` in an empty folder."""

    def run(*arguments: str) -> Outcome:
        result = subprocess.run(
            [sys.executable, "-m", "treadle", *arguments],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Outcome(result.returncode, result.stdout, result.stderr)

    return run
