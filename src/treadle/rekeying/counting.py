"""What depends on each key: digests by their pepper, envelopes by the key that they name."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from sqlalchemy import Select, case, func, literal, or_, select

from treadle.keys import Keys, envelope_prefix
from treadle.rekeying.columns import SealedColumn
from treadle.rekeying.registry import REGISTRY
from treadle.store.change import Store
from treadle.store.link_tables import link_tokens
from treadle.store.statements import Query
from treadle.store.tables import clients, items, tokens

Row = tuple[Any, ...]


class Dependents(msgspec.Struct):
    """What would be lost without each key, by its id; under the empty id what no key here opens."""

    tokens: Counter[str]
    secrets: Counter[str]
    link_tokens: Counter[str]
    envelopes: Counter[str]

    def digests(self, key_id: str) -> int:
        return self.tokens[key_id] + self.secrets[key_id] + self.link_tokens[key_id]


async def count_dependents(store: Store, keys: Keys, now: int) -> Dependents:
    envelopes: Counter[str] = Counter()
    for column in REGISTRY:
        envelopes += await _count_envelopes(store, keys, column)
    return Dependents(
        await _count(store, _count_by(tokens.c.pepper_id, live_tokens(now))),
        await _count(store, _count_by(clients.c.pepper_id, live_secrets())),
        await _count(store, _count_by(link_tokens.c.pepper_id, live_link_tokens(now))),
        envelopes,
    )


def live_tokens(now: int) -> Select[Any]:
    unexpired = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
    return (
        select()
        .select_from(tokens.join(items, items.c.item_id == tokens.c.item_id))
        .where(tokens.c.ended_at.is_(None), unexpired, items.c.removed_at.is_(None))
    )


def live_secrets() -> Select[Any]:
    # An empty digest is that of a secret which is revoked.
    return select().where(clients.c.removed_at.is_(None), clients.c.secret_digest != b"")


def live_link_tokens(now: int) -> Select[Any]:
    return select().where(link_tokens.c.expires_at > now)


def _count_by(key_id: Any, of: Select[Any]) -> Select[Any]:
    return of.add_columns(key_id, func.count()).group_by(key_id)


async def _count(store: Store, statement: Select[Any]) -> Counter[str]:
    return Counter(dict(await store.all(Query(statement, _row))))


def _row(*values: Any) -> Row:
    return values


async def _count_envelopes(store: Store, keys: Keys, column: SealedColumn) -> Counter[str]:
    key_ids = keys.fingerprints["envelope_keys"]
    held = column.column.is_not(None)
    if column.hides_key:
        rows = await store.all(Query(select(column.column).where(held), _row))
        found = [key_id for (value,) in rows if (key_id := column.key_id(value)) is not None]
        return Counter(key_id if key_id in key_ids else "" for key_id in found)
    named = case(
        *((column.begins_with(envelope_prefix(id_)), literal(id_)) for id_ in key_ids), else_=""
    )
    labelled = select(named.label("key_id")).where(held).subquery()
    return await _count(store, _count_by(labelled.c.key_id, select()))
