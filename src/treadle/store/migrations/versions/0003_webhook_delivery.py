"""The delivery of webhooks: when each is due, what came of each attempt, and the signing keys."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


def _integer(
    name: str, *, key: bool = False, null: bool = False, default: str | None = None
) -> sa.Column[int]:
    return sa.Column(
        name,
        sa.BigInteger,
        primary_key=key,
        nullable=null,
        autoincrement=False,
        server_default=default,
    )


def upgrade() -> None:
    _extend_outbox()
    op.create_table(
        "webhook_attempts",
        _text("event_id", key=True),
        _integer("number", key=True),
        _text("client_id"),
        _text("endpoint"),
        _integer("at"),
        _integer("recorded_at"),
        _integer("accepted"),
        _integer("status", null=True),
        _text("error", null=True),
        _integer("milliseconds"),
    )
    op.create_index("webhook_attempts_by_client", "webhook_attempts", ["client_id", "recorded_at"])
    by_endpoint = ["client_id", "endpoint", "accepted", "at"]
    op.create_index("webhook_attempts_by_endpoint", "webhook_attempts", by_endpoint)
    op.create_table(
        "webhook_keys",
        _text("environment", key=True),
        _integer("generation", key=True),
        sa.Column("kid", sa.Text, nullable=False, unique=True),
        sa.Column("private_key", sa.LargeBinary, nullable=False),
        _text("x"),
        _text("y"),
        _integer("created_at"),
        _integer("expired_at", null=True),
        sqlite_with_rowid=False,
    )


def _extend_outbox() -> None:
    """The rows that are there stay withheld: none of them becomes due."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("item_id", existing_type=sa.Text(), nullable=True)
        outbox.add_column(_integer("recorded_at", null=True))
        outbox.add_column(_text("lane", null=True))
        outbox.add_column(_integer("sequence", null=True))
        outbox.add_column(_text("endpoint", null=True))
        outbox.add_column(_integer("due_at", null=True))
        outbox.add_column(_integer("attempts", default="0"))
        outbox.add_column(_text("lease", null=True))
        outbox.add_column(_integer("leased_until", default="0"))
    op.create_index("outbox_by_client", "outbox", ["client_id", "recorded_at"])
    op.create_index("outbox_by_time", "outbox", ["recorded_at"])
    pending = _where("due_at IS NOT NULL")
    op.create_index("outbox_due", "outbox", ["client_id", "endpoint", "due_at"], **pending)
    op.create_index("outbox_lanes", "outbox", ["lane", "sequence"], **pending)
    op.create_index("outbox_leases", "outbox", ["lease"], **_where("lease IS NOT NULL"))


def _where(condition: str) -> dict[str, Any]:
    return {f"{dialect}_where": sa.text(condition) for dialect in ("sqlite", "postgresql")}
