"""The schema.

Only types that both drivers return alike are used: text, big integers and bytes. Instants are
microseconds since the Unix epoch; lists and objects are JSON text. Rows that belong to a client
carry its `client_id`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()

_PENDING = "due_at IS NOT NULL"


def _where(condition: str) -> dict[str, Any]:
    """Makes an index hold the rows alone for which this is true."""
    return {f"{dialect}_where": text(condition) for dialect in ("sqlite", "postgresql")}


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
    # What the client of a sandbox has set for itself: its clock and its seed.
    Column("world", Text),
    # How many faults it has, so that a client without any costs no look-up.
    Column("faults", BigInteger, nullable=False, server_default="0"),
    # The client through which it was made, in a sandbox.
    Column("made_by", Text),
    # Rises when all that it has is replaced; a Change that was decided before that is refused.
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    # How often it has revoked tokens.
    Column("revocations", BigInteger, nullable=False, server_default="0"),
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
    # The latest webhook that its own receiver was owed: JSON, as `/item/get` shows it.
    Column("last_webhook", Text),
    # From when on time alone has changed something about it; null when nothing is to come.
    Column("wakes_at", BigInteger),
    Index("items_by_client", "client_id"),
    Index("items_to_wake", "client_id", "wakes_at", **_where("wakes_at IS NOT NULL")),
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
    # The source's own name for the account, where it tells of news by it.
    Column("source_key", Text),
    Index("accounts_by_source", "client_id", "source_key", **_where("source_key IS NOT NULL")),
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
    # Set once: when a public token was exchanged, an access token rotated or any was revoked.
    Column("ended_at", BigInteger),
    # 1 once a partner has asked with it for what changed among transactions.
    Column("synced", BigInteger, nullable=False, server_default="0"),
    # What a processor token is limited to: JSON, null when it never was, and the calls it has left.
    Column("limits", Text),
    Column("calls_left", BigInteger),
    # How often partners have called with it, and when they last did; written in batches.
    Column("calls", BigInteger, nullable=False, server_default="0"),
    Column("last_used_at", BigInteger),
    Index("tokens_by_item", "item_id"),
    Index("tokens_by_client", "client_id", "kind", "token_id"),
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
    # 1 once the developer has asked for what changed.
    Column("synced", BigInteger, nullable=False, server_default="0"),
    # What was last told of recurring streams, a digest by account id; null until anyone asks.
    Column("streams", Text),
    # The first day of which the source told that something is new; null until it does.
    Column("news_since", Text),
    Index("updates_with_news", "client_id", **_where("news_since IS NOT NULL")),
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
    Column("item_id", Text),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # When it was written by the database's clock, which no client can set. This and the next
    # three are null in what is withheld.
    Column("recorded_at", BigInteger),
    # Webhooks of one lane are sent one after another, in this order.
    Column("lane", Text),
    Column("sequence", BigInteger),
    # The receiver as its client knows it.
    Column("endpoint", Text),
    # From when it may be sent, by its client's clock; null once nothing is to be sent.
    Column("due_at", BigInteger),
    Column("attempts", BigInteger, nullable=False, server_default="0"),
    # Who is sending it, and until when that holds by the database's clock.
    Column("lease", Text),
    Column("leased_until", BigInteger, nullable=False, server_default="0"),
    # The fault that has put it off, reordered or withheld it.
    Column("fault_id", Text),
    # The whole of a body that holds tokens, while these live; `body` then is without them.
    Column("sealed_body", LargeBinary),
    Index("outbox_by_item", "item_id"),
    Index("outbox_by_client", "client_id", "recorded_at"),
    Index("outbox_by_time", "recorded_at"),
    Index("outbox_due", "client_id", "endpoint", "due_at", **_where(_PENDING)),
    Index("outbox_lanes", "lane", "sequence", **_where(_PENDING)),
    Index("outbox_sealed", "recorded_at", **_where("sealed_body IS NOT NULL")),
    Index("outbox_leases", "lease", **_where("lease IS NOT NULL")),
)

# Each time that a webhook was sent or could not be sent.
webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    # The receiver's status or, where there is none, why.
    Column("status", BigInteger),
    Column("error", Text),
    Column("milliseconds", BigInteger, nullable=False),
    Index("webhook_attempts_by_client", "client_id", "recorded_at"),
    Index("webhook_attempts_by_endpoint", "client_id", "endpoint", "accepted", "at"),
)

# The keys that webhooks are signed with. The one in force is that of the highest generation.
webhook_keys = Table(
    "webhook_keys",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("kid", Text, nullable=False, unique=True),
    # Sealed, bound to the row.
    Column("private_key", LargeBinary, nullable=False),
    # The public point, as a JSON Web Key has it.
    Column("x", Text, nullable=False),
    Column("y", Text, nullable=False),
    # Seconds of the wall: receivers compare them with their own clocks.
    Column("created_at", BigInteger, nullable=False),
    Column("expired_at", BigInteger),
    sqlite_with_rowid=False,
)

# What a client of a sandbox wants to go wrong with its calls and its webhooks.
faults = Table(
    "faults",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("fault_id", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("rule", Text, nullable=False),
    # How many calls or webhooks it was for, and how many of those it struck.
    Column("seen", BigInteger, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# Worlds of sandbox clients as they were, to be put back; each is for the schema it was made by.
snapshots = Table(
    "snapshots",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("schema", Text, nullable=False),
    Column("item_count", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    # Compressed and sealed.
    Column("contents", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# The last requests of each client of a sandbox and their answers, with all secrets masked.
requests = Table(
    "requests",
    metadata,
    Column("client_id", Text, primary_key=True),
    # The instant of the wall, for this tells what happened when, whatever the client's clock says.
    Column("answered_at", BigInteger, primary_key=True, autoincrement=False),
    Column("request_id", Text, primary_key=True),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("status", BigInteger, nullable=False),
    Column("error_code", Text),
    Column("microseconds", BigInteger, nullable=False),
    Column("decision", Text),
    Column("reason", Text),
    Column("fault_id", Text),
    Column("request", Text),
    Column("response", Text),
    sqlite_with_rowid=False,
)
