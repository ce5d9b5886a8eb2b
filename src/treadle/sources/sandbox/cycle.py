"""What happens on accounts again and again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Generic, Protocol, TypeVar

import msgspec


class Phased(Protocol):
    # The number of the day within the cycle.
    phase: int


P = TypeVar("P", bound=Phased)


class Cycle(msgspec.Struct, Generic[P]):
    """Transactions on calendar days that are the same for every Item."""

    # Any day on which the cycle began.
    began_on: date
    days: int
    transactions: list[P]

    def between(self, since: date, until: date) -> Iterator[tuple[date, P]]:
        """What happens from one day to another, both included."""
        day = since
        while day <= until:
            phase = (day - self.began_on).days % self.days
            yield from ((day, one) for one in self.transactions if one.phase == phase)
            day += timedelta(days=1)
