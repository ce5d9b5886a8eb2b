"""Empty databases of either kind."""

from __future__ import annotations

import pytest

from tests.store.databases import make_keys
from treadle.keys import Keys


@pytest.fixture(scope="session")
def keys() -> Keys:
    return make_keys()
