"""Taking away again what an older state of the database still grants.

The database remembers how far it had come in each journal. What follows is taken away again, which
does nothing where it is gone already.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, delete, func, select, update

from treadle.bank.updates import DELETE_BANK_DATA
from treadle.clients import CLIENT, MOVE_SECRET, OPERATOR, add_removal
from treadle.control.processor_token_limits import APPEND_LIMITS
from treadle.journal.file import Journal, JournalError, begin, find
from treadle.journal.withdrawals import (
    AnyWithdrawal,
    ClientRemoved,
    ItemRemoved,
    LimitsSet,
    PermissionsSet,
    SecretReplaced,
    TokensEnded,
)
from treadle.store.change import Change, Record, Store
from treadle.store.delegation_tables import token_limits
from treadle.store.statements import Query, Write
from treadle.store.tables import facts, items, permissions, tokens
from treadle.tokens.rows import APPEND_PERMISSIONS

# By the name of each journal that there ever was, how far the database has come in it.
_NAME = "journals"
_POSITIONS = Query(select(facts.c.value).where(facts.c.name == _NAME), str)
_FORGET_POSITIONS = Write(delete(facts).where(facts.c.name == bindparam("the_name")))
_INSERT_POSITIONS = Write.insert(facts)
_decode_positions = msgspec.json.Decoder(dict[str, int]).decode
# So many are taken away together.
_BATCH = 100

_at = bindparam("at", type_=BigInteger)
_END_TOKENS = {
    column.name: Write(
        update(tokens)
        .where(column == bindparam("value"))
        .where(tokens.c.client_id == bindparam("the_client_id"))
        .where(tokens.c.kind == bindparam("the_kind"))
        # What was made since then is not meant.
        .where(tokens.c.created_at < _at, tokens.c.ended_at.is_(None))
        .values(ended_at=_at)
    )
    for column in (tokens.c.token_id, tokens.c.processor, tokens.c.item_id)
}
_REMOVE_ITEM = Write(
    update(items)
    .where(items.c.item_id == bindparam("item_id"))
    .where(items.c.client_id == bindparam("client_id"))
    .where(items.c.removed_at.is_(None))
    .values(removed_at=_at, webhook=None, login=None, wakes_at=None, revision=items.c.revision + 1)
)
_SET_LIMITS = Write(
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .values(
        limits=bindparam("the_limits"),
        expires_at=bindparam("the_expiry"),
        calls_left=func.coalesce(bindparam("the_calls", type_=BigInteger), tokens.c.calls_left),
    )
)
# When the token was last narrowed, or made.
_NARROWED_AT = {
    table.name: Query(
        select(func.coalesce(func.max(table.c.created_at), func.max(tokens.c.created_at)))
        .select_from(tokens.outerjoin(table, table.c.token_id == tokens.c.token_id))
        .where(tokens.c.token_id == bindparam("token_id"))
        .where(tokens.c.client_id == bindparam("client_id")),
        lambda at: at,
    )
    for table in (permissions, token_limits)
}


async def prepare_journal(store: Store, path: Path, now: int) -> None:
    """Bring a database up to its journal before it is served, and begin the first one.

    Raises JournalError.
    """
    journal = find(path)
    if journal is None:
        if await _positions(store):
            raise JournalError(
                f"there is no {path}, and this database may lack what was revoked since it was "
                "backed up: put the file there, or run `treadle journal begin` to do without"
            )
        journal = begin(path)
    await replay(store, journal, now)


async def replay(store: Store, journal: Journal, now: int) -> int:
    """Take away what a journal holds beyond the database; answers how many there were.

    Raises JournalError when it is damaged, or not as long as the database has seen it.
    """
    start, end = (await _positions(store)).get(journal.name, 0), journal.end()
    if start > end:
        raise JournalError(f"{journal.path} was cut: this database has seen {start} bytes of it")
    withdrawals, count = journal.read(start, end), 0
    while batch := list(islice(withdrawals, _BATCH)):
        change = Change()
        change.heavy = True
        for one in batch:
            await _take_away(store, change, one)
        # They are in the journal.
        change.withdrawals.clear()
        await store.commit(change)
        count += len(batch)
    positions = {**await _positions(store), journal.name: end}
    change = Change()
    change.write(_FORGET_POSITIONS, rows=None, the_name=_NAME)
    change.write(_INSERT_POSITIONS, name=_NAME, value=msgspec.json.encode(positions).decode())
    if count:
        detail = {"journal": journal.name, "withdrawals": count}
        change.record(Record(now, OPERATOR, OPERATOR, "journal.replay", detail=detail))
    await store.commit(change)
    return count


async def _positions(store: Store) -> dict[str, int]:
    text = await store.first(_POSITIONS)
    return {} if text is None else _decode_positions(text)


async def _take_away(store: Store, change: Change, withdrawal: AnyWithdrawal) -> None:
    client_id = withdrawal.client_id
    match withdrawal:
        case TokensEnded(at=at, kind=kind, by=by, value=value):
            change.write(
                _END_TOKENS[by],
                rows=None,
                the_client_id=client_id,
                the_kind=kind,
                value=value,
                at=at,
            )
        case ItemRemoved(at=at, item_id=item_id):
            of_item = {"item_id": item_id, "client_id": client_id}
            change.write(_REMOVE_ITEM, rows=None, at=at, **of_item)
            for delete_data in DELETE_BANK_DATA:
                change.write(delete_data, rows=None, **of_item)
        case ClientRemoved(at=at):
            client = await store.first(CLIENT, client_id=client_id)
            if client is not None and client.removed_at is None:
                add_removal(change, client_id, at)
        case SecretReplaced(former=former, digest=digest, pepper_id=pepper_id):
            change.write(
                MOVE_SECRET,
                rows=None,
                the_client_id=client_id,
                seen_digest=former,
                secret_digest=digest,
                pepper_id=pepper_id,
            )
        case PermissionsSet() | LimitsSet():
            await _narrow(store, change, withdrawal)


async def _narrow(store: Store, change: Change, narrowing: PermissionsSet | LimitsSet) -> None:
    token = {"token_id": narrowing.token_id, "client_id": narrowing.client_id}
    table = permissions if isinstance(narrowing, PermissionsSet) else token_limits
    narrowed_at = await store.first(_NARROWED_AT[table.name], **token)
    if narrowed_at is None or narrowed_at >= narrowing.at:
        return
    rows: dict[str, Any] = {f"the_{name}": value for name, value in token.items()}
    if isinstance(narrowing, PermissionsSet):
        change.write(
            APPEND_PERMISSIONS,
            the_products=narrowing.products,
            the_instant=narrowing.at,
            **rows,
        )
        return
    rows["the_limits"] = narrowing.limits
    change.write(_SET_LIMITS, the_expiry=narrowing.expires_at, the_calls=narrowing.calls, **rows)
    change.write(APPEND_LIMITS, the_instant=narrowing.at, **rows)
