"""What the documented user owes, as it was on one day and has gone on since."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from msgspec import structs

from treadle.bank.liability import Liability
from treadle.bank.months import add_months, whole_months
from treadle.sources.source import Reading

# What comes round each month. The other dates belong to the life of a loan, which goes on by whole
# years: a loan is always as far from its end as it was.
_MONTHLY = frozenset({"last_payment_date", "last_statement_issue_date", "next_payment_due_date"})


class Liabilities(msgspec.Struct):
    # The day of which the dates tell.
    as_of: date
    # By the mask of the account.
    owed: dict[str, Liability]

    def by_account(self, reading: Reading) -> dict[str, Liability]:
        months = whole_months(self.as_of, reading.today)
        return {
            account.account_id: _moved(self.owed[account.data.mask], months)
            for account in reading.accounts
            if account.data.mask in self.owed
        }


def _moved(value: Any, months: int, name: str = "") -> Any:
    """The value of a member, its dates moved on."""
    if isinstance(value, date):
        return add_months(value, months if name in _MONTHLY else months - months % 12)
    if isinstance(value, list):
        return [_moved(one, months, name) for one in value]
    if isinstance(value, msgspec.Struct):
        members = structs.asdict(value).items()
        return structs.replace(value, **{name: _moved(one, months, name) for name, one in members})
    return value
