"""Reading the whole of a client's world, and putting another in its place."""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, select, update

from treadle.call import ClientCall
from treadle.clients import CLIENT
from treadle.state.parts import PARTS, SENDING, Contents, Part, Row
from treadle.store.change import GuardFailed
from treadle.store.statements import Query, Write
from treadle.store.tables import audit_heads, clients

# Waits for what is under way in the old world, and lets nothing begin until the new one is there.
_LOCK_WORLD = Write(
    select(clients.c.client_id)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.epoch == bindparam("seen_epoch"))
    .with_for_update()
)
_REPLACE = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .values(
        world=bindparam("world"),
        counter=bindparam("counter"),
        faults=bindparam("faults"),
        epoch=clients.c.epoch + 1,
    )
)
_head = select(audit_heads.c.sequence).where(audit_heads.c.client_id == bindparam("client_id"))
_HEAD = Query(_head, int)
_HOLD_HEAD = Write(
    _head.where(audit_heads.c.sequence == bindparam("seen_sequence")).with_for_update()
)


class World(msgspec.Struct):
    """All that a client has, as rows."""

    # What it has set for itself, and where its sequence of ids stands.
    settings_json: str | None = None
    counter: int = 0
    contents: Contents = msgspec.field(default_factory=dict)


async def read_world(call: ClientCall) -> tuple[World, int]:
    """The calling client's world, and the number of its last change, all from one moment.

    Every change of a world is in its client's audit chain, so a chain that has not grown meanwhile
    says that what was read belongs together. Raises GuardFailed when it has.
    """
    client_id = call.client.client_id
    sequence = await _last_change(call)
    client = await call.first(CLIENT, client_id=client_id)
    contents = {part.name: await call.all(part.read, client_id=client_id) for part in PARTS}
    if client is None or await _last_change(call) != sequence:
        raise GuardFailed("the world changed while it was read")
    return World(client.world_json, client.counter, contents), sequence


async def _last_change(call: ClientCall) -> int:
    return await call.first(_HEAD, client_id=call.client.client_id) or 0


def hold_unchanged(call: ClientCall, sequence: int) -> None:
    """Let the call's Change be kept only while the client's last change is this one."""
    call.change.hold(_HOLD_HEAD, client_id=call.client.client_id, seen_sequence=sequence)


async def replace_world(call: ClientCall, world: World) -> None:
    """Let the call's Change replace all that the calling client has.

    What it owes is dropped: webhooks of a world that is gone are not sent.
    """
    client_id = call.client.client_id
    call.world_guard = _LOCK_WORLD
    hold_unchanged(call, await _last_change(call))
    for part in SENDING:
        call.change.write(part.delete, rows=None, client_id=client_id)
    for part in PARTS:
        await _replace_part(call, part, world.contents.get(part.name, []))
    call.change.write(
        _REPLACE,
        the_client_id=client_id,
        world=world.settings_json,
        counter=world.counter,
        faults=len(world.contents.get("faults", [])),
    )
    call.ring_alarm()


async def _replace_part(call: ClientCall, part: Part, wanted: list[Row]) -> None:
    client_id = call.client.client_id
    if part.is_large and wanted:
        # By their keys, so that texts are compared and none is hashed.
        present = {part.key(row): row for row in await call.all(part.read, client_id=client_id)}
        following = {part.key(row): row for row in wanted}
        gone = [row for key, row in present.items() if following.get(key) != row]
        wanted = [row for key, row in following.items() if present.get(key) != row]
        call.change.write_many(part.delete_row, [part.named(row) for row in gone])
    else:
        call.change.write(part.delete, rows=None, client_id=client_id)
    call.change.write_many(part.insert, [part.named(row) for row in wanted])
