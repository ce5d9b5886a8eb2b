"""Plaid's Node.js SDK."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server


@pytest.mark.slow
def test_whole_flow_through_the_node_sdk(server: Server, node_modules: Path) -> None:
    result = subprocess.run(
        ["node", "flow.mjs", server.url, CLIENT_ID, SECRET],
        cwd=node_modules.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "flow complete\n"
