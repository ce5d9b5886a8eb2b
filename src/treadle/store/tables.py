"""The schema.

Only types that both drivers return alike are used: text, big integers and bytes. Instants are
microseconds since the Unix epoch; lists and objects are JSON text. Rows that belong to a client
carry its `client_id`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text

metadata = MetaData()

# One row per fact about the database itself, such as which keys it was made with.
facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("pepper_id", Text, nullable=False),
    # The processors whose tokens this client may redeem, and those it may mint for (null: all).
    Column("processors", Text, nullable=False),
    Column("integrations", Text),
    Column("stripe_key", LargeBinary),
    # Where the client's sequence of seeded ids stands.
    Column("counter", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    sqlite_with_rowid=False,
)

items = Table(
    "items",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("institution_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("webhook", Text),
    Column("available_products", Text, nullable=False),
    Column("billed_products", Text, nullable=False),
    # What the creating call asked for, such as how many days of transactions.
    Column("options", Text, nullable=False),
    Column("error_code", Text),
    Column("login_expires_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    # Rises with every change of the row; a Change that decided on an older one is refused.
    Column("revision", BigInteger, nullable=False),
    Index("items_by_client", "client_id"),
    sqlite_with_rowid=False,
)

accounts = Table(
    "accounts",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    Column("numbers", LargeBinary),
)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    # The handle by which other rows name a token without holding it.
    Column("token_id", Text, nullable=False, unique=True),
    Column("pepper_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("account_id", Text),
    Column("processor", Text),
    Column("webhook", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    # Set once: when a public token was exchanged or an access token rotated.
    Column("ended_at", BigInteger),
    Index("tokens_by_item", "item_id"),
    sqlite_with_rowid=False,
)

# Append-only: the permissions of a token in force are those of its highest revision.
permissions = Table(
    "permissions",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("products", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# An intent is written before Stripe is called, its outcome after; the token is never stored.
stripe_tokens = Table(
    "stripe_tokens",
    metadata,
    Column("intent_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("item_removed_at", BigInteger),
    Index("stripe_tokens_by_item", "item_id"),
)

# One chain per client: each entry's hash covers the one before it.
audit = Table(
    "audit",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

# Webhooks owed. What stands as "withheld" was written before delivery existed, and is never sent.
outbox = Table(
    "outbox",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("outbox_by_item", "item_id"),
)
