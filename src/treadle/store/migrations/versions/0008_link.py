"""Link: its tokens, its sessions, and the public tokens that these made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


def _bytes(
    name: str, *, key: bool = False, null: bool = False, unique: bool | None = None
) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, primary_key=key, nullable=null, unique=unique)


def _integer(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)


def upgrade() -> None:
    op.create_table(
        "link_tokens",
        _bytes("digest", key=True),
        sa.Column("token_id", sa.Text, nullable=False, unique=True),
        _text("pepper_id"),
        _text("client_id"),
        _bytes("setup"),
        _text("item_id", null=True),
        _bytes("hosted_digest", null=True, unique=True),
        _bytes("plan", null=True),
        _integer("created_at"),
        _integer("expires_at"),
        _integer("recorded_at"),
        sqlite_with_rowid=False,
    )
    op.create_index("link_tokens_by_time", "link_tokens", ["recorded_at"])
    op.create_index("link_tokens_by_client", "link_tokens", ["client_id"])
    op.create_table(
        "link_sessions",
        _text("session_id", key=True),
        _text("client_id"),
        _text("token_id"),
        _bytes("key_digest", unique=True),
        _bytes("oauth_digest", null=True, unique=True),
        _bytes("state"),
        _integer("started_at"),
        _integer("finished_at", null=True),
        _integer("revision"),
        sqlite_with_rowid=False,
    )
    op.create_index("link_sessions_by_token", "link_sessions", ["token_id", "client_id"])
    op.create_table(
        "link_results",
        _text("session_id", key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("client_id"),
        _bytes("public_token"),
        _integer("expires_at"),
        _integer("recorded_at"),
        sqlite_with_rowid=False,
    )
    op.create_index("link_results_by_time", "link_results", ["recorded_at"])
    op.add_column("outbox", _bytes("sealed_body", null=True))
    is_sealed = sa.text("sealed_body IS NOT NULL")
    op.create_index(
        "outbox_sealed",
        "outbox",
        ["recorded_at"],
        sqlite_where=is_sealed,
        postgresql_where=is_sealed,
    )
