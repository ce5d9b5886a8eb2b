"""The command line, run as a program of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import preloaded


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
        result = preloaded.run(*arguments, cwd=tmp_path)
        return Outcome(result.returncode, result.stdout, result.stderr)

    return run
