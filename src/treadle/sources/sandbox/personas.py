"""Named users of the sandbox with a way of life: accounts, and a schedule of what happens on them.

Nothing in a schedule has a fixed date, so the data never grows old.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from treadle.sources.sandbox.custom.drawing import Draw
from treadle.sources.sandbox.custom.movement import (
    Movement,
    days_between,
    is_day_of_month,
    made,
)
from treadle.sources.sandbox.custom.schema import CustomUser
from treadle.sources.sandbox.custom.values import Amount

_FOLDER = files("treadle.sources.sandbox") / "users" / "personas"


class Recurring(msgspec.Struct, forbid_unknown_fields=True):
    """What happens on an account again and again; a positive amount leaves it."""

    # The place of the account among those of the user.
    account: int
    description: str
    amount: Amount
    # Once a month, or once in so many days.
    every: Literal["month"] | Annotated[int, Meta(ge=1)]
    # The day of the month or, counting from 0, of the period: with 7 days Sunday is the first.
    on: Annotated[int, Meta(ge=0)] | Literal["last"] = 0
    # By so many percent an amount is lower or higher.
    varies_percent: Annotated[int, Meta(ge=0, le=100)] = 0
    # Of a hundred times so many happen.
    chance_percent: Annotated[int, Meta(ge=1, le=100)] = 100

    def falls_on(self, date: dt.date) -> bool:
        if self.every == "month":
            return is_day_of_month(date, self.on)
        return date.toordinal() % self.every == self.on


class Persona(msgspec.Struct, forbid_unknown_fields=True):
    username: str
    # None stands for any that is not blank.
    password: str | None
    # So long before its Item was made a persona's history begins.
    history_days: int
    user: CustomUser
    schedule: list[Recurring]

    def accepts(self, password: str) -> bool:
        return password == self.password if self.password is not None else bool(password.strip())

    def transactions(self, account: int, since: dt.date, through: dt.date) -> list[Movement]:
        """What the schedule brings from one day through another, both included.

        What happens on a day depends on the day alone, so it stays as it is while time goes on.
        """
        return [
            made(recurring.description, date, _amount(recurring, draw), recurring.description)
            for date in days_between(since, through)
            for recurring in self.schedule
            if recurring.account == account and recurring.falls_on(date)
            for draw in (self._draw(recurring, date),)
            if draw.chance(recurring.chance_percent)
        ]

    def _draw(self, recurring: Recurring, date: dt.date) -> Draw:
        labels = (recurring.account, recurring.description, date.isoformat())
        return Draw(self.username.encode()).of(*labels)


def _amount(recurring: Recurring, draw: Draw) -> float:
    permille = recurring.varies_percent * 10
    return round(recurring.amount * draw.whole(1_000 - permille, 1_000 + permille) / 1_000, 2)


@cache
def personas() -> dict[str, Persona]:
    """Every persona by its username."""
    decode = msgspec.json.Decoder(Persona).decode
    found = [decode(one.read_bytes()) for one in _FOLDER.iterdir() if one.name.endswith(".json")]
    return {persona.username: persona for persona in found}
