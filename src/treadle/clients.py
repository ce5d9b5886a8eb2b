"""Clients: who may call, as whom, and for which processors."""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, delete, select, update

from treadle.keys import Keys
from treadle.store.change import Change, Record, Store
from treadle.store.columns import decode_names
from treadle.store.statements import Query, Write
from treadle.store.tables import (
    account_details,
    accounts,
    clients,
    entries,
    items,
    signal_evaluations,
    stripe_tokens,
    updates,
)


class Client(msgspec.Struct):
    client_id: str
    name: str
    secret_digest: bytes
    pepper_id: str
    processors_json: str
    integrations_json: str | None
    stripe_key: bytes | None
    counter: int
    created_at: int
    removed_at: int | None

    @property
    def processors(self) -> tuple[str, ...]:
        """The processors whose tokens this client redeems as a partner."""
        return decode_names(self.processors_json)

    @property
    def integrations(self) -> tuple[str, ...] | None:
        """The processors this client may mint for; None for all."""
        return None if self.integrations_json is None else decode_names(self.integrations_json)


CLIENT = Query(
    select(clients).where(clients.c.client_id == bindparam("client_id")), Client, shared=True
)
CLIENTS = Query(select(clients).order_by(clients.c.created_at, clients.c.client_id), Client)

ADVANCE_COUNTER = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.counter == bindparam("seen_counter"))
    .values(counter=bindparam("counter"))
)
_INSERT = Write.insert(clients)
_SET_SECRET = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.removed_at.is_(None))
    .values(secret_digest=bindparam("secret_digest"), pepper_id=bindparam("pepper_id"))
)
_SET_REMOVED = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.removed_at.is_(None))
    .values(removed_at=bindparam("removed_at"), secret_digest=b"", stripe_key=None)
)
_REMOVE_ITEMS = Write(
    update(items)
    .where(items.c.client_id == bindparam("the_client_id"))
    .where(items.c.removed_at.is_(None))
    .values(removed_at=bindparam("removed_at"), login=None, revision=items.c.revision + 1)
)

_DELETE_BANK_DATA = [
    Write(delete(table).where(table.c.client_id == bindparam("the_client_id")))
    for table in (accounts, updates, entries, account_details, signal_evaluations)
]
_MARK_STRIPE_TOKENS = Write(
    update(stripe_tokens)
    .where(stripe_tokens.c.client_id == bindparam("the_client_id"))
    .where(stripe_tokens.c.item_removed_at.is_(None))
    .values(item_removed_at=bindparam("removed_at"))
)

# Who acts when a change comes from the command line.
OPERATOR = "operator"


def stripe_key_place(client_id: str) -> str:
    """What binds a sealed Stripe key to its row."""
    return f"clients/stripe_key/{client_id}"


class NewClient(msgspec.Struct, kw_only=True):
    client_id: str
    secret: str
    name: str
    processors: list[str] = []
    integrations: list[str] | None = None
    stripe_key: str | None = None


async def create_client(store: Store, keys: Keys, new: NewClient, now: int) -> None:
    """Raises GuardFailed when a client has this id already."""
    sealed = None
    if new.stripe_key is not None:
        sealed = keys.seal(new.stripe_key.encode(), stripe_key_place(new.client_id))
    change = Change()
    change.write(
        _INSERT,
        client_id=new.client_id,
        name=new.name,
        secret_digest=keys.digest(new.secret),
        pepper_id=keys.pepper_id,
        processors=msgspec.json.encode(new.processors).decode(),
        integrations=_encode_optional(new.integrations),
        stripe_key=sealed,
        counter=0,
        created_at=now,
        removed_at=None,
    )
    detail: dict[str, object] = {"name": new.name, "processors": new.processors}
    change.record(_record("client.create", new.client_id, now, detail))
    await store.commit(change)


async def rotate_secret(store: Store, keys: Keys, client_id: str, secret: str, now: int) -> None:
    """Raises GuardFailed when there is no such client."""
    change = Change()
    change.write(
        _SET_SECRET,
        the_client_id=client_id,
        secret_digest=keys.digest(secret),
        pepper_id=keys.pepper_id,
    )
    change.record(_record("client.rotate_secret", client_id, now, {}))
    await store.commit(change)


async def remove_client(store: Store, client_id: str, now: int) -> None:
    """Remove a client and all of its Items, and so every token that it ever made.

    Raises GuardFailed when there is no such client.
    """
    change = Change()
    change.write(_SET_REMOVED, the_client_id=client_id, removed_at=now)
    change.write(_REMOVE_ITEMS, rows=None, the_client_id=client_id, removed_at=now)
    for delete_bank_data in _DELETE_BANK_DATA:
        change.write(delete_bank_data, rows=None, the_client_id=client_id)
    change.write(_MARK_STRIPE_TOKENS, rows=None, the_client_id=client_id, removed_at=now)
    change.record(_record("client.remove", client_id, now, {}))
    await store.commit(change)


def _record(action: str, client_id: str, now: int, detail: dict[str, object]) -> Record:
    return Record(at=now, client_id=client_id, actor=OPERATOR, action=action, detail=detail)


def _encode_optional(names: list[str] | None) -> str | None:
    return None if names is None else msgspec.json.encode(names).decode()
