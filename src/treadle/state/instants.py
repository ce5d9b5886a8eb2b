"""Instants as a document has them: ISO 8601, to the microsecond."""

from __future__ import annotations

import datetime as dt
from typing import Any

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
# As far as clocks can be set: no date before or after it overflows.
_YEARS = range(2000, 2200)


class Instant:
    """A number of microseconds since the Unix epoch, which the document has as a date-time."""

    def __init__(self, microseconds: int) -> None:
        self.microseconds = microseconds

    @classmethod
    def parse(cls, text: object) -> Instant:
        """Raises ValueError for what is no date-time with an offset, or too far away."""
        expectation = "Expected a date-time of the form 'YYYY-MM-DDTHH:MM:SS.ffffffZ'"
        if not isinstance(text, str):
            raise ValueError(expectation)
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(expectation) from None
        if moment.tzinfo is None:
            raise ValueError(expectation)
        if moment.year not in _YEARS:
            raise ValueError(f"Expected a date-time from {_YEARS.start} to {_YEARS.stop - 1}")
        return cls((moment - EPOCH) // _MICROSECOND)

    def __str__(self) -> str:
        moment = EPOCH + self.microseconds * _MICROSECOND
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def instant(microseconds: int | None) -> Instant | None:
    return None if microseconds is None else Instant(microseconds)


def microseconds(instant: Instant | None) -> int | None:
    return None if instant is None else instant.microseconds


def encode_hook(value: Any) -> Any:
    """For msgspec, which does not know the type."""
    if isinstance(value, Instant):
        return str(value)
    raise NotImplementedError(type(value))


def decode_hook(type_: type, value: Any) -> Any:
    if type_ is Instant:
        return Instant.parse(value)
    raise NotImplementedError(type_)
