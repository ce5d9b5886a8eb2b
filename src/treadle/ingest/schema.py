"""The JSON Schema of the records."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from treadle.ingest.records import AnyRecord

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_AS_DECIMAL = {"type": "string", "format": "decimal"}


@cache
def record_schema() -> dict[str, Any]:
    """Made once, for it takes long enough to hold others up."""
    schema: dict[str, Any] = _with_numbers(msgspec.json.schema(AnyRecord))
    return {"$schema": _DIALECT, "title": "One line of bank data", **schema}


def _with_numbers(schema: Any) -> Any:
    """Money may be a number as well as a text."""
    if isinstance(schema, list):
        return [_with_numbers(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if _AS_DECIMAL.items() <= schema.items():
        return schema | {"type": ["number", "string"]}
    return {name: _with_numbers(one) for name, one in schema.items()}
