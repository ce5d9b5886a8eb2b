"""What processor tokens are limited to, how often they were used, and answers to be given once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


def _bytes(name: str, *, key: bool = False, null: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, primary_key=key, nullable=null)


def _integer(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null, server_default=default)


def upgrade() -> None:
    op.add_column("tokens", _text("limits", null=True))
    op.add_column("tokens", _integer("calls_left", null=True))
    op.add_column("tokens", _integer("calls", default="0"))
    op.add_column("tokens", _integer("last_used_at", null=True))
    op.create_index("tokens_by_client", "tokens", ["client_id", "kind", "token_id"])
    op.add_column("clients", _integer("revocations", default="0"))
    op.create_table(
        "token_limits",
        _text("token_id", key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("client_id"),
        _text("limits"),
        _integer("created_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "idempotency",
        _text("client_id", key=True),
        _bytes("key_digest", key=True),
        _bytes("request_digest"),
        _text("pepper_id"),
        _text("item_id", null=True),
        _text("token_id", null=True),
        _bytes("answer", null=True),
        _integer("recorded_at"),
        _integer("forget_at", null=True),
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_by_time", "idempotency", ["recorded_at"])
    op.create_index("idempotency_by_item", "idempotency", ["item_id"])
    op.create_index("idempotency_to_forget", "idempotency", ["forget_at"])
