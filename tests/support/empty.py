"""Empty databases that need no migration, which would cost each server as much as all else does.

`tests/store` looks at the migrations themselves.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from treadle.store import opening


def copy_empty_database(data: Path) -> None:
    """Make a data folder for the embedded store."""
    data.mkdir(mode=0o700, parents=True)
    shutil.copy(_empty_database(), data / "treadle.db")


@functools.cache
def _empty_database() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="treadle-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "treadle.db"
    opening._prepare_sqlite(path)
    return path
