"""Which of the coming days a debit should be submitted on."""

from __future__ import annotations

import datetime as dt

import msgspec

from treadle.signal.banking_days import banking_day_after, banking_days_within
from treadle.wire.signal import (
    RecommendationString,
    SignalScheduleDefaultPaymentMethod,
    SignalScheduleRecommendation,
)

_DAYS_AHEAD = 7
# A balance says less with each day that passes before the money moves.
_RISK_PER_DAY = 3
_TOO_RISKY = 60
# Standard ACH settles on the third banking day at the latest, and a debit that may go either way
# may go that way.
_LONGEST_SETTLEMENT = 3


class Schedule(msgspec.Struct):
    optimal_date: dt.date | None
    recommendations: list[SignalScheduleRecommendation]


def plan(
    bank_initiated: int | None, today: dt.date, method: SignalScheduleDefaultPaymentMethod | None
) -> Schedule:
    """One recommendation for each banking day ahead.

    `bank_initiated` is the risk today, None when the funds are not known. It grows until the
    debit settles, so that of the days that will do the first one is the best.
    """
    same_day = method is SignalScheduleDefaultPaymentMethod.SAME_DAY_ACH
    schedule = Schedule(None, [])
    for rank, day in enumerate(banking_days_within(today, _DAYS_AHEAD), start=1):
        settled = banking_day_after(day, 0 if same_day else _LONGEST_SETTLEMENT)
        recommendation = _recommendation(bank_initiated, (settled - today).days)
        recommended = recommendation is RecommendationString.RECOMMENDED
        if recommended and rank == 1:
            schedule.optimal_date = day
        schedule.recommendations.append(
            SignalScheduleRecommendation(
                date=day, recommendation=recommendation, rank=rank if recommended else None
            )
        )
    return schedule


def _recommendation(bank_initiated: int | None, days_to_settle: int) -> RecommendationString:
    if bank_initiated is None:
        return RecommendationString.UNKNOWN
    if bank_initiated + _RISK_PER_DAY * days_to_settle < _TOO_RISKY:
        return RecommendationString.RECOMMENDED
    return RecommendationString.NOT_RECOMMENDED
