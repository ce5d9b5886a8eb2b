"""A client's seed: what its ids and tokens derive from."""

from __future__ import annotations

from typing import Annotated

import msgspec
from sqlalchemy import bindparam, update

from treadle.call import ClientCall
from treadle.control.answers import SeedResponse
from treadle.control.asking import Order, Query
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import own_operation
from treadle.store.statements import Write
from treadle.store.tables import clients
from treadle.worlds import set_world

# How many seeds a client may make ids from, one after another.
_MOST = 100

_Seed = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

_RESET_COUNTER = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.counter == bindparam("seen_counter"))
    .values(counter=0)
)


class SeedGetRequest(Query, kw_only=True):
    """Nothing is asked."""


class SeedSetRequest(Order, kw_only=True):
    """The seed from now on; null for ids and tokens at random."""

    seed: _Seed | None


@own_operation("/treadle/sandbox/seed", ClientGate(), method="GET")
async def get_sandbox_seed(call: ClientCall, request: SeedGetRequest) -> SeedResponse:
    """What the client's ids and tokens derive from."""
    worlds = call.services.worlds
    return SeedResponse(
        seed=worlds.own_seed(call.client),
        seeded=worlds.is_seeded(call.client),
        counter=call.client.counter,
        request_id=call.request_id,
    )


@own_operation("/treadle/sandbox/seed", ClientGate())
async def post_sandbox_seed(call: ClientCall, request: SeedSetRequest) -> SeedResponse:
    """Set the client's seed and begin its sequence of ids anew."""
    client, worlds = call.client, call.services.worlds
    spent = _spent_seeds(call)
    if request.seed is not None:
        _check_unspent(call, request.seed, spent)
    sealed = None if request.seed is None else worlds.seal_seed(client, request.seed)
    world = msgspec.structs.replace(worlds.of(client), seed=sealed, spent_seeds=spent)
    set_world(call.change, client, world)
    call.change.write(_RESET_COUNTER, the_client_id=client.client_id, seen_counter=client.counter)
    call.record("seed.set", detail={"seeded": sealed is not None})
    return SeedResponse(
        seed=request.seed, seeded=sealed is not None, counter=0, request_id=call.request_id
    )


def _spent_seeds(call: ClientCall) -> tuple[bytes, ...]:
    """The digests of all seeds that the client's ids were made from, the one in force included."""
    client, services = call.client, call.services
    spent = services.worlds.of(client).spent_seeds
    seed = services.worlds.seed(client)
    if seed is None or not client.counter:
        return spent
    return (*spent, services.keys.digest(seed))


def _check_unspent(call: ClientCall, seed: str, spent: tuple[bytes, ...]) -> None:
    """Raises ApiError for a seed whose ids exist, since an id can be made but once."""
    if not set(spent).isdisjoint(call.services.keys.digests(seed)):
        problem = "seed must be one that this client has made no ids from yet"
        raise errors.INVALID_FIELD(problem=problem)
    if len(spent) >= _MOST:
        problem = f"seed must be null: this client has made ids from {_MOST} seeds"
        raise errors.INVALID_FIELD(problem=problem)
