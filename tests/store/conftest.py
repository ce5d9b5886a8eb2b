"""Empty databases of either kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.databases import make_keys
from treadle.keys import Keys


@pytest.fixture
def url(store_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if store_kind == "sqlite":
        return f"sqlite:///{tmp_path}/treadle.db"
    create: Callable[[], str] = request.getfixturevalue("postgres_url")
    return create()


@pytest.fixture(scope="session")
def keys() -> Keys:
    return make_keys()
