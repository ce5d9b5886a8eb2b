"""The clock of the database, which all processes share, however their own clocks differ."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class database_now(GenericFunction[int]):
    """The instant at which a statement began, in microseconds since the Unix epoch."""

    inherit_cache = True
    type = BigInteger()


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: Any, **options: Any) -> str:
    # 2440587.5 is the Julian day on which the epoch began; a day has 86,400,000,000 microseconds.
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


@compiles(database_now, "postgresql")
def _postgresql_now(element: database_now, compiler: Any, **options: Any) -> str:
    # The same for all rows of a statement, else no index would be of use to compare with it.
    return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)"
