"""The first schema: clients, Items, accounts, tokens, permissions, audit and outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


def _integer(name: str, *, key: bool = False, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _bytes(name: str, *, key: bool = False, null: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, primary_key=key, nullable=null)


def upgrade() -> None:
    op.create_table("facts", _text("name", key=True), _text("value"))
    _create_clients_and_items()
    _create_tokens()
    _create_logs()


def _create_clients_and_items() -> None:
    op.create_table(
        "clients",
        _text("client_id", key=True),
        _text("name"),
        _bytes("secret_digest"),
        _text("pepper_id"),
        _text("processors"),
        _text("integrations", null=True),
        _bytes("stripe_key", null=True),
        _integer("counter"),
        _integer("created_at"),
        _integer("removed_at", null=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "items",
        _text("item_id", key=True),
        _text("client_id"),
        _text("institution_id"),
        _text("source"),
        _text("webhook", null=True),
        _text("available_products"),
        _text("billed_products"),
        _text("options"),
        _text("error_code", null=True),
        _integer("login_expires_at", null=True),
        _integer("created_at"),
        _integer("removed_at", null=True),
        _integer("revision"),
        sqlite_with_rowid=False,
    )
    op.create_index("items_by_client", "items", ["client_id"])
    op.create_table(
        "accounts",
        _text("item_id", key=True),
        _text("account_id", key=True),
        _text("client_id"),
        _integer("position"),
        _text("data"),
        _bytes("numbers", null=True),
    )


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        _bytes("digest", key=True),
        sa.Column("token_id", sa.Text, nullable=False, unique=True),
        _text("pepper_id"),
        _text("kind"),
        _text("client_id"),
        _text("item_id"),
        _text("account_id", null=True),
        _text("processor", null=True),
        _text("webhook", null=True),
        _integer("created_at"),
        _integer("expires_at", null=True),
        _integer("ended_at", null=True),
        sqlite_with_rowid=False,
    )
    op.create_index("tokens_by_item", "tokens", ["item_id"])
    op.create_table(
        "permissions",
        _text("token_id", key=True),
        _integer("revision", key=True),
        _text("client_id"),
        _text("products"),
        _integer("created_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stripe_tokens",
        _text("intent_id", key=True),
        _text("client_id"),
        _text("item_id"),
        _text("account_id"),
        _text("state"),
        _integer("created_at"),
        _integer("item_removed_at", null=True),
    )
    op.create_index("stripe_tokens_by_item", "stripe_tokens", ["item_id"])


def _create_logs() -> None:
    op.create_table(
        "audit",
        _text("client_id", key=True),
        _integer("sequence", key=True),
        _text("entry"),
        _bytes("hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_heads", _text("client_id", key=True), _integer("sequence"), _bytes("hash")
    )
    op.create_table(
        "outbox",
        _text("event_id", key=True),
        _text("client_id"),
        _text("item_id"),
        _text("url"),
        _text("body"),
        _text("state"),
        _integer("created_at"),
    )
    op.create_index("outbox_by_item", "outbox", ["item_id"])
