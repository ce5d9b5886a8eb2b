"""Packages for Node.js that tests use, installed as a lock file has them."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest


def install(project: Path) -> Path:
    """The folder of a project's installed packages. Skips the test when there is no Node.js."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node or npm is missing; scripts/install_test_tools.sh tells what to install")
    lock = project / "package-lock.json"
    folder = project / "node_modules"
    stamp = folder / ".treadle-installed"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    with lock.open() as handle:
        # Test processes that run at the same time install once.
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != digest:
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            result = subprocess.run(
                command,
                cwd=project,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert result.returncode == 0, f"{' '.join(command)} failed:\n{result.stdout}"
            stamp.write_text(digest)
    return folder
