"""What stands in text columns as JSON."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Boolean
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


class are_named_in(GenericFunction[bool]):
    """Whether texts stand together in the JSON list of lists that the last parameter holds."""

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


@compiles(are_named_in, "sqlite")
def _sqlite_are_named_in(element: are_named_in, compiler: Any, **options: Any) -> str:
    *texts, names = (compiler.process(clause, **options) for clause in element.clauses)
    members = ", ".join(f"value ->> {place}" for place in range(len(texts)))
    return f"({', '.join(texts)}) IN (SELECT {members} FROM json_each({names}))"  # noqa: S608


@compiles(are_named_in, "postgresql")
def _postgresql_are_named_in(element: are_named_in, compiler: Any, **options: Any) -> str:
    *texts, names = (compiler.process(clause, **options) for clause in element.clauses)
    members = ", ".join(f"value ->> {place}" for place in range(len(texts)))
    rows = f"SELECT {members} FROM jsonb_array_elements(CAST({names} AS JSONB))"  # noqa: S608
    return f"({', '.join(texts)}) IN ({rows})"
