"""A client's world as a document: JSON that another server understands as well.

`docs/state.md` describes it. Ids are those of the API; what differs from one server to the next,
digests and what is sealed, is not in it.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from treadle.bank.liability import Liability
from treadle.bank.model import Balances, Numbers, Owner
from treadle.faults.rules import Rule
from treadle.ids import IDENTIFIER_ALPHABET
from treadle.signal.rows import Asked, Assessment, Decision, Return
from treadle.state.instants import Instant
from treadle.wire.common import (
    AccountBaseVerificationStatus,
    AccountHolderCategory,
    AccountSubtype,
    AccountType,
    Holding,
    InvestmentTransaction,
    Products,
    Security,
    Transaction,
)

# A number beyond this is none that a world comes to, and every database takes it.
_Count = Annotated[int, Meta(ge=0, le=10**12)]
_Id = Annotated[str, Meta(pattern=rf"\A[{IDENTIFIER_ALPHABET}]{{37,38}}\Z")]
_Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,64}\Z")]
_Text = Annotated[str, Meta(min_length=1, max_length=2_048)]
_Seed = Annotated[str, Meta(min_length=1, max_length=200)]


class _Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is left out has its default."""


class AccountPart(_Part, kw_only=True):
    account_id: _Id
    # Its place in what the login gives.
    position: _Count
    name: str
    official_name: str | None = None
    mask: str | None = None
    type: AccountType
    subtype: AccountSubtype | None = None
    holder_category: AccountHolderCategory | None = None
    balances: Balances
    owners: list[Owner] = []
    numbers: Numbers | None = None
    verification_status: AccountBaseVerificationStatus | None = None
    wrong_codes: _Count = 0


class _EntryPart(_Part, kw_only=True):
    # The numbers of the changes that added it and last touched it.
    added: _Count
    changed: _Count
    source_key: _Text
    original_description: str | None = None


class TransactionPart(_EntryPart, kw_only=True):
    data: Transaction

    @property
    def entry_id(self) -> str:
        return self.data.transaction_id


class InvestmentTransactionPart(_EntryPart, kw_only=True):
    data: InvestmentTransaction

    @property
    def entry_id(self) -> str:
        return self.data.investment_transaction_id


EntryPart = TransactionPart | InvestmentTransactionPart


class RemovedEntryPart(_Part, kw_only=True):
    """What is left of an entry that its bank took back."""

    entry_id: _Id
    account_id: _Id
    date: dt.date
    source_key: _Text
    added: _Count
    removed: _Count


class PortfolioPart(_Part, kw_only=True):
    holdings: list[Holding]
    # By security id.
    securities: dict[str, Security]


class _ProductPart(_Part, kw_only=True, tag_field="product"):
    """How far a product has been brought up to date, and what that brought."""

    started_at: Instant
    days_requested: Annotated[int, Meta(ge=1, le=730)]
    updated_at: Instant | None = None
    refreshes: _Count = 0
    sequence: _Count = 0
    revision: _Count = 0
    synced: bool = False


class TransactionsPart(_ProductPart, kw_only=True, tag="transactions"):
    streams: dict[_Id, str] | None = None
    entries: list[TransactionPart] = []
    removed: list[RemovedEntryPart] = []


class InvestmentsPart(_ProductPart, kw_only=True, tag="investments"):
    entries: list[InvestmentTransactionPart] = []
    removed: list[RemovedEntryPart] = []
    # By account id.
    portfolios: dict[_Id, PortfolioPart] = {}


class LiabilitiesPart(_ProductPart, kw_only=True, tag="liabilities"):
    # By account id.
    liabilities: dict[_Id, Liability] = {}


ProductPart = TransactionsPart | InvestmentsPart | LiabilitiesPart


def entries_of(product: ProductPart) -> list[EntryPart]:
    return [] if isinstance(product, LiabilitiesPart) else [*product.entries]


def removed_of(product: ProductPart) -> list[RemovedEntryPart]:
    return [] if isinstance(product, LiabilitiesPart) else product.removed


class LastWebhookPart(_Part, kw_only=True):
    sent_at: Instant
    code_sent: _Text


class ItemPart(_Part, kw_only=True):
    item_id: _Id
    # Empty for an account that is known by its numbers alone; then there is no login either.
    institution_id: str = ""
    # What the source needs to go on reading.
    login: dict[str, Any] | None = None
    webhook: str | None = None
    available_products: list[Products] = []
    billed_products: list[Products] = []
    options: dict[str, Any] = {}
    error_code: str | None = None
    login_expires_at: Instant | None = None
    created_at: Instant
    revision: _Count = 0
    last_webhook: LastWebhookPart | None = None
    wakes_at: Instant | None = None
    accounts: list[AccountPart]
    products: list[ProductPart] = []


class TokenPart(_Part, kw_only=True):
    """A token without its text, which only who was given it has."""

    token_id: _Name
    kind: Literal["public", "access", "processor"]
    item_id: _Id
    account_id: _Id | None = None
    processor: str | None = None
    webhook: str | None = None
    created_at: Instant
    expires_at: Instant | None = None
    synced: bool = False
    # What a processor token is narrowed to; null when that was never set.
    products: list[Products] | None = None
    # What it is limited to, as the database has it; null when it never was.
    limits: dict[str, Any] | None = None
    calls_left: _Count | None = None
    calls: _Count = 0
    last_used_at: Instant | None = None


class FaultPart(_Part, kw_only=True):
    fault_id: _Name
    rule: Rule
    # The token that the calls must bring it is for.
    token_id: _Name | None = None
    seen: _Count = 0
    hits: _Count = 0
    created_at: Instant


class EvaluationPart(_Part, kw_only=True):
    client_transaction_id: Annotated[str, Meta(min_length=1, max_length=36)]
    item_id: _Id
    account_id: _Id
    request: Asked
    answer: Assessment | None = None
    decision: Decision | None = None
    return_: Return | None = msgspec.field(default=None, name="return")
    created_at: Instant


class Document(_Part, kw_only=True):
    treadle_state: Literal[1]
    # Null for a clock that follows the system's and for random ids; without them, as the server.
    clock: Instant | UnsetType | None = UNSET
    seed: _Seed | UnsetType | None = UNSET
    counter: _Count = 0
    items: list[ItemPart] = []
    tokens: list[TokenPart] = []
    faults: Annotated[list[FaultPart], Meta(max_length=100)] = []
    signal_evaluations: list[EvaluationPart] = []
