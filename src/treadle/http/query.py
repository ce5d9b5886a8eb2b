"""From the query of a GET to a typed request, judged as a body would be."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect

from treadle.http import errors
from treadle.http.decode import RequestDecoder

T = TypeVar("T", bound=msgspec.Struct)

_MAX_FIELDS = 32


class QueryDecoder(RequestDecoder[T]):
    """Decodes the queries of one operation. Raises ApiError as for a body."""

    def __init__(self, request: type[T]) -> None:
        super().__init__(request)
        fields = inspect.type_info(request)
        assert isinstance(fields, inspect.StructType)  # noqa: S101, requests are structs
        self._numbers = {
            field.encode_name for field in fields.fields if isinstance(field.type, inspect.IntType)
        }

    def decode(self, body: bytes, credentials_needed: list[str]) -> T:
        raw: dict[str, Any] = {}
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError:
            raise errors.INVALID_BODY(problem="the query could not be parsed") from None
        for name, value in pairs:
            if name in raw:
                raise errors.INVALID_BODY(problem=f"query repeats the field: {name[:100]}")
            is_number = name in self._numbers and value.isdecimal() and value.isascii()
            raw[name] = int(value) if is_number and len(value) < 10 else value
        return super().decode(msgspec.json.encode(raw), credentials_needed)
