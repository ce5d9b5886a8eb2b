"""Reading the files beside the tests."""

from __future__ import annotations

import io
from pathlib import Path

from treadle.importing.csv_mapping import Mapping
from treadle.importing.detecting import read_file
from treadle.importing.statement import (
    Entry,
    StatementAccount,
    StatementHolding,
    StatementSecurity,
    StatementTrade,
    StatementTransaction,
)

FILES = Path(__file__).parent / "files"
BANK_MAPPING = Mapping(
    date="Posting Date",
    date_format="MM/DD/YYYY",
    description=["Description"],
    amount="Amount",
    balance="Balance",
    currency_code="USD",
)


class Read:
    """The entries of a file, by kind."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.accounts = {one.key: one for one in entries if isinstance(one, StatementAccount)}
        self.transactions = [one for one in entries if isinstance(one, StatementTransaction)]
        self.securities = {one.key: one for one in entries if isinstance(one, StatementSecurity)}
        self.holdings = [one for one in entries if isinstance(one, StatementHolding)]
        self.trades = [one for one in entries if isinstance(one, StatementTrade)]

    @property
    def moves(self) -> list[StatementTransaction | StatementTrade]:
        return [*self.transactions, *self.trades]

    @property
    def account(self) -> StatementAccount:
        (only,) = self.accounts.values()
        return only


def read_bytes(content: bytes, mapping: Mapping | None = None) -> Read:
    return Read(list(read_file(io.BytesIO(content), mapping)))


def read(name: str, mapping: Mapping | None = None) -> Read:
    return read_bytes((FILES / name).read_bytes(), mapping)
