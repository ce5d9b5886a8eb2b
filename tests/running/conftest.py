"""A PostgreSQL of the test's own, which it may stop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres import PostgresServer


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    postgres = PostgresServer()
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.stop()
