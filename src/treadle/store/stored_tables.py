"""The part of the schema for bank data that an operator brings.

Each row belongs to the client that brought it, and is named by the operator's own ids.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, text

from treadle.store.tables import metadata


def _keys(*names: str) -> list[Column[Any]]:
    return [
        Column(name, Text, primary_key=True) for name in ("client_id", "institution_id", *names)
    ]


stored_institutions = Table(
    "stored_institutions",
    metadata,
    *_keys(),
    Column("data", Text, nullable=False),
    sqlite_with_rowid=False,
)

stored_users = Table(
    "stored_users",
    metadata,
    *_keys("user_id"),
    # Without them nobody can log in as the user.
    Column("username", Text),
    Column("password_hash", Text),
    # How many wrong passwords came one after another, and until when no more are looked at.
    Column("failures", BigInteger, nullable=False),
    Column("locked_until", BigInteger, nullable=False),
    Index(
        "stored_users_by_username",
        "client_id",
        "institution_id",
        "username",
        unique=True,
        sqlite_where=text("username IS NOT NULL"),
        postgresql_where=text("username IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

stored_accounts = Table(
    "stored_accounts",
    metadata,
    *_keys("account_id"),
    Column("data", Text, nullable=False),
    # Sealed, bound to the row.
    Column("numbers", LargeBinary),
    Column("holdings", Text),
    Column("liability", Text),
    sqlite_with_rowid=False,
)

# Who sees an account. A row stays when that has ended, for its place in what a login gives is how
# an Item knows the account.
stored_access = Table(
    "stored_access",
    metadata,
    *_keys("user_id", "account_id"),
    Column("position", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=False),
    # With all columns, or SQLite would rather look through the whole institution.
    Index(
        "stored_access_by_account",
        "client_id",
        "institution_id",
        "account_id",
        "user_id",
        "position",
        "ended",
    ),
    sqlite_with_rowid=False,
)

# Transactions and, under another product, investment transactions.
stored_entries = Table(
    "stored_entries",
    metadata,
    *_keys("account_id", "product", "entry_key"),
    Column("date", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index("stored_entries_by_date", "client_id", "institution_id", "account_id", "product", "date"),
    sqlite_with_rowid=False,
)

stored_securities = Table(
    "stored_securities",
    metadata,
    *_keys("security_id"),
    Column("data", Text, nullable=False),
    sqlite_with_rowid=False,
)

STORED_TABLES = (
    stored_institutions,
    stored_users,
    stored_accounts,
    stored_access,
    stored_entries,
    stored_securities,
)
