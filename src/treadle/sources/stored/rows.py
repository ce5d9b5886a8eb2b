"""What an operator brought, as it is stored, and the queries that read it for Items."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import msgspec
from sqlalchemy import ColumnElement, Table, and_, bindparam, select, update

from treadle.bank.holding import Holding, Security
from treadle.bank.model import Institution, TransactionData
from treadle.store.columns import is_named_in
from treadle.store.statements import Query, Write
from treadle.store.stored_tables import (
    stored_access,
    stored_accounts,
    stored_entries,
    stored_institutions,
    stored_securities,
    stored_users,
)
from treadle.wire.common import InvestmentTransactionSubtype, InvestmentTransactionType


class StoredInstitution(Institution):
    # The client that brought it.
    client_id: str


class StoredUser(msgspec.Struct):
    user_id: str
    password_hash: str | None
    failures: int
    locked_until: int


class StoredAccount(msgspec.Struct):
    """A place in what a user's login gives. An account that is gone has no data."""

    account_id: str
    ended: int
    data_json: str | None
    sealed_numbers: bytes | None


class StoredEntry(msgspec.Struct):
    account_id: str
    entry_key: str
    data_json: str


class StoredDetails(msgspec.Struct):
    account_id: str
    holdings_json: str | None
    liability_json: str | None


class StoredTransaction(TransactionData, kw_only=True, frozen=True):
    """A transaction but for its keys."""

    # Of the pending transaction that it took the place of.
    pending_transaction_id: str | None = None


class StoredInvestmentTransaction(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    date: dt.date
    name: str
    type: InvestmentTransactionType
    subtype: InvestmentTransactionSubtype
    amount: float
    quantity: float = 0
    price: float = 0
    fees: float | None = None
    security_id: str | None = None
    iso_currency_code: str | None = None
    unofficial_currency_code: str | None = None


decode_transaction = msgspec.json.Decoder(StoredTransaction).decode
decode_investment_transaction = msgspec.json.Decoder(StoredInvestmentTransaction).decode
decode_holdings = msgspec.json.Decoder(list[Holding]).decode
_decode_institution = msgspec.json.Decoder(StoredInstitution).decode


@lru_cache(maxsize=1024)
def decode_institution(data_json: str) -> StoredInstitution:
    return _decode_institution(data_json)


def numbers_place(client_id: str, institution_id: str, account_id: str) -> str:
    """What binds an account's sealed numbers to their row."""
    row = msgspec.json.encode([client_id, institution_id, account_id]).decode()
    return f"stored_accounts/numbers/{row}"


def of_institution(table: Table) -> ColumnElement[bool]:
    """The rows that a client brought of an institution."""
    return and_(
        table.c.client_id == bindparam("client_id"),
        table.c.institution_id == bindparam("institution_id"),
    )


INSTITUTIONS = Query(
    select(stored_institutions.c.data)
    .where(stored_institutions.c.client_id == bindparam("client_id"))
    .order_by(stored_institutions.c.institution_id),
    decode_institution,
)

_USER_COLUMNS = (
    stored_users.c.user_id,
    stored_users.c.password_hash,
    stored_users.c.failures,
    stored_users.c.locked_until,
)
USER = Query(
    select(*_USER_COLUMNS)
    .where(of_institution(stored_users))
    .where(stored_users.c.user_id == bindparam("user_id")),
    StoredUser,
)
USER_NAMED = Query(
    select(*_USER_COLUMNS)
    .where(of_institution(stored_users))
    .where(stored_users.c.username == bindparam("username")),
    StoredUser,
)
# Touches no row once another attempt came first.
COUNT_FAILURE = Write(
    update(stored_users)
    .where(stored_users.c.client_id == bindparam("the_client_id"))
    .where(stored_users.c.institution_id == bindparam("the_institution_id"))
    .where(stored_users.c.user_id == bindparam("the_user_id"))
    .where(stored_users.c.failures == bindparam("seen_failures"))
    .values(failures=bindparam("failures"), locked_until=bindparam("locked_until"))
)

ACCOUNTS_OF_USER = Query(
    select(
        stored_access.c.account_id,
        stored_access.c.ended,
        stored_accounts.c.data,
        stored_accounts.c.numbers,
    )
    .select_from(
        stored_access.outerjoin(
            stored_accounts,
            and_(
                stored_accounts.c.client_id == stored_access.c.client_id,
                stored_accounts.c.institution_id == stored_access.c.institution_id,
                stored_accounts.c.account_id == stored_access.c.account_id,
            ),
        )
    )
    .where(of_institution(stored_access))
    .where(stored_access.c.user_id == bindparam("user_id"))
    .order_by(stored_access.c.position, stored_access.c.account_id),
    StoredAccount,
)

_of_account = (
    of_institution(stored_entries),
    stored_entries.c.account_id == bindparam("account_id"),
    stored_entries.c.product == bindparam("product"),
)
_ENTRY_COLUMNS = (
    stored_entries.c.account_id,
    stored_entries.c.entry_key,
    stored_entries.c.data,
)
ENTRIES_SINCE = Query(
    select(*_ENTRY_COLUMNS)
    .where(*_of_account)
    .where(stored_entries.c.date >= bindparam("since"))
    .order_by(stored_entries.c.date, stored_entries.c.entry_key),
    StoredEntry,
)
ENTRIES_NAMED = Query(
    select(*_ENTRY_COLUMNS)
    .where(*_of_account)
    .where(is_named_in(stored_entries.c.entry_key, bindparam("entry_keys"))),
    StoredEntry,
)

DETAILS = Query(
    select(stored_accounts.c.account_id, stored_accounts.c.holdings, stored_accounts.c.liability)
    .where(of_institution(stored_accounts))
    .where(is_named_in(stored_accounts.c.account_id, bindparam("account_ids"))),
    StoredDetails,
)
SECURITIES = Query(
    select(stored_securities.c.data)
    .where(of_institution(stored_securities))
    .where(is_named_in(stored_securities.c.security_id, bindparam("security_ids")))
    .order_by(stored_securities.c.security_id),
    msgspec.json.Decoder(Security).decode,
)
