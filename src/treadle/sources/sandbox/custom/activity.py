"""The transactions of a whole account: listed or generated, with what its inflow model adds."""

from __future__ import annotations

import datetime as dt
from functools import partial

from treadle.sources.sandbox.custom.completing import account_draw
from treadle.sources.sandbox.custom.drawing import Draw
from treadle.sources.sandbox.custom.inflow import inflow_transactions
from treadle.sources.sandbox.custom.kinds import kind_of
from treadle.sources.sandbox.custom.movement import Movement
from treadle.sources.sandbox.custom.random_transactions import random_transactions
from treadle.sources.sandbox.custom.schema import Account, CustomUser, Transaction


def account_transactions(
    user: CustomUser, position: int, created: dt.date, since: dt.date, through: dt.date
) -> list[Movement]:
    """What the account at a position shows from one day through another, both included.

    The user is one that `complete_user` made whole on the day of creation. What is listed for
    later days is there from the first day on and pending, as documented.
    """
    account = (user.override_accounts or [])[position]
    own = partial(_own, account, account_draw(user.seed or "", position), created)

    def charged(after: dt.date, last: dt.date) -> float:
        if account.transactions == []:
            return account.starting_balance or 0
        first = after + dt.timedelta(days=1)
        return sum(one.amount for one in own(first, last) if first <= one.posted <= last)

    return own(since, through) + inflow_transactions(account, charged, since, through)


def _own(
    account: Account, draw: Draw, created: dt.date, since: dt.date, through: dt.date
) -> list[Movement]:
    """All but what the inflow model adds; once there is a model, nothing else comes in."""
    if account.transactions is None:
        generated = random_transactions(draw, kind_of(account), created, since, through)
        return [one for one in generated if account.inflow_model is None or one.amount > 0]
    listed = [
        _listed(one, index, draw.of("listed", index), created)
        for index, one in enumerate(account.transactions)
    ]
    return [one for one in listed if one.posted >= since]


def _listed(given: Transaction, index: int, draw: Draw, created: dt.date) -> Movement:
    made = given.date_transacted or min(given.date_posted or created, created)
    return Movement(
        key=f"listed:{index}",
        date=made,
        posted=given.date_posted or made,
        amount=draw.money(5, 80) if given.amount is None else given.amount,
        description=given.description or "Purchase",
        currency=given.currency,
    )
