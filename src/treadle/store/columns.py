"""What stands in text columns as JSON."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Boolean, Column, Join, Table, Text, and_, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

_decode = msgspec.json.Decoder(tuple[str, ...]).decode


@lru_cache(maxsize=4096)
def decode_names(text: str) -> tuple[str, ...]:
    """A list of names. The same few lists stand in very many rows, so each is decoded once."""
    return _decode(text)


class is_named_in(GenericFunction[bool]):
    """Whether a text stands in the JSON list that a parameter holds."""

    inherit_cache = True
    type = Boolean()


@compiles(is_named_in, "sqlite")
def _sqlite_is_named_in(element: is_named_in, compiler: Any, **options: Any) -> str:
    text, names = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{text} IN (SELECT value FROM json_each({names}))"  # noqa: S608, names are placeholders


@compiles(is_named_in, "postgresql")
def _postgresql_is_named_in(element: is_named_in, compiler: Any, **options: Any) -> str:
    text, names = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{text} IN (SELECT jsonb_array_elements_text(CAST({names} AS JSONB)))"


class _each_of(GenericFunction[Any]):
    """The members of the JSON list that a parameter holds, as rows."""

    inherit_cache = True


@compiles(_each_of, "sqlite")
def _sqlite_each_of(element: _each_of, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_each_of, "postgresql")
def _postgresql_each_of(element: _each_of, compiler: Any, **options: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **options)} AS JSONB))"


class _ListedFirst(Join):
    """A join in which the list comes first.

    Without statistics SQLite would rather look through all rows than find each of the list by its
    key, unless it is told in which order to go.
    """

    inherit_cache = True


@compiles(_ListedFirst, "sqlite")
def _sqlite_listed_first(element: _ListedFirst, compiler: Any, **options: Any) -> str:
    options["asfrom"] = True
    left, right, condition = (
        compiler.process(one, **options) for one in (element.left, element.right, element.onclause)
    )
    return f"{left} CROSS JOIN {right} ON {condition}"


def named_rows(table: Table, names: BindParameter[Any], *columns: Column[Any]) -> Join:
    """The rows of a table whose columns stand together in a JSON list of lists."""
    listed = _each_of(names).table_valued("value", name="listed")
    named = [
        column == literal_column(f"listed.value ->> {place}", Text)
        for place, column in enumerate(columns)
    ]
    return _ListedFirst(listed, table, and_(*named))
