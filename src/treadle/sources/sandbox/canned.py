"""The documented user, read from a data file: accounts, owners and a cycle of transactions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from treadle.bank.model import (
    AccountData,
    Balances,
    Institution,
    Numbers,
    SourceAccount,
    SourceTransaction,
)
from treadle.sources.sandbox.user import kept_created
from treadle.sources.source import KnownAccount, Reading, TransactionsPicture
from treadle.wire.common import AccountHolderCategory, AccountSubtype, AccountType


class _Account(msgspec.Struct):
    name: str
    official_name: str | None
    mask: str
    type: AccountType
    subtype: AccountSubtype | None
    holder_category: AccountHolderCategory | None
    balances: Balances
    numbers: Numbers | None


class _CycleDay(msgspec.Struct):
    # The number of the day within the cycle.
    phase: int
    mask: str
    amount: float
    description: str


class _Cycle(msgspec.Struct):
    """Transactions that come again and again, on calendar days that are the same for every Item."""

    # Any day on which the cycle began.
    began_on: date
    days: int
    transactions: list[_CycleDay]


class CannedUser(msgspec.Struct):
    username: str
    password: str
    accounts_: list[_Account] = msgspec.field(name="accounts")
    owners: msgspec.Raw
    cycle: _Cycle

    def accounts(self, institution: Institution, today: date) -> list[SourceAccount]:
        owners = msgspec.Raw(msgspec.json.format(self.owners, indent=-1))
        return [
            SourceAccount(
                AccountData(
                    name=account.name,
                    official_name=account.official_name,
                    mask=account.mask,
                    type=account.type,
                    subtype=account.subtype,
                    holder_category=account.holder_category,
                    balances=account.balances,
                    owners_json=owners,
                ),
                account.numbers,
            )
            for account in self.accounts_
        ]

    def transactions(self, reading: Reading) -> TransactionsPicture:
        by_mask = {account.data.mask: account for account in reading.accounts}
        shown = [
            _shown(one, day, account)
            for day, one in self._between(reading.since, reading.today)
            if (account := by_mask.get(one.mask)) is not None
        ]
        return TransactionsPicture(shown, kept_created(reading))

    def _between(self, since: date, until: date) -> Iterator[tuple[date, _CycleDay]]:
        cycle = self.cycle
        day = since
        while day <= until:
            phase = (day - cycle.began_on).days % cycle.days
            yield from ((day, one) for one in cycle.transactions if one.phase == phase)
            day += timedelta(days=1)


def _shown(one: _CycleDay, day: date, account: KnownAccount) -> SourceTransaction:
    balances = account.data.balances
    return SourceTransaction(
        source_key=f"{day}:{one.mask}:{one.description}",
        account_id=account.account_id,
        date=day,
        authorized_date=day,
        amount=one.amount,
        description=one.description,
        iso_currency_code=balances.iso_currency_code,
        unofficial_currency_code=balances.unofficial_currency_code,
    )
