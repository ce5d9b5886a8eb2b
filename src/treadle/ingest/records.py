"""The records in which an operator brings bank data, one JSON object to a line.

Each is whole: what it says of its subject replaces what was said before, so a record that is sent
again changes nothing. Subjects are named by the operator's own ids: users, accounts and securities
within an institution, transactions within an account. Members have the API's names and meaning.

Money is a `Decimal`: a JSON number or a string, of at most fifteen significant digits. So many
survive the double in which every client of the API reads a JSON number.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from treadle.bank.liability import Liability
from treadle.bank.model import Numbers
from treadle.wire.common import (
    AccountHolderCategory,
    AccountSubtype,
    AccountType,
    CounterpartyType,
    CountryCode,
    EmailType,
    InvestmentTransactionSubtype,
    InvestmentTransactionType,
    PaymentChannel,
    PhoneNumberType,
    Products,
)

MAX_LINE_BYTES = 1_048_576

# NUL is the one character that not every database keeps.
Id = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Meta(min_length=1, max_length=4_000, pattern=r"^[^\x00]+$")]
# As long as the texts of a statement together may be.
Description = Annotated[str, Meta(min_length=1, max_length=12_000, pattern=r"^[^\x00]+$")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
# Of a currency that ISO 4217 does not have, such as points or a cryptocurrency.
UnofficialCurrency = Annotated[str, Meta(min_length=1, max_length=20)]
MerchantCategoryCode = Annotated[str, Meta(pattern=r"^[0-9]{4}$")]
# The hash of a password in PHC format, as scrypt makes it.
PasswordHash = Annotated[str, Meta(max_length=300, pattern=r"^\$scrypt\$")]


class Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Something that stands within a record."""


class Record(
    msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="record"
):
    """One line. Its `record` says of what kind it is."""

    # Chosen by the operator, and of its own institutions alone.
    institution_id: Id


class Institution(Record, tag="institution"):
    name: Text
    country_codes: Annotated[list[CountryCode], Meta(min_length=1)]
    products: Annotated[list[Products], Meta(min_length=1)]
    url: Text | None = None
    # As `#RRGGBB`.
    primary_color: Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None
    routing_numbers: list[Text] = []
    dtc_numbers: list[Text] = []


class User(Record, tag="user"):
    """Somebody with accounts. Without a username nobody can log in as them through Link."""

    user_id: Id
    username: Text | None = None
    password_hash: PasswordHash | None = None


class Balances(Part):
    available: Decimal | None = None
    current: Decimal | None = None
    limit: Decimal | None = None
    iso_currency_code: Currency | None = None
    unofficial_currency_code: UnofficialCurrency | None = None


class PhoneNumber(Part):
    data: Text
    type: PhoneNumberType = PhoneNumberType.OTHER
    primary: bool = False


class Email(Part):
    data: Text
    type: EmailType = EmailType.OTHER
    primary: bool = False


class AddressData(Part):
    street: Text
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None


class Address(Part):
    data: AddressData
    primary: bool = False


class Owner(Part):
    """A person or a business that an account belongs to; all that is known of them."""

    names: Annotated[list[Text], Meta(min_length=1)]
    phone_numbers: list[PhoneNumber] = []
    emails: list[Email] = []
    addresses: list[Address] = []


class Account(Record, tag="account"):
    """An account. Members that are absent and may be stay as they are."""

    account_id: Id
    # Those who see it when they log in.
    user_ids: Annotated[list[Id], Meta(min_length=1, max_length=100)]
    name: Text
    type: AccountType
    subtype: AccountSubtype | None = None
    official_name: Text | None = None
    # The last two to four letters or digits of its number.
    mask: Annotated[str, Meta(min_length=2, max_length=4)] | None = None
    holder_category: AccountHolderCategory | None = None
    balances: Balances | UnsetType = UNSET
    # Kept sealed. None when it has none.
    numbers: Numbers | UnsetType | None = UNSET
    owners: list[Owner] | UnsetType = UNSET


class AccountBalances(Record, tag="balances"):
    """The balances of an account that was brought before."""

    account_id: Id
    balances: Balances


class AccountOwners(Record, tag="owners"):
    """The owners of an account that was brought before."""

    account_id: Id
    owners: list[Owner]


class Counterparty(Part):
    name: Text
    type: CounterpartyType
    website: Text | None = None


