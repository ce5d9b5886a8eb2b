"""Statements written with SQLAlchemy Core, compiled once and run on the driver itself.

A point read through Core takes a multiple of the same read on the driver, which is why only the SQL
text and the order of its parameters are taken from Core; `docs/decisions/storage.md` has figures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import ClauseElement, Delete, Insert, Select, Table, Update, insert
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

R = TypeVar("R")

Parameters = dict[str, Any]


class Sql:
    """The text of a statement for one driver, and the values it takes, in order."""

    def __init__(self, statement: ClauseElement, columns: list[str] | None, dialect: Any) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.text = str(compiled)
        self._names: list[str] = list(compiled.positiontup or [])
        # What the statement itself holds, such as a limit.
        self._constants = {
            name: bind.value for name, bind in compiled.binds.items() if not bind.required
        }

    def values(self, parameters: Parameters) -> list[Any]:
        if self._constants:
            parameters = self._constants | parameters
        return [parameters[name] for name in self._names]


class _Compiled:
    """One statement's SQL for each driver, made when first asked for."""

    def __init__(self, statement: ClauseElement, columns: list[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns

    @cached_property
    def sqlite(self) -> Sql:
        return Sql(self._statement, self._columns, sqlite_dialect(paramstyle="qmark"))

    @cached_property
    def postgresql(self) -> Sql:
        dialect = postgresql_dialect()  # type: ignore[no-untyped-call]
        return Sql(self._statement, self._columns, dialect)


class Query(Generic[R]):
    """A read whose columns are, in order, the arguments of `row`.

    `shared` says that many requests ask for the same row: a store may then read it once for all
    that see the same state of the database.
    """

    def __init__(
        self, statement: Select[Any], row: Callable[..., R], *, shared: bool = False
    ) -> None:
        self.compiled = _Compiled(statement)
        self.row = row
        self.shared = shared


class Write:
    """An insert, update or delete, or a select that locks the rows it must find."""

    def __init__(self, statement: Insert | Update | Delete | Select[Any]) -> None:
        self.compiled = _Compiled(statement)

    @classmethod
    def insert(cls, table: Table) -> Write:
        """The insert of a whole row; its parameters are the table's columns."""
        write = cls(insert(table))
        write.compiled = _Compiled(insert(table), [column.name for column in table.columns])
        return write
