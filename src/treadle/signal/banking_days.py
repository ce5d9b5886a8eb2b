"""The days on which the Federal Reserve, and so the ACH, is open."""

from __future__ import annotations

import datetime as dt

_MONDAY, _THURSDAY, _SATURDAY = 0, 3, 5

# New Year's Day, Juneteenth, Independence Day, Veterans Day and Christmas Day.
_FIXED = {(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)}
# Month, weekday, and which of those in the month: the days of Martin Luther King and Washington,
# Labor Day, Columbus Day and Thanksgiving Day.
_FLOATING = {
    (1, _MONDAY, 3),
    (2, _MONDAY, 3),
    (9, _MONDAY, 1),
    (10, _MONDAY, 2),
    (11, _THURSDAY, 4),
}
_MAY = 5
_LAST_WEEK_OF_MAY = 25
_DAY = dt.timedelta(days=1)


def is_banking_day(day: dt.date) -> bool:
    """A holiday on a Sunday moves to Monday; of one on a Saturday no other day is taken."""
    weekday = day.weekday()
    if weekday >= _SATURDAY or (day.month, day.day) in _FIXED:
        return False
    if weekday == _MONDAY:
        sunday = day - _DAY
        is_memorial_day = day.month == _MAY and day.day >= _LAST_WEEK_OF_MAY
        if is_memorial_day or (sunday.month, sunday.day) in _FIXED:
            return False
    return (day.month, weekday, (day.day + 6) // 7) not in _FLOATING


def banking_day_after(day: dt.date, count: int) -> dt.date:
    """The banking day that follows a day as the first, the second …; with 0 the day itself."""
    while count:
        day += _DAY
        count -= is_banking_day(day)
    return day


def banking_days_within(today: dt.date, days: int) -> list[dt.date]:
    """The banking days of as many days as come after today."""
    coming = (today + number * _DAY for number in range(1, days + 1))
    return [day for day in coming if is_banking_day(day)]
