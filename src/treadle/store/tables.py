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
    # What the source needs to go on reading for this Item; sealed, for it may hold account numbers.
    Column("login", LargeBinary),
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

# How far a product of an Item has been brought up to date with its source.
updates = Table(
    "updates",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("product", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    # When the product was first asked for, and for how many days into the past.
    Column("started_at", BigInteger, nullable=False),
    Column("days_requested", BigInteger, nullable=False),
    # The instant of the source's last answer; null until it has given one.
    Column("updated_at", BigInteger),
    # How often a refresh was asked for.
    Column("refreshes", BigInteger, nullable=False),
    # The number of the last change to the product's entries.
    Column("sequence", BigInteger, nullable=False),
    # Rises with every change of the row; a Change that decided on an older one is refused.
    Column("revision", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The dated entries of accounts: transactions and, under another product, investment transactions.
# An entry that its bank took back stays, without its data, so that a reader can be told.
entries = Table(
    "entries",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("product", Text, primary_key=True),
    Column("entry_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    # The source's own name for the entry, by which it is known again.
    Column("source_key", Text, nullable=False),
    Column("date", Text, nullable=False),
    # 1 while the bank may still replace it by another entry.
    Column("pending", BigInteger, nullable=False),
    # The entry as the API shows it by default, and what it shows only when asked.
    Column("data", Text, nullable=False),
    Column("original_description", Text),
    # The numbers of the changes that added it, last touched it and removed it.
    Column("added", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("removed", BigInteger),
    Index("entries_by_change", "item_id", "product", "changed"),
    Index("entries_by_account", "item_id", "product", "account_id", "changed"),
    Index("entries_by_date", "item_id", "product", "date"),
)

# What a product knows of an account beyond the account itself: holdings, or a liability.
account_details = Table(
    "account_details",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("product", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("data", Text, nullable=False),
)

# Risk evaluations by the client that asked, with what it reported of them later.
signal_evaluations = Table(
    "signal_evaluations",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("client_transaction_id", Text, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    # What was asked and answered, then the reports: JSON, each null until it is there.
    Column("request", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("decision", Text),
    Column("return", Text),
    Column("created_at", BigInteger, nullable=False),
    Index("signal_evaluations_by_item", "item_id"),
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
