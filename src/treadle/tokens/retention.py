"""Deleting public and access tokens that were over long ago; processor tokens tell of themselves.

The table is gone through piece by piece in the order of its key, so no index is needed that each
new token would have to be entered in.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, delete, func, or_, select

from treadle.clock import DAY
from treadle.store.change import Change, Store
from treadle.store.statements import Query, Write
from treadle.store.tables import tokens

KEPT = 30 * DAY
_PIECE = 500


class _Over(msgspec.Struct):
    digest: bytes
    client_id: str
    kind: str
    over_at: int | None


_PIECES = Query(
    select(
        tokens.c.digest,
        tokens.c.client_id,
        tokens.c.kind,
        func.coalesce(tokens.c.ended_at, tokens.c.expires_at),
    )
    .where(tokens.c.digest > bindparam("after"))
    .order_by(tokens.c.digest)
    .limit(_PIECE),
    _Over,
)
_DELETE = Write(
    delete(tokens)
    .where(tokens.c.digest == bindparam("the_digest"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .where(or_(tokens.c.ended_at.is_not(None), tokens.c.expires_at.is_not(None)))
)


async def delete_over(store: Store, after: bytes, now: int) -> bytes | None:
    """Go through the piece that follows a digest; answers its end, unless it is the last one."""
    piece = await store.all(_PIECES, after=after)
    change = Change()
    for token in piece:
        is_over = token.over_at is not None and token.over_at < now - KEPT
        if is_over and token.kind in ("public", "access"):
            # Another process may be going through the same.
            change.write(_DELETE, rows=None, the_digest=token.digest, the_client_id=token.client_id)
    if change:
        change.heavy = True
        await store.commit(change)
    return piece[-1].digest if len(piece) == _PIECE else None
