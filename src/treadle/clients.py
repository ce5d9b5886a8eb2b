"""Clients: who may call, as whom, and for which processors."""

from __future__ import annotations

import contextlib

import msgspec
from sqlalchemy import bindparam, delete, select, update

from treadle.journal.withdrawals import ClientRemoved, SecretReplaced
from treadle.keys import Keys
from treadle.store.change import Change, GuardFailed, Record, Store
from treadle.store.columns import decode_names
from treadle.store.delegation_tables import idempotency
from treadle.store.link_tables import link_results, link_sessions, link_tokens
from treadle.store.statements import Query, Write
from treadle.store.stored_tables import STORED_TABLES
from treadle.store.tables import (
    account_details,
    accounts,
    clients,
    entries,
    faults,
    items,
    requests,
    signal_evaluations,
    snapshots,
    stripe_tokens,
    updates,
)


class Owner(msgspec.Struct):
    """A client as the owner of data, which follows its clock and its seed."""

    client_id: str
    counter: int
    # What it has set for itself in a sandbox; see `worlds.py`.
    world_json: str | None
    # How often all that it has was replaced.
    epoch: int


class Client(Owner):
    name: str
    secret_digest: bytes
    pepper_id: str
    processors_json: str
    integrations_json: str | None
    stripe_key: bytes | None
    created_at: int
    removed_at: int | None
    # How many faults it has set for itself in a sandbox.
    faults: int
    # The client through which it was made, if it was.
    made_by: str | None

    @property
    def processors(self) -> tuple[str, ...]:
        """The processors whose tokens this client redeems as a partner."""
        return decode_names(self.processors_json)

    @property
    def integrations(self) -> tuple[str, ...] | None:
        """The processors this client may mint for; None for all."""
        return None if self.integrations_json is None else decode_names(self.integrations_json)


# The columns of an owner and of a client, in the order of their structs.
OWNER_COLUMNS = (clients.c.client_id, clients.c.counter, clients.c.world, clients.c.epoch)
_COLUMNS = (
    *OWNER_COLUMNS,
    clients.c.name,
    clients.c.secret_digest,
    clients.c.pepper_id,
    clients.c.processors,
    clients.c.integrations,
    clients.c.stripe_key,
    clients.c.created_at,
    clients.c.removed_at,
    clients.c.faults,
    clients.c.made_by,
)

CLIENT = Query(
    select(*_COLUMNS).where(clients.c.client_id == bindparam("client_id")), Client, shared=True
)
CLIENTS = Query(select(*_COLUMNS).order_by(clients.c.created_at, clients.c.client_id), Client)

EPOCH = Query(
    select(clients.c.epoch).where(clients.c.client_id == bindparam("client_id")), int, shared=True
)
# Fails as a guard once all that the client has was replaced; until the Change is kept, it is not.
HOLD_WORLD = Write(
    select(clients.c.client_id)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.epoch == bindparam("seen_epoch"))
    .with_for_update(read=True, key_share=True)
)
ADVANCE_COUNTER = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.counter == bindparam("seen_counter"))
    .values(counter=bindparam("counter"))
)
_INSERT = Write.insert(clients)
# Touches no row when another call of the client has moved it, or it has a new one.
MOVE_SECRET = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.secret_digest == bindparam("seen_digest"))
    .values(secret_digest=bindparam("secret_digest"), pepper_id=bindparam("pepper_id"))
)
_SET_REMOVED = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.removed_at.is_(None))
    .values(
        removed_at=bindparam("removed_at"),
        secret_digest=b"",
        stripe_key=None,
        world=None,
        faults=0,
    )
)
_REMOVE_ITEMS = Write(
    update(items)
    .where(items.c.client_id == bindparam("the_client_id"))
    .where(items.c.removed_at.is_(None))
    .values(
        removed_at=bindparam("removed_at"),
        login=None,
        wakes_at=None,
        revision=items.c.revision + 1,
    )
)

