"""One client's chain as it stands in the database, read from its beginning in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from sqlalchemy import bindparam, func, select, union

from treadle.store.change import AuditHead, Store
from treadle.store.statements import Query
from treadle.store.tables import audit, audit_heads

_PIECE = 1_000


class Entry(msgspec.Struct):
    sequence: int
    # The record, as JSON.
    text: str
    hash: bytes


# A chain whose head is gone, and a head whose chain is gone, count as well.
CHAINS = Query(
    select(union(select(audit.c.client_id), select(audit_heads.c.client_id)).subquery()), str
)
COUNT = Query(select(func.count()).select_from(audit), int)
HEAD = Query(
    select(audit_heads.c.sequence, audit_heads.c.hash).where(
        audit_heads.c.client_id == bindparam("client_id")
    ),
    AuditHead,
)
_ENTRIES = Query(
    select(audit.c.sequence, audit.c.entry, audit.c.hash)
    .where(audit.c.client_id == bindparam("client_id"))
    .where(audit.c.sequence > bindparam("after"))
    .order_by(audit.c.sequence)
    .limit(_PIECE),
    Entry,
)


async def entries(store: Store, client_id: str, after: int = 0) -> AsyncIterator[Entry]:
    """The entries of a chain that follow a number, in order, up to the newest."""
    while piece := await store.all(_ENTRIES, client_id=client_id, after=after):
        for entry in piece:
            yield entry
        after = piece[-1].sequence
