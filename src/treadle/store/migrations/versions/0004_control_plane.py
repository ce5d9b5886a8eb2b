"""The sandbox control plane: worlds of clients, faults, and recorded requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


def _integer(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def upgrade() -> None:
    op.add_column("clients", _text("world", null=True))
    op.add_column("clients", sa.Column("faults", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("clients", _text("made_by", null=True))
    op.add_column("outbox", _text("fault_id", null=True))
    op.create_table(
        "faults",
        _text("client_id", key=True),
        _text("fault_id", key=True),
        _integer("position"),
        _text("rule"),
        _integer("seen"),
        _integer("hits"),
        _integer("created_at"),
    )
    op.create_table(
        "requests",
        _text("client_id", key=True),
        _integer("answered_at", key=True),
        _text("request_id", key=True),
        _text("method"),
        _text("path"),
        _integer("status"),
        _text("error_code", null=True),
        _integer("microseconds"),
        _text("decision", null=True),
        _text("reason", null=True),
        _text("fault_id", null=True),
        _text("request", null=True),
        _text("response", null=True),
        sqlite_with_rowid=False,
    )
