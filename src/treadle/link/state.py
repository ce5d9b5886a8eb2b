"""Where a session stands: everything that is kept of it between two steps."""

from __future__ import annotations

import msgspec

from treadle.bank.model import AccountData, SourceAccount
from treadle.link.events import Log
from treadle.link.panes import Pane, Problem
from treadle.wire.common import AccountBaseVerificationStatus


class Login(msgspec.Struct, kw_only=True):
    """A login on its way: what was typed, and what it gave once the bank let it in."""

    username: str
    password: str
    # To the bank's questions, round by round.
    answers: list[list[str]] = []
    accounts: list[SourceAccount] = []
    secret: bytes = b""
    # The places of the accounts that the user shares.
    chosen: list[int] = []


class Oauth(msgspec.Struct, kw_only=True):
    """A visit to a bank's own page."""

    state_id: str
    # None while the user is there; then whether access was granted.
    granted: bool | None = None


# So many wrong codes end the verification of an account.
MOST_CODES = 3


class Deposit(msgspec.Struct):
    """A micro-deposit whose code is awaited, of an account that is there already."""

    account_id: str
    account: AccountData


class SharedAccount(msgspec.Struct):
    """An account as a page's callback and `/link/token/get` show it."""

    id: str
    name: str
    mask: str | None
    type: str
    subtype: str | None
    verification_status: AccountBaseVerificationStatus | None
    class_type: str | None


class Added(msgspec.Struct):
    """An Item that the session made or, in update mode, repaired."""

    item_id: str
    institution_id: str | None
    institution_name: str | None
    accounts: list[SharedAccount]


class Ending(msgspec.Struct):
    success: bool
    # Of an exit: the last error, and where the user left.
    error: Problem | None = None
    exit_status: str | None = None
    # The request that ended the session.
    request_id: str = ""


class State(msgspec.Struct, kw_only=True, omit_defaults=True):
    # None before the first step and after the last.
    pane: Pane | None = None
    # What is returned to from the pane that asks whether to leave.
    beneath: Pane | None = None
    # What `retry` shows again.
    retried: Pane | None = None
    institution_id: str | None = None
    institution_name: str | None = None
    exit_status: str | None = None
    login: Login | None = None
    oauth: Oauth | None = None
    # The end of the number that a code was sent to.
    phone: str | None = None
    deposit: Deposit | None = None
    # In update mode, the places of the accounts that the Item has.
    shared: list[int] = []
    # Whether the user's browser goes to a bank's page and comes back.
    redirects: bool = False
    # Whether the user is still to hear what Link is about, once an institution is chosen.
    consents_late: bool = False
    last_error: Problem | None = None
    log: Log = msgspec.field(default_factory=Log)
    added: list[Added] = []
    ending: Ending | None = None

    def forget_institution(self) -> None:
        """Begin with another institution."""
        self.institution_id = self.institution_name = None
        self.login = self.oauth = self.retried = None
