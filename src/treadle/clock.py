"""The only source of time. Instants are integers: microseconds since the Unix epoch."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Protocol

MILLISECOND = 1_000
SECOND = 1_000 * MILLISECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    def now(self) -> int:
        """The current instant, in microseconds since the Unix epoch."""
        ...


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1_000


class FixedClock:
    """A clock that stands still, so that the same requests give the same answers."""

    def __init__(self, instant: int) -> None:
        self.instant = instant

    def now(self) -> int:
        return self.instant


def parse_instant(text: str) -> int:
    """An ISO 8601 date or date-time as an instant; without an offset it is taken as UTC.

    Raises ValueError when the text is neither.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return from_datetime(moment)


def from_datetime(moment: datetime) -> int:
    """The instant of an aware date-time."""
    return round(moment.timestamp() * SECOND)


def to_datetime(instant: int) -> datetime:
    """The date-time in UTC, cut to milliseconds, the finest step that the wire shows."""
    seconds, microseconds = divmod(instant, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds // 1_000 * 1_000)


def to_date(instant: int) -> date:
    return to_datetime(instant).date()


def wall_instant() -> int:
    """The current instant of the wall, whatever a simulated clock says."""
    return time.time_ns() // 1_000


def wall_second() -> int:
    """The current second of the wall, whatever a simulated clock says."""
    return int(time.time())


def wall_text(second: int) -> str:
    """A second of the wall in ISO 8601, for logs."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def stopwatch() -> float:
    """Seconds on a clock that only measures how long things take."""
    return time.perf_counter()
