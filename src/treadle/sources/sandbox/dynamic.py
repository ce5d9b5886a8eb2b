"""A user whose transactions live: each look at the bank brings a step, be it for a refresh or for
a new day of the clock.

In a step what was pending is posted, one posted amount rises by a dollar, and new transactions
are pending, as documented for `user_transactions_dynamic`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from msgspec import structs

from treadle.bank.liability import Liability
from treadle.bank.model import Balances, Institution, SourceAccount, SourceTransaction
from treadle.sources.sandbox.user import SandboxUser, kept_created
from treadle.sources.source import (
    InvestmentsPicture,
    KnownAccount,
    KnownEntry,
    Reading,
    TransactionsPicture,
)
from treadle.wire.common import AccountType

_NEW_IN_STEP = 3
_RISE = 1.00
_PURCHASES = (
    ("STARBUCKS STORE 05821", 6.45),
    ("UBER *TRIP HELP.UBER.COM", 18.20),
    ("WHOLEFDS MKT 10236", 54.37),
    ("SHELL OIL 57444212", 41.08),
    ("AMZN Mktp US*2K4LP0", 23.99),
    ("CHIPOTLE 1849", 13.60),
    ("WALGREENS #7732", 9.14),
    ("NETFLIX.COM", 15.49),
    ("TARGET 00018432", 67.25),
    ("LYFT *RIDE", 12.75),
    ("TRADER JOE S #548", 38.91),
)


class DynamicUser:
    """Begins as another user does and then lives on, beside what goes on happening to that one."""

    def __init__(self, base: SandboxUser) -> None:
        self._base = base

    def accounts(self, institution: Institution, today: dt.date) -> list[SourceAccount]:
        return self._base.accounts(institution, today)

    def transactions(self, reading: Reading) -> TransactionsPicture:
        picture = self._base.transactions(reading)
        return _Step(reading).picture(picture.transactions) if reading.known else picture

    def investments(self, reading: Reading) -> InvestmentsPicture:
        return self._base.investments(reading)

    def liabilities(self, reading: Reading) -> dict[str, Liability]:
        return self._base.liabilities(reading)


class _Step:
    """One step from what is known."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        days = [one.data["date"] for one in reading.known]
        self._first_day = dt.date.fromisoformat(min(days))
        self._last_day = dt.date.fromisoformat(max(days))

    def picture(self, history: list[SourceTransaction]) -> TransactionsPicture:
        known = self._reading.known
        raised = next((one for one in known if not one.pending), None)
        # History is older than what is known of it, when it comes after the first days.
        older = [one for one in history if one.date < self._first_day]
        later = [one for one in history if (one.authorized_date or one.date) > self._last_day]
        posted = [*later, *(self._again(one) for one in known if one.pending)]
        new = list(self._purchases())
        return TransactionsPicture(
            [*older, *posted, *new, *([_raise(raised)] if raised else ())],
            kept_created(self._reading)
            | {one.source_key for one in known if not one.pending and one is not raised},
            dict(self._balances(posted, [*later, *new], raised)),
        )

    def _again(self, pending: KnownEntry) -> SourceTransaction:
        """The posted transaction that takes the place of a pending one."""
        made = _transaction(pending)
        return structs.replace(
            made,
            source_key=f"{pending.source_key}:posted",
            pending_key=pending.source_key,
            pending=False,
            date=self._reading.today,
            authorized_date=made.date,
        )

    def _purchases(self) -> Iterator[SourceTransaction]:
        """New pending transactions, which follow from the day and the number of refreshes."""
        spending = [one for one in self._reading.accounts if _spends(one)]
        if not spending:
            return
        today, refreshes = self._reading.today, self._reading.refreshes
        first = (today.toordinal() + refreshes) * _NEW_IN_STEP
        for number in range(first, first + _NEW_IN_STEP):
            account = spending[number % len(spending)]
            description, amount = _PURCHASES[number % len(_PURCHASES)]
            yield SourceTransaction(
                source_key=f"step:{today}:{refreshes}:{number - first}",
                account_id=account.account_id,
                date=today,
                authorized_date=today,
                amount=amount,
                description=description,
                iso_currency_code=account.data.balances.iso_currency_code,
                pending=True,
            )

    def _balances(
        self,
        posted: list[SourceTransaction],
        new: list[SourceTransaction],
        raised: KnownEntry | None,
    ) -> Iterator[tuple[str, Balances]]:
        """What was posted moves the current balance, what is new the available one."""
        for account in self._reading.accounts:
            name = account.account_id
            rise = _RISE if raised is not None and raised.account_id == name else 0
            spent = sum(one.amount for one in posted if one.account_id == name)
            more = sum(one.amount for one in new if one.account_id == name)
            yield name, _moved(account, spent + rise, more + rise)


def _spends(account: KnownAccount) -> bool:
    return account.data.debitable or account.data.type is AccountType.CREDIT


def _moved(account: KnownAccount, spent: float, new: float) -> Balances:
    """The balances after money was spent, and more is about to be."""
    balances = account.data.balances
    # What is spent on credit is owed.
    sign = 1 if account.data.type is AccountType.CREDIT else -1
    current, available = balances.current, balances.available
    return structs.replace(
        balances,
        current=None if current is None else round(current + sign * spent, 2),
        available=None if available is None else round(available - new, 2),
    )


def _raise(posted: KnownEntry) -> SourceTransaction:
    transaction = _transaction(posted)
    return structs.replace(transaction, amount=round(transaction.amount + _RISE, 2))


def _transaction(known: KnownEntry) -> SourceTransaction:
    data: dict[str, Any] = known.data
    authorized = data["authorized_date"]
    return SourceTransaction(
        source_key=known.source_key,
        account_id=known.account_id,
        date=dt.date.fromisoformat(data["date"]),
        authorized_date=dt.date.fromisoformat(authorized) if authorized else None,
        amount=data["amount"],
        description=known.original_description or data["name"],
        iso_currency_code=data["iso_currency_code"],
        unofficial_currency_code=data["unofficial_currency_code"],
        pending=bool(known.pending),
    )
