"""Bank data: entries and their updates, details of accounts, and risk evaluations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


def _integer(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null, autoincrement=False)


def upgrade() -> None:
    op.add_column("items", sa.Column("login", sa.LargeBinary, nullable=True))
    _create_updates()
    _create_entries()
    op.create_table(
        "account_details",
        _text("item_id", key=True),
        _text("product", key=True),
        _text("account_id", key=True),
        _text("client_id"),
        _text("data"),
    )
    op.create_table(
        "signal_evaluations",
        _text("client_id", key=True),
        _text("client_transaction_id", key=True),
        _text("item_id"),
        _text("account_id"),
        _text("request"),
        _text("answer"),
        _text("decision", null=True),
        _text("return", null=True),
        _integer("created_at"),
    )
    op.create_index("signal_evaluations_by_item", "signal_evaluations", ["item_id"])


def _create_updates() -> None:
    op.create_table(
        "updates",
        _text("item_id", key=True),
        _text("product", key=True),
        _text("client_id"),
        _integer("started_at"),
        _integer("days_requested"),
        _integer("updated_at", null=True),
        _integer("refreshes"),
        _integer("sequence"),
        _integer("revision"),
        sqlite_with_rowid=False,
    )


def _create_entries() -> None:
    op.create_table(
        "entries",
        _text("item_id", key=True),
        _text("product", key=True),
        _text("entry_id", key=True),
        _text("client_id"),
        _text("account_id"),
        _text("source_key"),
        _text("date"),
        _integer("pending"),
        _text("data"),
        _text("original_description", null=True),
        _integer("added"),
        _integer("changed"),
        _integer("removed", null=True),
    )
    of_product = ["item_id", "product"]
    op.create_index("entries_by_change", "entries", [*of_product, "changed"])
    op.create_index("entries_by_account", "entries", [*of_product, "account_id", "changed"])
    op.create_index("entries_by_date", "entries", [*of_product, "date"])
