"""Whether keys are those that a database needs: it remembers a fingerprint of each of them.

A key is remembered from the first start at which it is no longer staged until it is retired, and
as retired from then on. So neither the keys of another database nor an old key file get in.
"""

from __future__ import annotations

import contextlib

import msgspec
from sqlalchemy import bindparam, select, update

from treadle.keys import Keys
from treadle.store import tables
from treadle.store.change import Change, GuardFailed, Record, Store
from treadle.store.statements import Query, Write

_NAME = "key_check"
_FACT = Query(select(tables.facts.c.value).where(tables.facts.c.name == bindparam("name")), str)
_INSERT_FACT = Write.insert(tables.facts)
_SET_FACT = Write(
    update(tables.facts)
    .where(tables.facts.c.name == bindparam("the_name"))
    .where(tables.facts.c.value == bindparam("seen"))
    .values(value=bindparam("value"))
)

# By id; null once the key is retired.
_Fingerprints = dict[str, str | None]


class KnownKeys(msgspec.Struct):
    """What a database knows of its keys."""

    peppers: _Fingerprints = {}
    envelope_keys: _Fingerprints = {}

    def kinds(self) -> dict[str, _Fingerprints]:
        return {"peppers": self.peppers, "envelope_keys": self.envelope_keys}


async def check_keys(store: Store, keys: Keys) -> str | None:
    """Remember keys that are new; answers why they cannot be used, or None when they can."""
    while True:
        text = await store.first(_FACT, name=_NAME)
        known = _decode(text, keys)
        problem = _problem(known, keys)
        if problem is not None:
            return f"this database was made with other keys: {problem}"
        for kind, fingerprints in known.kinds().items():
            for id_, fingerprint in keys.fingerprints[kind].items():
                if id_ not in keys.staged:
                    fingerprints.setdefault(id_, fingerprint)
        if await _keep(store, text, known):
            return None


async def retire(store: Store, keys: Keys, key_id: str, record: Record) -> None:
    """Remember that a key is gone, so that nothing new is ever made with it."""
    while True:
        text = await store.first(_FACT, name=_NAME)
        known = _decode(text, keys)
        for kind, fingerprints in known.kinds().items():
            if key_id in keys.fingerprints[kind]:
                fingerprints[key_id] = None
        if await _keep(store, text, known, record):
            return


def _decode(text: str | None, keys: Keys) -> KnownKeys:
    if text is None:
        return KnownKeys()
    if text.startswith("{"):
        return msgspec.json.decode(text, type=KnownKeys)
    # Made before several keys could be told apart: the fingerprint of the first pepper alone.
    matching = [id_ for id_, one in keys.fingerprints["peppers"].items() if one == text]
    return KnownKeys(peppers={matching[0] if matching else "it was made with": text})


def _problem(known: KnownKeys, keys: Keys) -> str | None:
    in_force = {"peppers": keys.pepper_id, "envelope_keys": keys.envelope_id}
    for kind, fingerprints in known.kinds().items():
        name = {"peppers": "pepper", "envelope_keys": "envelope key"}[kind]
        held = keys.fingerprints[kind]
        for id_, fingerprint in fingerprints.items():
            if fingerprint is not None and held.get(id_) != fingerprint:
                return (
                    f"it needs the {name} {id_}, which the keys given lack. Put the keys.json that "
                    "belongs to it into the data folder; an older one will not do"
                )
        if fingerprints.get(in_force[kind], "") is None:
            return f"its {name} {in_force[kind]} is retired, so these keys are older than it"
    return None


async def _keep(store: Store, seen: str | None, known: KnownKeys, *records: Record) -> bool:
    """Whether it is written down; another process may have been first."""
    value = msgspec.json.encode(known).decode()
    if value == seen:
        return True
    change = Change()
    if seen is None:
        change.write(_INSERT_FACT, name=_NAME, value=value)
    else:
        change.write(_SET_FACT, the_name=_NAME, seen=seen, value=value)
    for record in records:
        change.record(record)
    with contextlib.suppress(GuardFailed):
        await store.commit(change)
        return True
    return False


async def holds_key_check(store: Store) -> bool:
    """A question that every database in use answers with yes."""
    return await store.first(_FACT, name=_NAME) is not None
