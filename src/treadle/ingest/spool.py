"""The records of a file between its reading and its keeping.

A file is read to its end before anything of it is kept, so that a faulty one leaves no trace. What
was read waits in temporary files without names, since a large file does not fit into memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from struct import Struct
from tempfile import TemporaryFile
from typing import BinaryIO

import msgspec

from treadle.importing.statement import (
    Entry,
    StatementAccount,
    StatementHolding,
    StatementRemoval,
    StatementSecurity,
    StatementTrade,
    StatementTransaction,
)
from treadle.ingest.described import Describer, rounded
from treadle.ingest.records import Account, Holding, Holdings, Security

# Of a line's key so many bytes decide where it stands; more would tell few apart.
_KEY_BYTES = 12
_LINES_AT_ONCE = 1_000
_PLACE = Struct(">QI")


class Beginning(msgspec.Struct):
    """What stands before the entries: few records, known when all has been read."""

    accounts: list[Account] = []
    securities: list[Security] = []
    holdings: list[Holdings] = []
    # By account id: the last day with an entry, and the pending transactions that are shown.
    until: dict[str, str] = {}
    pending: dict[str, list[str]] = {}
    entries: int = 0


class Spool:
    """Writes what a file tells: its entries as lines, and the beginning once all is read.

    Lines stand in the order of their keys, which are digests: side by side in the database, so
    that each of its pages is written once and not whenever the file comes by.
    """

    def __init__(self, describer: Describer, entries: BinaryIO) -> None:
        self._describer = describer
        self._file = entries
        # In the order of the file, and for each line its key, where it begins and its length.
        self._unsorted = TemporaryFile()  # noqa: SIM115, closed when all is read
        self._places: list[bytes] = []
        self._size = 0
        self._lines: list[bytes] = []
        self._encode = msgspec.json.Encoder().encode
        # By the keys of accounts and securities. A later telling of an account has newer balances.
        self._accounts: dict[str, StatementAccount] = {}
        self._securities: dict[str, Security] = {}
        self._held: dict[str, dict[str, Holding]] = {}
        self._beginning = Beginning()

    def read(self, told: Iterable[Entry]) -> Beginning:
        """Raises FileRefused for a faulty file."""
        for entry in told:
            if isinstance(entry, StatementTransaction):
                self._add_transaction(entry)
            else:
                self._add_other(entry)
        self._write()
        self._sort()
        describer, beginning = self._describer, self._beginning
        beginning.accounts = [describer.account(one) for one in self._accounts.values()]
        beginning.securities = list(self._securities.values())
        beginning.holdings = [
            describer.holdings(account, [*held.values()]) for account, held in self._held.items()
        ]
        return beginning

    def _add_transaction(self, told: StatementTransaction) -> None:
        record = self._describer.transaction(told)
        self._note_day(record.account_id, told.date.isoformat())
        if told.pending:
            shown = self._beginning.pending.setdefault(record.account_id, [])
            shown.append(record.transaction_id)
        self._add(told.key, self._encode(record))

    def _add_other(self, told: Entry) -> None:
        describer = self._describer
        if isinstance(told, StatementAccount):
            self._accounts[told.key] = told
        elif isinstance(told, StatementSecurity):
            self._securities[told.key] = describer.security(told)
        elif isinstance(told, StatementHolding):
            self._add_holding(told.account, describer.holding(told))
        elif isinstance(told, StatementRemoval):
            self._add(told.key, self._encode(describer.removal(told)))
        elif isinstance(told, StatementTrade):
            record = describer.trade(told)
            self._note_day(record.account_id, told.date.isoformat())
            self._add(told.key, self._encode(record))

    def _add_holding(self, account: str, told: Holding) -> None:
        """Lots of one security are one holding."""
        held = self._held.setdefault(account, {})
        if known := held.get(told.security_id):
            told.quantity = rounded(told.quantity + known.quantity)
            told.institution_value = rounded(told.institution_value + known.institution_value)
        held[told.security_id] = told

    def _note_day(self, account_id: str, day: str) -> None:
        until = self._beginning.until
        if day > until.get(account_id, ""):
            until[account_id] = day

    def _add(self, key: str, line: bytes) -> None:
        line += b"\n"
        self._places.append(key.encode()[:_KEY_BYTES] + _PLACE.pack(self._size, len(line)))
        self._size += len(line)
        self._lines.append(line)
        self._beginning.entries += 1
        if len(self._lines) == _LINES_AT_ONCE:
            self._write()

    def _write(self) -> None:
        self._unsorted.write(b"".join(self._lines))
        self._lines.clear()

    def _sort(self) -> None:
        """A key that was taken back and told again keeps its order, for its place is a part."""
        self._unsorted.flush()
        self._places.sort()
        for place in self._places:
            start, length = _PLACE.unpack(place[-_PLACE.size :])
            self._file.write(os.pread(self._unsorted.fileno(), length, start))
        self._file.flush()
        self._unsorted.close()
        self._places.clear()
