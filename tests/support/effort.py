"""How hard a test tries: some of it in every run, all of it in `make soak`."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("TREADLE_SOAK") == "1"


def tries(in_every_run: int, *, thorough: int) -> int:
    return thorough if THOROUGH else in_every_run
