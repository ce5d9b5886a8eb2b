"""What a Change takes away, as the journal keeps it.

Each says all that is needed to take it away again from an older state of the database, and does
nothing to a newer one.
"""

from __future__ import annotations

import msgspec


class Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    client_id: str


class TokensEnded(Withdrawal, tag="tokens"):
    """All tokens of a kind that were made before then and have something in common."""

    at: int
    kind: str
    # The name of a column.
    by: str
    value: str


class ItemRemoved(Withdrawal, tag="item"):
    at: int
    item_id: str


class ClientRemoved(Withdrawal, tag="client"):
    at: int


class SecretReplaced(Withdrawal, tag="secret"):
    """The digest of a client's secret by another; an empty one is that of no secret."""

    former: bytes
    digest: bytes
    pepper_id: str


class PermissionsSet(Withdrawal, tag="permissions"):
    at: int
    token_id: str
    products: str


class LimitsSet(Withdrawal, tag="limits"):
    at: int
    token_id: str
    limits: str
    expires_at: int | None
    calls: int | None


AnyWithdrawal = (
    TokensEnded | ItemRemoved | ClientRemoved | SecretReplaced | PermissionsSet | LimitsSet
)
