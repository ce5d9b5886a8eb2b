"""The documented user, read from a data file: accounts, owners and what happens on them."""

from __future__ import annotations

from datetime import date

import msgspec

from treadle.bank.liability import Liability
from treadle.bank.model import (
    AccountData,
    Balances,
    Institution,
    Numbers,
    SourceAccount,
    SourceTransaction,
)
from treadle.sources.sandbox.cycle import Cycle
from treadle.sources.sandbox.investing import Investments
from treadle.sources.sandbox.owing import Liabilities
from treadle.sources.sandbox.user import kept_created
from treadle.sources.source import InvestmentsPicture, KnownAccount, Reading, TransactionsPicture
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
    phase: int
    mask: str
    amount: float
    description: str


class CannedUser(msgspec.Struct):
    username: str
    password: str
    accounts_: list[_Account] = msgspec.field(name="accounts")
    owners: msgspec.Raw
    cycle: Cycle[_CycleDay]
    investments_: Investments = msgspec.field(name="investments")
    liabilities_: Liabilities = msgspec.field(name="liabilities")

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
            for day, one in self.cycle.between(reading.since, reading.today)
            if (account := by_mask.get(one.mask)) is not None
        ]
        return TransactionsPicture(shown, kept_created(reading))

    def investments(self, reading: Reading) -> InvestmentsPicture:
        return self.investments_.picture(reading)

    def liabilities(self, reading: Reading) -> dict[str, Liability]:
        return self.liabilities_.by_account(reading)


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
