"""What each kind of sandbox user can do."""

from __future__ import annotations

from datetime import date
from typing import Protocol

import msgspec

from treadle.bank.liability import Liability
from treadle.bank.model import Institution, SourceAccount
from treadle.sources.source import InvestmentsPicture, Reading, TransactionsPicture

# Entries that a developer added stand as they are, whatever the user's own data says.
CREATED_PREFIX = "created:"


class SandboxLogin(msgspec.Struct):
    """What the sandbox keeps of a login: enough to find its user again."""

    username: str
    # Of a custom user, all that it is.
    password: str
    # Of the bank.
    country: str
    created: date


class SandboxUser(Protocol):
    def accounts(self, institution: Institution, today: date) -> list[SourceAccount]:
        """The accounts that the user sees at a bank, in a stable order."""
        ...

    def transactions(self, reading: Reading) -> TransactionsPicture: ...

    def investments(self, reading: Reading) -> InvestmentsPicture: ...

    def liabilities(self, reading: Reading) -> dict[str, Liability]:
        """What the user owes, by account id."""
        ...


def kept_created(reading: Reading) -> frozenset[str]:
    """The source keys of the known entries that a developer added."""
    return frozenset(
        one.source_key for one in reading.known if one.source_key.startswith(CREATED_PREFIX)
    )
