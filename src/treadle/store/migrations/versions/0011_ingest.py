"""Bank data that an operator brings, and how Items hear of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True, nullable=False)


def _keys(*names: str) -> list[sa.Column[str]]:
    return [_key(name) for name in ("client_id", "institution_id", *names)]


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _where(condition: str) -> dict[str, Any]:
    return {f"{one}_where": sa.text(condition) for one in ("sqlite", "postgresql")}


def upgrade() -> None:
    _let_items_hear_of_news()
    _make_customers()
    _make_entries()


def _let_items_hear_of_news() -> None:
    op.add_column("accounts", _text("source_key", null=True))
    op.create_index(
        "accounts_by_source",
        "accounts",
        ["client_id", "source_key"],
        **_where("source_key IS NOT NULL"),
    )
    op.add_column("updates", _text("news_since", null=True))
    op.create_index(
        "updates_with_news", "updates", ["client_id"], **_where("news_since IS NOT NULL")
    )


def _make_customers() -> None:
    op.create_table("stored_institutions", *_keys(), _text("data"), sqlite_with_rowid=False)
    op.create_table(
        "stored_users",
        *_keys("user_id"),
        _text("username", null=True),
        _text("password_hash", null=True),
        _integer("failures"),
        _integer("locked_until"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "stored_users_by_username",
        "stored_users",
        ["client_id", "institution_id", "username"],
        unique=True,
        **_where("username IS NOT NULL"),
    )
    op.create_table(
        "stored_accounts",
        *_keys("account_id"),
        _text("data"),
        sa.Column("numbers", sa.LargeBinary),
        _text("holdings", null=True),
        _text("liability", null=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stored_access",
        *_keys("user_id", "account_id"),
        _integer("position"),
        _integer("ended"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "stored_access_by_account",
        "stored_access",
        ["client_id", "institution_id", "account_id", "user_id", "position", "ended"],
    )


def _make_entries() -> None:
    op.create_table(
        "stored_entries",
        *_keys("account_id", "product", "entry_key"),
        _text("date"),
        _text("data"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "stored_entries_by_date",
        "stored_entries",
        ["client_id", "institution_id", "account_id", "product", "date"],
    )
    op.create_table(
        "stored_securities", *_keys("security_id"), _text("data"), sqlite_with_rowid=False
    )
