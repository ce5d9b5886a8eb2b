"""The worlds of sandbox clients: each may have a clock and a seed of its own.

What a client has not set is as the server was started. In production nobody has set anything,
whatever a database that once served a sandbox may say.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
from sqlalchemy import bindparam, select, update

from treadle.clients import OWNER_COLUMNS, Client, Owner
from treadle.clock import Clock, SystemClock
from treadle.ids import Ids
from treadle.keys import Keys
from treadle.store.change import Change, Store
from treadle.store.statements import Query, Write
from treadle.store.tables import clients


class World(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a client has set. A clock of None follows the system's, a seed of None is random."""

    clock: int | msgspec.UnsetType | None = msgspec.UNSET
    # Sealed, for with it one could make every token of the client.
    seed: bytes | msgspec.UnsetType | None = msgspec.UNSET
    # Digests of the seeds before it that ids were made from, which would make the same ones again.
    spent_seeds: tuple[bytes, ...] = ()

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()


_SET_WORLD = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.world.is_not_distinct_from(bindparam("seen_world")))
    .values(world=bindparam("world"))
)
_OWNER = Query(select(*OWNER_COLUMNS).where(clients.c.client_id == bindparam("client_id")), Owner)

_decode = msgspec.json.Decoder(World).decode
_UNTOUCHED = World()


@lru_cache(maxsize=4096)
def _decode_cached(text: str) -> World:
    return _decode(text)


class Worlds:
    """Tells the time and the seed of each client."""

    def __init__(
        self, store: Store, keys: Keys, clock: Clock, seed: str | None, *, sandbox: bool
    ) -> None:
        """`clock` and `seed` are those of clients that have set none of their own."""
        self._store = store
        self._keys = keys
        self._clock = clock
        self._system = SystemClock()
        self._seed = seed
        self._sandbox = sandbox

    def of(self, owner: Owner) -> World:
        if owner.world_json is None or not self._sandbox:
            return _UNTOUCHED
        return _decode_cached(owner.world_json)

    def now(self, owner: Owner) -> int:
        """The current instant of a client."""
        if owner.world_json is None:
            return self._clock.now()
        instant = self.of(owner).clock
        if isinstance(instant, int):
            return instant
        return self._system.now() if instant is None else self._clock.now()

    async def now_of(self, client_id: str) -> int:
        """The current instant of a client of whom only the id is known."""
        owner = await self._store.first(_OWNER, client_id=client_id)
        return self._clock.now() if owner is None else self.now(owner)

    def system_now(self) -> int:
        return self._system.now()

    def stands_still(self, owner: Owner) -> bool:
        instant = self.of(owner).clock
        if instant is msgspec.UNSET:
            return not isinstance(self._clock, SystemClock)
        return instant is not None

    def is_seeded(self, owner: Owner) -> bool:
        if owner.world_json is None:
            return self._seed is not None
        seed = self.of(owner).seed
        return self._seed is not None if seed is msgspec.UNSET else seed is not None

    def seed(self, owner: Owner) -> str | None:
        """What a client's ids derive from; None when they are random."""
        return self._seed if self.of(owner).seed is msgspec.UNSET else self.own_seed(owner)

    def own_seed(self, owner: Owner) -> str | None:
        """The seed that the client itself has set."""
        sealed = self.of(owner).seed
        if not isinstance(sealed, bytes):
            return None
        return self._keys.unseal(sealed, seed_place(owner.client_id)).decode()

    def ids(self, owner: Owner) -> Ids:
        """Where the next ids of a client come from."""
        return self.draws(owner, owner.counter)

    def draws(self, owner: Owner, start: int) -> Ids:
        """A sequence from the client's seed, or at random, that is no part of its ids."""
        return Ids(self.seed(owner), owner.client_id, start)

    def scoped(self, owner: Owner, scope: str) -> Ids:
        """Ids for what happens once whoever makes it happen, apart from the client's sequence."""
        return Ids(self.seed(owner), f"{owner.client_id}:{scope}", 0)

    def seal_seed(self, owner: Owner, seed: str) -> bytes:
        return self._keys.seal(seed.encode(), seed_place(owner.client_id))


def set_world(change: Change, client: Client, world: World) -> None:
    """Add a client's new world to a Change, which fails if another call set it meanwhile."""
    change.write(
        _SET_WORLD,
        the_client_id=client.client_id,
        seen_world=client.world_json,
        world=world.encode(),
    )


def seed_place(client_id: str) -> str:
    """What binds a sealed seed to its row."""
    return f"clients/world/{client_id}"
