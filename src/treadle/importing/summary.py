"""What a file holds, account by account, for its user to compare with the statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from treadle.importing.statement import (
    Entry,
    StatementAccount,
    StatementHolding,
    StatementSecurity,
    StatementTrade,
    StatementTransaction,
)


class AccountSummary(msgspec.Struct):
    account: StatementAccount
    transactions: int = 0
    pending: int = 0
    removals: int = 0
    trades: int = 0
    holdings: int = 0
    # Of transactions and trades.
    first: dt.date | None = None
    last: dt.date | None = None
    # Of transactions in the currency of the account.
    paid_in: Decimal = Decimal(0)
    paid_out: Decimal = Decimal(0)

    def _note_day(self, day: dt.date) -> None:
        self.first = min(self.first or day, day)
        self.last = max(self.last or day, day)

    def note(self, entry: Entry) -> None:
        if isinstance(entry, StatementTransaction):
            self.transactions += 1
            self.pending += entry.pending
            self._note_day(entry.date)
            if entry.currency == self.account.currency:
                self.paid_out += max(entry.amount, Decimal(0))
                self.paid_in -= min(entry.amount, Decimal(0))
        elif isinstance(entry, StatementTrade):
            self.trades += 1
            self._note_day(entry.date)
        elif isinstance(entry, StatementHolding):
            self.holdings += 1
        else:
            self.removals += 1


def summarize(entries: Iterable[Entry]) -> list[AccountSummary]:
    """Reads to the end, and so says of every file whether it can be read at all."""
    found: dict[str, AccountSummary] = {}
    for entry in entries:
        if isinstance(entry, StatementSecurity):
            continue
        if isinstance(entry, StatementAccount):
            known = found.setdefault(entry.key, AccountSummary(entry))
            # A later statement on the account tells newer balances.
            known.account = entry
        else:
            found[entry.account].note(entry)
    return list(found.values())
