"""The income of an account, or what is paid on it, by the model that a custom user gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from treadle.sources.sandbox.custom.movement import (
    Movement,
    days_between,
    is_day_of_month,
    made,
)
from treadle.sources.sandbox.custom.schema import Account, InflowModel
from treadle.sources.sandbox.custom.values import DayOfMonth

_DEFAULT_APR: Final = 12.5

# What was charged to an account after one day and through another.
Charged = Callable[[dt.date, dt.date], float]


def inflow_transactions(
    account: Account, charged: Charged, since: dt.date, through: dt.date
) -> list[Movement]:
    """What the model brings from one day through another, both included.

    Money that comes in has a negative amount: income, and payments on what is owed.
    """
    model = account.inflow_model
    if model is None or model.payment_day_of_month is None:
        return []
    paid = [
        (date, _amount(account, model, charged, date))
        for date in days_between(since, through)
        if is_day_of_month(date, model.payment_day_of_month)
    ]
    name = model.transaction_name or ""
    return [made("inflow", date, -amount, name) for date, amount in paid if amount > 0]


def _amount(account: Account, model: InflowModel, charged: Charged, date: dt.date) -> float:
    match model.type:
        case "monthly-income":
            return model.income_amount or 0
        case "monthly-balance-payment" if model.statement_day_of_month is not None:
            issued = _last_before(date, model.statement_day_of_month)
            issued_before = _last_before(issued, model.statement_day_of_month)
            return round(charged(issued_before, issued), 2)
        case "monthly-interest-only-payment":
            return round((account.starting_balance or 0) * _apr(account) / 100 / 12, 2)
    return 0


def _last_before(date: dt.date, day: DayOfMonth) -> dt.date:
    """The last day before a date that is this day of its month."""
    earlier = date - dt.timedelta(days=1)
    while not is_day_of_month(earlier, day):
        earlier -= dt.timedelta(days=1)
    return earlier


def _apr(account: Account) -> float:
    liability = account.liability
    if liability is None:
        return _DEFAULT_APR
    of_loan = liability.interest_rate.percentage if liability.interest_rate else None
    given = (liability.purchase_apr, liability.nominal_apr, of_loan)
    return next((apr for apr in given if apr is not None), _DEFAULT_APR)
