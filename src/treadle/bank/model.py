"""Institutions, accounts, numbers and owners, in the API's own words and independent of a source.

Money is in units of the currency, positive as the institution shows it.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from treadle.wire.common import (
    AccountBaseVerificationStatus,
    AccountHolderCategory,
    AccountSubtype,
    AccountType,
    CounterpartyType,
    PaymentChannel,
)


class Balances(msgspec.Struct, gc=False):
    available: float | None
    current: float | None
    limit: float | None
    iso_currency_code: str | None
    unofficial_currency_code: str | None


class Ach(msgspec.Struct, gc=False):
    account: str
    routing: str
    wire_routing: str | None = None


class Eft(msgspec.Struct, gc=False):
    account: str
    institution: str
    branch: str


class International(msgspec.Struct, gc=False):
    iban: str
    bic: str


class Bacs(msgspec.Struct, gc=False):
    account: str
    sort_code: str


class Acats(msgspec.Struct, gc=False):
    account: str
    # Of the clearing houses that the account can be reached through, in order of relevance.
    dtc_numbers: list[str]


class Aton(msgspec.Struct, gc=False):
    account: str


class Retirement401k(msgspec.Struct, gc=False):
    account: str
    # Of the employer's plan.
    plan: str


class LoanNumbers(msgspec.Struct, gc=False):
    account_number: str | None = None
    # By which a payment names the loan; often the account number.
    payment_reference_number: str | None = None


class Numbers(msgspec.Struct, gc=False, omit_defaults=True):
    """The numbers that reach an account: by network of payments or transfers, or as a loan."""

    ach: Ach | None = None
    eft: Eft | None = None
    international: International | None = None
    bacs: Bacs | None = None
    acats: Acats | None = None
    aton: Aton | None = None
    retirement_401k: Retirement401k | None = None
    loan: LoanNumbers | None = None


class PhoneNumber(msgspec.Struct, gc=False):
    data: str
    primary: bool
    type: str


class Email(msgspec.Struct, gc=False):
    data: str
    primary: bool
    type: str


class AddressData(msgspec.Struct, gc=False):
    city: str | None
    region: str | None
    street: str
    postal_code: str | None
    country: str | None


class Address(msgspec.Struct, gc=False):
    data: AddressData
    primary: bool


class Owner(msgspec.Struct):
    names: list[str]
    phone_numbers: list[PhoneNumber]
    emails: list[Email]
    addresses: list[Address]


class AccountData(msgspec.Struct):
    """An account as its source describes it, without its numbers."""

    name: str
    official_name: str | None
    mask: str | None
    type: AccountType
    subtype: AccountSubtype | None
    holder_category: AccountHolderCategory | None
    balances: Balances
    # Left as JSON until somebody asks for them, which few reads do.
    owners_json: msgspec.Raw = msgspec.field(name="owners")
    # Only of an account that is verified by micro-deposits.
    verification_status: AccountBaseVerificationStatus | None = None
    # How many codes that were not the deposit's have been tried.
    wrong_codes: int = 0

    @property
    def owners(self) -> list[Owner]:
        return _decode_owners(self.owners_json)

    @property
    def debitable(self) -> bool:
        """Whether Auth and Stripe can use the account, once it is verified."""
        return self.type is AccountType.DEPOSITORY and self.subtype in _DEBITABLE_SUBTYPES

    @property
    def verified(self) -> bool:
        """Whether the numbers are known to be the account's."""
        return self.verification_status in _VERIFIED


_DEBITABLE_SUBTYPES = frozenset(
    {AccountSubtype.CHECKING, AccountSubtype.SAVINGS, AccountSubtype.CASH_MANAGEMENT}
)
_VERIFIED = frozenset(
    {
        None,
        AccountBaseVerificationStatus.AUTOMATICALLY_VERIFIED,
        AccountBaseVerificationStatus.MANUALLY_VERIFIED,
        AccountBaseVerificationStatus.DATABASE_MATCHED,
        AccountBaseVerificationStatus.DATABASE_INSIGHTS_PASS,
        AccountBaseVerificationStatus.DATABASE_INSIGHTS_PASS_WITH_CAUTION,
    }
)
_decode_owners = msgspec.json.Decoder(list[Owner]).decode


class SourceAccount(msgspec.Struct):
    """One account as a source hands it over, to be stored."""

    data: AccountData
    numbers: Numbers | None
    # The source's own name for it, where it tells of news by it.
    source_key: str | None = None
    # It keeps its place, but nobody can share it any more.
    closed: bool = False


class NamedParty(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody whom a bank names beside the description."""

    name: str
    type: CounterpartyType
    website: str | None = None


class TransactionData(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What a bank tells of a transaction. A positive amount leaves the account."""

    # The day it was posted or, while it is pending, made.
    date: dt.date
    amount: float
    description: str
    iso_currency_code: str | None = None
    unofficial_currency_code: str | None = None
    authorized_date: dt.date | None = None
    datetime: dt.datetime | None = None
    authorized_datetime: dt.datetime | None = None
    pending: bool = False
    check_number: str | None = None
    merchant_category_code: str | None = None
    # What most banks leave to be made out from the description.
    merchant_name: str | None = None
    detailed_category: str | None = None
    counterparties: list[NamedParty] | None = None
    payment_channel: PaymentChannel | None = None


class SourceTransaction(TransactionData, kw_only=True, frozen=True):
    """A transaction of an Item's account."""

    # The source's own name for it, unique within the Item.
    source_key: str
    account_id: str
    # The source key of the pending transaction that this one took the place of.
    pending_key: str | None = None


class AuthMethods(msgspec.Struct):
    instant_auth: bool
    instant_match: bool
    automated_micro_deposits: bool
    instant_micro_deposits: bool


class AuthMetadata(msgspec.Struct):
    supported_methods: AuthMethods


class Institution(msgspec.Struct):
    institution_id: str
    name: str
    country_codes: list[str]
    oauth: bool
    routing_numbers: list[str]
    dtc_numbers: list[str]
    products: list[str]
    url: str | None
    primary_color: str | None
    supported: bool
    status: str
    auth_metadata: AuthMetadata | None
    payment_initiation_metadata: dict[str, object] | None
