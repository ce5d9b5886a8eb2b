"""A user whose data is described: a custom user, or a persona with the schedule it lives by."""

from __future__ import annotations

import datetime as dt

from msgspec import structs

from treadle.bank.liability import Liability
from treadle.bank.model import Balances, Institution, SourceAccount, SourceTransaction
from treadle.http.errors import FORCED
from treadle.sources.sandbox.custom.activity import account_transactions
from treadle.sources.sandbox.custom.completing import account_draw, available_balance
from treadle.sources.sandbox.custom.movement import Movement
from treadle.sources.sandbox.custom.schema import Account, CustomUser
from treadle.sources.sandbox.described_accounts import source_account
from treadle.sources.sandbox.described_investments import described_investments
from treadle.sources.sandbox.described_liabilities import described_liability
from treadle.sources.sandbox.personas import Persona
from treadle.sources.sandbox.user import kept_created
from treadle.sources.source import InvestmentsPicture, KnownAccount, Reading, TransactionsPicture

# What a positive transaction does to the current balance. Investments are worth what is held.
_SIGNS = {"depository": -1, "other": -1, "credit": 1, "loan": 1, "investment": 0}


class DescribedUser:
    """The custom user is one that `complete_user` made whole on the day of creation."""

    def __init__(self, user: CustomUser, created: dt.date, persona: Persona | None = None) -> None:
        self._user = user
        self._created = created
        self._persona = persona
        # By position, with their places in the description. The API has no type for payroll.
        self._accounts = [
            (place, account)
            for place, account in enumerate(user.override_accounts or ())
            if account.type != "payroll"
        ]

    def accounts(self, institution: Institution, today: dt.date) -> list[SourceAccount]:
        """Raises ApiError when there are none."""
        if not self._accounts:
            raise FORCED["NO_ACCOUNTS"]()
        return [
            source_account(
                account,
                self._balances(place, account, today),
                institution,
                account_draw(self._user.seed or "", place),
            )
            for place, account in self._accounts
        ]

    def transactions(self, reading: Reading) -> TransactionsPicture:
        picture = TransactionsPicture([], kept_created(reading), {})
        for known in reading.accounts:
            place, account = self._accounts[known.position]
            picture.transactions += [
                _shown(one, known, account, reading.today)
                for one in self._movements(place, reading.since, reading.today)
            ]
            picture.balances[known.account_id] = self._balances(place, account, reading.today)
        return picture

    def investments(self, reading: Reading) -> InvestmentsPicture:
        described = [(known, self._accounts[known.position][1]) for known in reading.accounts]
        return described_investments(described, self._created, reading)

    def liabilities(self, reading: Reading) -> dict[str, Liability]:
        owed = {
            known.account_id: described_liability(
                self._accounts[known.position][1], known.data, self._created, reading.today
            )
            for known in reading.accounts
        }
        return {account_id: one for account_id, one in owed.items() if one is not None}

    def _movements(self, place: int, since: dt.date, through: dt.date) -> list[Movement]:
        found = account_transactions(self._user, place, self._created, since, through)
        if self._persona is not None:
            began = self._created - dt.timedelta(days=self._persona.history_days)
            found += self._persona.transactions(place, max(since, began), through)
        return found

    def _balances(self, place: int, account: Account, today: dt.date) -> Balances:
        """The account starts with its balance, and what is posted later moves it."""
        later = self._movements(place, self._created + dt.timedelta(days=1), today)
        posted = sum(one.amount for one in later if self._created < one.posted <= today)
        pending = sum(one.amount for one in later if one.posted > today)
        current = account.starting_balance or 0
        if posted:
            current = round(current + _SIGNS[account.type or "other"] * posted, 2)
        return Balances(
            available=available_balance(
                structs.replace(account, starting_balance=current), pending
            ),
            current=current,
            limit=account.meta.limit if account.meta else None,
            iso_currency_code=account.currency,
            unofficial_currency_code=None,
        )


def _shown(
    movement: Movement, known: KnownAccount, account: Account, today: dt.date
) -> SourceTransaction:
    key = f"{known.position}:{movement.key}"
    pending_key = f"{key}:pending"
    pending = movement.posted > today
    return SourceTransaction(
        source_key=pending_key if pending else key,
        pending_key=None if pending else pending_key,
        pending=pending,
        account_id=known.account_id,
        date=movement.date if pending else movement.posted,
        authorized_date=movement.date,
        amount=movement.amount,
        description=movement.description,
        iso_currency_code=movement.currency or account.currency,
    )