_DELETE_DATA = [
    Write(delete(table).where(table.c.client_id == bindparam("the_client_id")))
    for table in (
        accounts,
        updates,
        entries,
        account_details,
        signal_evaluations,
        faults,
        requests,
        snapshots,
        link_results,
        link_sessions,
        link_tokens,
        idempotency,
        *STORED_TABLES,
    )
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
    change = Change()
    add_client(change, keys, new, now)
    await store.commit(change)


def add_client(
    change: Change, keys: Keys, new: NewClient, now: int, made_by: str | None = None
) -> None:
    """Add a new client to a Change; without `made_by` it is the operator's."""
    sealed = None
    if new.stripe_key is not None:
        sealed = keys.seal(new.stripe_key.encode(), stripe_key_place(new.client_id))
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
        world=None,
        epoch=0,
        faults=0,
        made_by=made_by,
        revocations=0,
    )
    detail: dict[str, object] = {"name": new.name, "processors": new.processors}
    change.record(_record("client.create", new.client_id, now, detail, made_by))


async def rotate_secret(store: Store, keys: Keys, client_id: str, secret: str, now: int) -> None:
    """Raises GuardFailed when there is no such client."""
    client = await store.first(CLIENT, client_id=client_id)
    if client is None or client.removed_at is not None:
        raise GuardFailed(f"there is no client {client_id}")
    change = Change()
    _replace_secret(change, keys, client, secret)
    change.record(_record("client.rotate_secret", client_id, now, {}))
    await store.commit(change)


async def leave_former_pepper(
    store: Store, keys: Keys, client: Client, secret: str, now: int
) -> None:
    """Digest a client's secret anew when a former pepper has digested it; it goes on as it is."""
    if not keys.is_former_pepper(client.pepper_id):
        return
    change = Change()
    _replace_secret(change, keys, client, secret)
    detail: dict[str, object] = {"pepper": keys.pepper_id}
    actor = client.client_id
    change.record(_record("client.move_to_pepper", client.client_id, now, detail, actor))
    # Another call that moves it does as well.
    with contextlib.suppress(GuardFailed):
        await store.commit(change)


def _replace_secret(change: Change, keys: Keys, client: Client, secret: str) -> None:
    """Both writes of a digest are in the journal, for each one names the digest before it."""
    replaced = SecretReplaced(
        client.client_id, client.secret_digest, keys.digest(secret), keys.pepper_id
    )
    change.write(
        MOVE_SECRET,
        the_client_id=replaced.client_id,
        seen_digest=replaced.former,
        secret_digest=replaced.digest,
        pepper_id=replaced.pepper_id,
    )
    change.withdraw(replaced)


async def remove_client(store: Store, client_id: str, now: int) -> None:
    """Remove a client and all of its Items, and so every token that it ever made.

    Raises GuardFailed when there is no such client.
    """
    change = Change()
    add_removal(change, client_id, now)
    await store.commit(change)


def add_removal(change: Change, client_id: str, now: int, actor: str | None = None) -> None:
    """Add the removal of a client to a Change, which cannot be kept when there is no such one."""
    change.write(_SET_REMOVED, the_client_id=client_id, removed_at=now)
    change.write(_REMOVE_ITEMS, rows=None, the_client_id=client_id, removed_at=now)
    for delete_data in _DELETE_DATA:
        change.write(delete_data, rows=None, the_client_id=client_id)
    change.write(_MARK_STRIPE_TOKENS, rows=None, the_client_id=client_id, removed_at=now)
    change.withdraw(ClientRemoved(client_id, now))
    change.record(_record("client.remove", client_id, now, {}, actor))


def _record(
    action: str, client_id: str, now: int, detail: dict[str, object], actor: str | None = None
) -> Record:
    actor = actor or OPERATOR
    return Record(at=now, client_id=client_id, actor=actor, action=action, detail=detail)


def _encode_optional(names: list[str] | None) -> str | None:
    return None if names is None else msgspec.json.encode(names).decode()
