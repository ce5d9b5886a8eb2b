"""The part of the schema that delegation has beside the tokens themselves."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from treadle.store.tables import metadata

# Append-only: what a token was limited to at each time. What is in force stands with the token.
token_limits = Table(
    "token_limits",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("limits", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# One row per idempotency key that has made something, so that it never makes another one.
idempotency = Table(
    "idempotency",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("key_digest", LargeBinary, primary_key=True),
    # Of what was asked, under the pepper that is named, for it may hold what can be guessed.
    Column("request_digest", LargeBinary, nullable=False),
    Column("pepper_id", Text, nullable=False),
    # What was made, and with whose end the answer is forgotten.
    Column("item_id", Text),
    Column("token_id", Text),
    # Sealed, for it holds tokens; null once it is forgotten.
    Column("answer", LargeBinary),
    # By the database's clock, which no client can set. The last is null once there is no answer.
    Column("recorded_at", BigInteger, nullable=False),
    Column("forget_at", BigInteger),
    Index("idempotency_by_time", "recorded_at"),
    Index("idempotency_by_item", "item_id"),
    Index("idempotency_to_forget", "forget_at"),
    sqlite_with_rowid=False,
)
