"""Deleting the oldest entries of chains, so that what is left can still be verified.

The deletion is itself an entry, kept in the same Change: it holds the number and the hash of the
last entry that is gone, from which the first one that is left is computed.
"""

from __future__ import annotations

from itertools import takewhile

import msgspec
from sqlalchemy import BigInteger, bindparam, delete, select

from treadle.audit.chain import Entry
from treadle.clients import OPERATOR
from treadle.store.change import Change, GuardFailed, Record, Store
from treadle.store.statements import Query, Write
from treadle.store.tables import audit, audit_heads

ACTION = "audit.trim"
# So many are deleted together; more would keep other writers waiting.
BATCH = 500

_CHAINS = Query(
    select(audit_heads.c.client_id)
    .where(audit_heads.c.client_id > bindparam("after"))
    .order_by(audit_heads.c.client_id)
    .limit(100),
    str,
)
_OLDEST = Query(
    select(audit.c.sequence, audit.c.entry, audit.c.hash)
    .where(audit.c.client_id == bindparam("client_id"))
    .order_by(audit.c.sequence)
    .limit(BATCH),
    Entry,
)
# Touches fewer rows than it must when another process was first.
_DELETE = Write(
    delete(audit)
    .where(audit.c.client_id == bindparam("the_client_id"))
    .where(audit.c.sequence <= bindparam("last", type_=BigInteger))
)


class _Dated(msgspec.Struct):
    at: int


_decode = msgspec.json.Decoder(_Dated).decode


async def chains_after(store: Store, client_id: str) -> list[str]:
    """Some chains, in order, that follow one."""
    return await store.all(_CHAINS, after=client_id)


async def trim(store: Store, client_id: str, before: int, now: int) -> bool:
    """Delete entries at the beginning of a chain that are older; whether there may be more."""
    oldest = await store.all(_OLDEST, client_id=client_id)
    old = list(takewhile(lambda entry: _decode(entry.text).at < before, oldest))
    if not old:
        return False
    last = old[-1]
    change = Change()
    change.write(_DELETE, rows=len(old), the_client_id=client_id, last=last.sequence)
    change.heavy = True
    detail = {"sequence": last.sequence, "hash": last.hash.hex()}
    change.record(Record(now, client_id, OPERATOR, ACTION, detail=detail))
    try:
        await store.commit(change)
    except GuardFailed:
        # Another process is doing the same.
        return False
    return len(old) == BATCH
