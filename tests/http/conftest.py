"""A raw connection to the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.lines import Line
from tests.support.server import Server


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    with Line(server) as line:
        yield line
