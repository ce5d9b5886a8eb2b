"""Finding the cadence of a row of days: how regularly they come, and when the next is due."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise
from statistics import median_low

import msgspec

from treadle.bank.months import add_months
from treadle.wire.common import RecurringTransactionFrequency as Frequency

_DAYS_PER_MONTH = 365.25 / 12
# The part of a period by which an interval may be shorter or longer.
_LEEWAY = 0.4


class Cadence(msgspec.Struct, frozen=True, kw_only=True):
    """A regular row of slots, either so many days or so many calendar months apart."""

    frequency: Frequency
    days: int = 0
    months: int = 0
    # Slots of several tracks take turns: two of them make two days of each month.
    tracks: int = 1
    # How far apart weekends, holidays and slow banks may move what belongs on the same day.
    tolerance_days: int = 4
    # How many days it takes to see the cadence at all, and to be sure of it.
    least: int = 3
    mature: int = 3

    @property
    def period_days(self) -> float:
        return self.days or self.months * _DAYS_PER_MONTH / self.tracks

    def admits(self, gap: int, steps: int = 1) -> bool:
        """Whether so many days can lie between slots that are so many steps apart."""
        return abs(gap - steps * self.period_days) <= self.period_days * _LEEWAY

    def slot(self, anchor: dt.date, steps: int) -> dt.date:
        """The day so many steps of one track away from another."""
        if self.days:
            return anchor + dt.timedelta(days=steps * self.days)
        return add_months(anchor, steps * self.months)


# Where two fit equally well, the first is taken.
_CADENCES = (
    Cadence(frequency=Frequency.WEEKLY, days=7, tolerance_days=3, least=2),
    Cadence(frequency=Frequency.BIWEEKLY, days=14, least=2),
    Cadence(frequency=Frequency.MONTHLY, months=1, least=2),
    Cadence(frequency=Frequency.MONTHLY, days=30, least=2),
    Cadence(frequency=Frequency.MONTHLY, days=28, least=2),
    Cadence(frequency=Frequency.SEMI_MONTHLY, months=1, tracks=2),
    Cadence(frequency=Frequency.ANNUALLY, months=12, tolerance_days=7, least=2, mature=2),
    # Regular, though the API has no word for it.
    Cadence(frequency=Frequency.UNKNOWN, months=2),
    Cadence(frequency=Frequency.UNKNOWN, months=3),
    Cadence(frequency=Frequency.UNKNOWN, months=6),
)


class Rhythm(msgspec.Struct, frozen=True):
    """A cadence that fits a row of days."""

    cadence: Cadence
    # How far the days lie from where they belong, at most.
    misfit_days: int
    next_day: dt.date


def find_rhythm(days: list[dt.date]) -> Rhythm | None:
    """The cadence that fits best, if any does. The days stand in order."""
    gaps = [(after - before).days for before, after in pairwise(days)]
    if not gaps:
        return None
    usual = median_low(gaps)
    fitting = [
        rhythm
        for cadence in _CADENCES
        if cadence.admits(usual) and (rhythm := _fit(cadence, days, gaps))
    ]
    return min(fitting, key=lambda rhythm: rhythm.misfit_days, default=None)


def _fit(cadence: Cadence, days: list[dt.date], gaps: list[int]) -> Rhythm | None:
    places = _places(cadence, gaps)
    if places is None:
        return None
    next_place = places[-1] + 1
    next_day = days[-1]
    misfit = 0
    for track in range(cadence.tracks):
        on_track = [
            (day, place // cadence.tracks)
            for day, place in zip(days, places, strict=True)
            if place % cadence.tracks == track
        ]
        anchor, anchor_step = _anchor(on_track)
        moved = sorted(
            (day - cadence.slot(anchor, step - anchor_step)).days for day, step in on_track
        )
        misfit = max(misfit, _width(moved))
        if next_place % cadence.tracks == track:
            step = next_place // cadence.tracks - anchor_step
            next_day = cadence.slot(anchor, step) + dt.timedelta(days=median_low(moved))
    # Two days agree by chance more easily than many.
    allowed = cadence.tolerance_days // (2 if len(days) == 2 else 1)
    return Rhythm(cadence, misfit, next_day) if misfit <= allowed else None


def _places(cadence: Cadence, gaps: list[int]) -> list[int] | None:
    """Which slot each day takes, counted from the first; None if they cannot be told apart."""
    if len(gaps) + 1 < cadence.least:
        return None
    places = [0]
    for gap in gaps:
        steps = max(1, round(gap / cadence.period_days))
        if not cadence.admits(gap, steps):
            return None
        places.append(places[-1] + steps)
    skipped = places[-1] - len(gaps)
    return places if skipped <= len(gaps) // 4 else None


def _anchor(on_track: list[tuple[dt.date, int]]) -> tuple[dt.date, int]:
    """The day that the others are measured from.

    One on the most common day of the month; of equally common ones on the last, since the month's
    end is an earlier day in some months, never a later one.
    """
    counts = Counter(day.day for day, _ in on_track)
    common = max(counts, key=lambda day_of_month: (counts[day_of_month], day_of_month))
    return next(one for one in on_track if one[0].day == common)


def _width(moved: list[int]) -> int:
    """How wide the days are spread, leaving out one in six: somebody pays late once."""
    counted = len(moved) - len(moved) // 6
    return min(
        moved[start + counted - 1] - moved[start] for start in range(len(moved) - counted + 1)
    )
