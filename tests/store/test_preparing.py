"""SQLite prepares a statement once, and not anew for each run of it.

It does so for each run when a parameter is compared with a column that the condition of an index
compares with a constant, since then it depends on the parameter whether the index is of use. That
made a point read ten times as slow.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from tests.tidy.test_statements import STATEMENTS
from treadle.store import tables


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as made:
        tables.metadata.create_all(made)
        yield made.connection.driver_connection  # type: ignore[misc]


def test_no_statement_is_prepared_anew_for_each_run(connection: sqlite3.Connection) -> None:
    prepared: list[str] = []

    def note(*_: object) -> int:
        # Asked for whatever a statement touches while it is being prepared.
        prepared.append(name)
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    anew = []
    for name, statement in sorted(STATEMENTS.items()):
        sql = statement.compiled.sqlite
        runs = [[f"{place}-{run}" for place in range(sql.text.count("?"))] for run in range(2)]
        _run(connection, sql.text, runs[0])
        prepared.clear()
        _run(connection, sql.text, runs[1])
        if prepared:
            anew.append(name)
    assert anew == []


def _run(connection: sqlite3.Connection, text: str, values: list[str]) -> None:
    # What the values break, such as a constraint, is of no interest here.
    with contextlib.suppress(sqlite3.Error):
        connection.execute(text, values).fetchall()
