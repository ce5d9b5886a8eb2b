"""Bringing all that is sealed under the envelope key in force, while servers go on.

An envelope is replaced only where it still is the one that was read, a few in each Change. What is
left when the work is cut short is found the next time, since each envelope names its key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, select, tuple_, update

from treadle.key_files import KeyFileError
from treadle.keys import Keys
from treadle.rekeying.columns import SealedColumn
from treadle.rekeying.registry import REGISTRY
from treadle.store.change import Change, Store
from treadle.store.statements import Query, Write

# A server that is yet to learn of the new key seals under the old one while this goes on.
_MOST_PASSES = 10

Row = dict[str, Any]


class Rewrapped(msgspec.Struct):
    count: int = 0
    # Rows whose envelope does not open: it was moved there, damaged, or its key is gone.
    unreadable: set[str] = msgspec.field(default_factory=set)


async def rewrap(store: Store, keys: Keys, tell: Callable[[int], None]) -> Rewrapped:
    """Go through all sealed columns until a pass finds nothing to do; `tell` hears the progress."""
    done = Rewrapped()
    for _ in range(_MOST_PASSES):
        before = done.count
        for column in REGISTRY:
            await _rewrap_column(store, keys, column, done, tell)
        if done.count == before:
            break
    return done


async def _rewrap_column(
    store: Store, keys: Keys, column: SealedColumn, done: Rewrapped, tell: Callable[[int], None]
) -> None:
    if not keys.former_envelope_ids:
        return
    primary = [one.name for one in column.primary]
    write = _replace(column)
    after: Row = {}
    while rows := await _read(store, column, keys.former_envelope_ids, after):
        after = {name: rows[-1][name] for name in primary}
        change = Change()
        for row in rows:
            if column.key_id(row[column.column.name]) not in keys.former_envelope_ids:
                continue
            try:
                value = column.rewrap(keys, row)
            except KeyFileError:
                done.unreadable.add(f"{column} {' '.join(str(row[name]) for name in primary)}")
                continue
            named = {f"the_{name}": row[name] for name in row}
            # None when a server has sealed it anew meanwhile.
            change.write(write, rows=None, value=value, **named)
        await store.commit(change)
        done.count += len(change.writes)
        tell(len(change.writes))


async def _read(
    store: Store, column: SealedColumn, key_ids: tuple[str, ...], after: Row
) -> list[Row]:
    """The next rows, by their primary key, that hold something to do."""
    columns = (*column.identifying, column.column)
    statement = select(*columns).where(column.column.is_not(None), column.is_under(key_ids))
    if after:
        last = (bindparam(one.name, type_=one.type) for one in column.primary)
        statement = statement.where(tuple_(*column.primary) > tuple_(*last))
    query = Query(
        statement.order_by(*column.primary).limit(column.batch),
        lambda *values: dict(zip((one.name for one in columns), values, strict=True)),
    )
    return await store.all(query, **after)


def _replace(column: SealedColumn) -> Write:
    """Replaces an envelope by another, if it still is there."""
    known = (*column.identifying, column.column)
    return Write(
        update(column.table)
        .where(and_(*(one == bindparam(f"the_{one.name}") for one in known)))
        .values({column.column.name: bindparam("value")})
    )
