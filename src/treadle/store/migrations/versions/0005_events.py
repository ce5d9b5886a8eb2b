"""What webhooks have told of an Item, who listens to its products, and when it wakes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def _flag(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def upgrade() -> None:
    op.add_column("items", sa.Column("last_webhook", sa.Text))
    op.add_column("items", sa.Column("wakes_at", sa.BigInteger))
    wakes = sa.text("wakes_at IS NOT NULL")
    op.create_index(
        "items_to_wake",
        "items",
        ["client_id", "wakes_at"],
        sqlite_where=wakes,
        postgresql_where=wakes,
    )
    # Whoever wakes too early finds out when to wake next.
    op.execute("UPDATE items SET wakes_at = created_at WHERE removed_at IS NULL")
    op.add_column("tokens", _flag("synced"))
    op.add_column("updates", _flag("synced"))
    op.add_column("updates", sa.Column("streams", sa.Text))
