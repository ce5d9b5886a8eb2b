"""Where bank data comes from, behind one Protocol.

A source is asked for a picture of what its bank shows now. What differs from the picture before is
found in one place for all sources, `bank/updating.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Protocol

import msgspec

from treadle.bank.holding import Portfolio, SourceInvestmentTransaction
from treadle.bank.liability import Liability
from treadle.bank.model import (
    AccountData,
    Balances,
    Institution,
    SourceAccount,
    SourceTransaction,
)


class MalformedPassword(Exception):
    """A password that should describe something and does not; says in what."""


class Prompt(msgspec.Struct):
    """One thing that a bank asks."""

    label: str
    # What can be answered; anything when there are none.
    choices: list[str]


class Challenge(msgspec.Struct):
    """What a bank asks together before it lets a user in."""

    mfa_type: Literal["code", "device", "questions", "selections"]
    prompts: list[Prompt]


class Login(msgspec.Struct):
    """What a successful login gives."""

    # In a stable order: the place in it is how a source knows an account again.
    accounts: list[SourceAccount]
    # What the source needs to go on reading later; kept sealed.
    secret: bytes


class KnownAccount(msgspec.Struct):
    account_id: str
    # The place of the account in what the login gave.
    position: int
    data: AccountData
    # The source's own name for it, where it has one.
    source_key: str | None = None


class KnownEntry(msgspec.Struct):
    """An entry that earlier pictures showed."""

    entry_id: str
    account_id: str
    source_key: str
    # 1 or 0.
    pending: int
    # As the API shows it, and what its bank called it.
    data_json: str
    original_description: str | None

    @property
    def data(self) -> Any:
        return msgspec.json.decode(self.data_json)


class Reading(msgspec.Struct):
    """What a source is asked for: everything since a day, of the accounts that the Item kept."""

    secret: bytes
    accounts: list[KnownAccount]
    today: date
    # The picture covers the entries of this day and later, and those known as pending.
    since: date
    # How often a refresh was asked for, this time included.
    refreshes: int
    # What is known of the entries that the picture covers.
    known: list[KnownEntry]


class TransactionsPicture(msgspec.Struct):
    transactions: list[SourceTransaction]
    # The source keys of known entries that stand as they are.
    kept: frozenset[str] = frozenset()
    # By account id; an account that is not here keeps its balances.
    balances: dict[str, Balances] = {}


class InvestmentsPicture(msgspec.Struct):
    # By account id, for all accounts that can hold anything.
    portfolios: dict[str, Portfolio]
    transactions: list[SourceInvestmentTransaction]
    # The source keys of known transactions that stand as they are.
    kept: frozenset[str] = frozenset()


class Source(Protocol):
    # Names the source in the Items that it made.
    name: str
    # After so many days a login has to be made again; None where it holds.
    login_days: int | None
    # Of every micro-deposit, where a source only acts as if it sent them; None where none are sent.
    deposit_code: str | None

    async def institutions(self, client_id: str) -> Mapping[str, Institution]:
        """The institutions at which a client can link Items, in order, by their ids."""
        ...

    async def log_in(
        self, institution: Institution, username: str, password: str, now: int, seed: str
    ) -> Login:
        """The accounts behind a login; what a source makes up for it follows from the seed.

        Raises ApiError when the institution refuses, with the error that Link would show, and
        MalformedPassword.
        """
        ...

    async def challenge(
        self, institution: Institution, username: str, password: str, answers: list[list[str]]
    ) -> Challenge | None:
        """What the bank asks next, after rounds of answers; None once it asks no more.

        A login without a user to ask counts as answered. Raises ApiError for wrong answers, and
        MalformedPassword; whether the login is right is left to `log_in`.
        """
        ...

    def renewed(self, secret: bytes, login: Login) -> bytes:
        """What is kept from now on of a user who gave `secret` before and has logged in again.

        Raises ApiError when it is another user.
        """
        ...

    async def revived(self, institution: Institution, secret: bytes) -> Login:
        """A login that was kept by another server.

        Raises ApiError when there is no such user, and MalformedPassword when it is no login.
        """
        ...

    async def accounts(self, secret: bytes) -> list[SourceAccount] | None:
        """What a login would give now; None where that never changes."""
        ...

    async def transactions(self, reading: Reading) -> TransactionsPicture:
        """What the bank shows of the accounts' transactions."""
        ...

    async def investments(self, reading: Reading) -> InvestmentsPicture:
        """What is held in the accounts, and what was traded there."""
        ...

    async def liabilities(self, reading: Reading) -> dict[str, Liability]:
        """What is owed, by account id; accounts on which nothing is known to be are left out."""
        ...
