"""The part of the schema that Link has to itself."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from treadle.store.tables import metadata

# Link tokens: what Link is to do for one user, sealed since it holds personal data.
link_tokens = Table(
    "link_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("token_id", Text, nullable=False, unique=True),
    Column("pepper_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("setup", LargeBinary, nullable=False),
    # The Item to be repaired or changed.
    Column("item_id", Text),
    # Of the secret in the address of a page of Link's own.
    Column("hosted_digest", LargeBinary, unique=True),
    # What its sessions in a sandbox do by themselves; sealed.
    Column("plan", LargeBinary),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    # By the database's clock, which no client can set.
    Column("recorded_at", BigInteger, nullable=False),
    Index("link_tokens_by_time", "recorded_at"),
    Index("link_tokens_by_client", "client_id"),
    sqlite_with_rowid=False,
)

link_sessions = Table(
    "link_sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("token_id", Text, nullable=False),
    # Of the secrets by which a frame and a bank's page name the session.
    Column("key_digest", LargeBinary, nullable=False, unique=True),
    Column("oauth_digest", LargeBinary, unique=True),
    # Where it stands, its events and its results; sealed.
    Column("state", LargeBinary, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    # Rises with every step; one that was decided on an older state is refused.
    Column("revision", BigInteger, nullable=False),
    Index("link_sessions_by_token", "token_id", "client_id"),
    sqlite_with_rowid=False,
)

# The texts of public tokens that sessions made, kept for as long as the tokens live.
link_results = Table(
    "link_results",
    metadata,
    Column("session_id", Text, primary_key=True),
    # The place among the Items of the session.
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("public_token", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    # By the database's clock, which no client can set.
    Column("recorded_at", BigInteger, nullable=False),
    Index("link_results_by_time", "recorded_at"),
    sqlite_with_rowid=False,
)
