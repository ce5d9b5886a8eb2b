"""Snapshots: worlds as they were, kept under names in the database.

They hold account numbers and what finds tokens, so they are sealed as these are. They are kept as
rows, and so are for the schema that they were made by; a document outlives it.
"""

from __future__ import annotations

import asyncio
import zlib

import msgspec
from sqlalchemy import bindparam, delete, func, select

from treadle.call import ClientCall
from treadle.http import errors
from treadle.keys import Keys
from treadle.rekeying.worlds import rewrap_world
from treadle.state.parts import named_rows
from treadle.state.world import World, hold_unchanged, read_world, replace_world
from treadle.store.opening import HEAD
from treadle.store.statements import Query, Write
from treadle.store.tables import snapshots

# How many a client may have, and how large one may be, compressed and before that.
MOST = 50
_MOST_BYTES = 8 * 1_048_576
_MOST_BYTES_UNPACKED = 64 * 1_048_576
# What a world repeats is found at the first level already, in a third of the time.
_LEVEL = 1

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(World).decode


class Listed(msgspec.Struct):
    name: str
    item_count: int
    size: int
    created_at: int


class _Kept(msgspec.Struct):
    schema: str
    contents: bytes


_the_snapshot = (
    snapshots.c.client_id == bindparam("client_id"),
    snapshots.c.name == bindparam("name"),
)
SNAPSHOTS = Query(
    select(snapshots.c.name, snapshots.c.item_count, snapshots.c.size, snapshots.c.created_at)
    .where(snapshots.c.client_id == bindparam("client_id"))
    .order_by(snapshots.c.name),
    Listed,
)
_COUNT_OTHERS = Query(
    select(func.count())
    .select_from(snapshots)
    .where(snapshots.c.client_id == bindparam("client_id"))
    .where(snapshots.c.name != bindparam("name")),
    int,
)
_SNAPSHOT = Query(select(snapshots.c.schema, snapshots.c.contents).where(*_the_snapshot), _Kept)
_INSERT = Write.insert(snapshots)
_DELETE = Write(delete(snapshots).where(*_the_snapshot))


async def save_snapshot(call: ClientCall, name: str) -> Listed:
    """Add a snapshot of the client's world to the call's Change, in the place of one of that name.

    Raises ApiError when there is no room for it.
    """
    client_id = call.client.client_id
    world, sequence = await read_world(call)
    if (await call.first(_COUNT_OTHERS, client_id=client_id, name=name) or 0) >= MOST:
        raise errors.SANDBOX_LIMIT_REACHED(limit=str(MOST), things="snapshots")
    keys = call.services.keys.pinned()
    sealed = await asyncio.to_thread(_pack, keys, client_id, name, world)
    # Whoever saves at the same time comes before or after, so the count holds.
    hold_unchanged(call, sequence)
    listed = Listed(name, _count_items(world), len(sealed), call.now)
    call.change.write(_DELETE, rows=None, client_id=client_id, name=name)
    call.change.write(
        _INSERT,
        client_id=client_id,
        schema=HEAD,
        contents=sealed,
        **msgspec.structs.asdict(listed),
    )
    call.record("snapshot.save", detail={"name": name})
    return listed


async def restore_snapshot(call: ClientCall, name: str) -> None:
    """Let the call's Change put a snapshot in the place of the client's world.

    Raises ApiError when there is none of that name, or it cannot be used any more.
    """
    client_id = call.client.client_id
    kept = await call.first(_SNAPSHOT, client_id=client_id, name=name)
    if kept is None:
        raise _no_such_snapshot()
    if kept.schema != HEAD:
        problem = "name must be that of a snapshot made by this version of Treadle: save it anew"
        raise errors.INVALID_FIELD(problem=problem)
    keys = call.services.keys.pinned()
    world = await asyncio.to_thread(_unpack, keys, client_id, name, kept.contents)
    await replace_world(call, world)
    call.record("snapshot.restore", detail={"name": name})


async def remove_snapshot(call: ClientCall, name: str) -> None:
    """Raises ApiError when there is none of that name."""
    client_id = call.client.client_id
    found = await call.all(SNAPSHOTS, client_id=client_id)
    if name not in {one.name for one in found}:
        raise _no_such_snapshot()
    call.change.write(_DELETE, client_id=client_id, name=name)
    call.record("snapshot.remove", detail={"name": name})


def _count_items(world: World) -> int:
    rows = named_rows(world.contents)["items"]
    return sum(row["removed_at"] is None for row in rows)


def _no_such_snapshot() -> errors.ApiError:
    return errors.INVALID_FIELD(problem="name must be that of a snapshot of this client")


def rewrap_snapshot(keys: Keys, client_id: str, name: str, sealed: bytes) -> bytes:
    """The same under the envelope key in force, with all that is sealed in it."""
    keys = keys.pinned()
    contents = _encode(_unpack(keys, client_id, name, sealed))
    return keys.seal(zlib.compress(contents, _LEVEL), snapshot_place(client_id, name))


def _pack(keys: Keys, client_id: str, name: str, world: World) -> bytes:
    rewrap_world(keys, client_id, world)
    encoded = _encode(world)
    compressed = zlib.compress(encoded, _LEVEL)
    if len(compressed) > _MOST_BYTES or len(encoded) > _MOST_BYTES_UNPACKED:
        limit = f"{_MOST_BYTES} bytes"
        raise errors.SANDBOX_LIMIT_REACHED(limit=limit, things="in a compressed snapshot")
    return keys.seal(compressed, snapshot_place(client_id, name))


def _unpack(keys: Keys, client_id: str, name: str, sealed: bytes) -> World:
    world = _decode(zlib.decompress(keys.unseal(sealed, snapshot_place(client_id, name))))
    rewrap_world(keys, client_id, world)
    return world


def snapshot_place(client_id: str, name: str) -> str:
    """What binds a sealed snapshot to its row."""
    return f"snapshots/contents/{client_id}:{name}"
