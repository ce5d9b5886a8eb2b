"""Moves the dates of a custom user forward to the day on which its Item is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

from msgspec import structs

from treadle.sources.sandbox.custom.part import Part
from treadle.sources.sandbox.custom.schema import Account, CustomUser


def rolled_forward(user: CustomUser, created: dt.date) -> CustomUser:
    """The user with every date moved by as much as takes its latest activity to the day given."""
    latest = max(_activity(user), default=None)
    if not user.roll_dates_forward or latest is None:
        return user
    moved: CustomUser = _moved(user, created - latest)
    return moved


def _activity(user: CustomUser) -> Iterator[dt.date]:
    for account in user.override_accounts or ():
        yield from (date for date in _activity_of(account) if date is not None)


def _activity_of(account: Account) -> Iterator[dt.date | None]:
    # When a transaction was posted is left out: the latest may still be pending.
    yield from (one.date_transacted for one in account.transactions or ())
    yield from (one.date for one in account.investment_transactions)
    yield from (one.institution_price_as_of for one in account.holdings)
    for paystub in (account.income and account.income.paystubs) or ():
        if period := paystub.pay_period_details:
            yield from (period.end_date, period.pay_date, period.pay_day)
    if liability := account.liability:
        yield from (liability.last_payment_date, liability.last_statement_issue_date)


def _moved(value: Any, by: dt.timedelta) -> Any:
    if isinstance(value, dt.date):
        return value + by
    if isinstance(value, list):
        return list(map(partial(_moved, by=by), value))
    if isinstance(value, Part):
        return structs.replace(
            value, **{name: _moved(member, by) for name, member in structs.asdict(value).items()}
        )
    return value