class Category(Part):
    # Such as `FOOD_AND_DRINK_COFFEE`; its primary category follows from it.
    detailed: Text


class Transaction(Record, tag="transaction"):
    """A transaction of an account.

    What an operator does not tell of the last members is made out from the description.
    """

    account_id: Id
    # The bank's own id, unique within the account.
    transaction_id: Id
    # The day it was posted or, while it is pending, made.
    date: dt.date
    # Positive when money leaves the account, as everywhere in the API.
    amount: Decimal
    # As it stands on the statement.
    description: Description
    # That of the account's balances where neither is given.
    iso_currency_code: Currency | None = None
    unofficial_currency_code: UnofficialCurrency | None = None
    authorized_date: dt.date | None = None
    # With an offset from UTC.
    datetime: Annotated[dt.datetime, Meta(tz=True)] | None = None
    authorized_datetime: Annotated[dt.datetime, Meta(tz=True)] | None = None
    pending: bool = False
    # Of the pending transaction that this one takes the place of, which then is no more.
    pending_transaction_id: Id | None = None
    check_number: Text | None = None
    merchant_category_code: MerchantCategoryCode | None = None
    merchant_name: Text | None = None
    personal_finance_category: Category | None = None
    counterparties: Annotated[list[Counterparty], Meta(max_length=10)] | None = None
    payment_channel: PaymentChannel | None = None


class Security(Record, tag="security"):
    """Something that can be held, known to all accounts of its institution."""

    security_id: Id
    name: Text | None = None
    # One of the API's, such as `equity`, `etf`, `mutual fund`, `cash`.
    type: Text | None = None
    subtype: Text | None = None
    ticker_symbol: Text | None = None
    is_cash_equivalent: bool | None = None
    close_price: Decimal | None = None
    close_price_as_of: dt.date | None = None
    iso_currency_code: Currency | None = None
    unofficial_currency_code: UnofficialCurrency | None = None
    isin: Text | None = None
    cusip: Text | None = None
    sedol: Text | None = None
    figi: Text | None = None
    cfi_code: Text | None = None
    market_identifier_code: Text | None = None
    sector: Text | None = None
    industry: Text | None = None


class Holding(Part):
    security_id: Id
    quantity: Decimal
    institution_price: Decimal
    institution_value: Decimal
    institution_price_as_of: dt.date | None = None
    cost_basis: Decimal | None = None
    vested_quantity: Decimal | None = None
    vested_value: Decimal | None = None
    iso_currency_code: Currency | None = None
    unofficial_currency_code: UnofficialCurrency | None = None


class Holdings(Record, tag="holdings"):
    """All that is held in an account; what is no longer listed was sold."""

    account_id: Id
    holdings: Annotated[list[Holding], Meta(max_length=5_000)]


class InvestmentTransaction(Record, tag="investment_transaction"):
    account_id: Id
    investment_transaction_id: Id
    date: dt.date
    name: Text
    # Positive when cash leaves the account.
    amount: Decimal
    type: InvestmentTransactionType
    subtype: InvestmentTransactionSubtype
    # Positive where units come in, negative where they go.
    quantity: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    fees: Decimal | None = None
    security_id: Id | None = None
    iso_currency_code: Currency | None = None
    unofficial_currency_code: UnofficialCurrency | None = None


class AccountLiability(Record, tag="liability"):
    """What is owed on an account; its `type` is the API's name of the list it stands in."""

    account_id: Id
    liability: Liability


class DeleteUser(Record, tag="delete_user"):
    """Their login; accounts of which nobody is left who sees them go too."""

    user_id: Id


class DeleteAccount(Record, tag="delete_account"):
    """An account with all that belongs to it."""

    account_id: Id


class DeleteTransaction(Record, tag="delete_transaction"):
    account_id: Id
    transaction_id: Id


class DeleteInvestmentTransaction(Record, tag="delete_investment_transaction"):
    account_id: Id
    investment_transaction_id: Id


class DeleteLiability(Record, tag="delete_liability"):
    account_id: Id


AnyRecord = (
    Institution
    | User
    | Account
    | AccountBalances
    | AccountOwners
    | Transaction
    | Security
    | Holdings
    | InvestmentTransaction
    | AccountLiability
    | DeleteUser
    | DeleteAccount
    | DeleteTransaction
    | DeleteInvestmentTransaction
    | DeleteLiability
)
