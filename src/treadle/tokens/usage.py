"""How often processor tokens are used: counted in memory, and written to their rows a little later.

A redeem adds to a number and writes nothing. What a worker has counted is on disk within seconds;
a worker that is killed loses what it counted since. What must be exact is a limit of the token.
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from sqlalchemy import BigInteger, bindparam, case, or_, update

from treadle.store.change import Change, Store
from treadle.store.statements import Write
from treadle.store.tables import tokens
from treadle.tokens.rows import Token

_SOON_SECONDS = 2.0
# So many rows are written together; more would keep others waiting.
_SLICE = 50

_instant = bindparam("instant", type_=BigInteger)
_ADD_USES = Write(
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .values(
        calls=tokens.c.calls + bindparam("further_calls", type_=BigInteger),
        last_used_at=case(
            (
                or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < _instant),
                _instant,
            ),
            else_=tokens.c.last_used_at,
        ),
    )
)


class _Uses(msgspec.Struct, gc=False):
    client_id: str
    calls: int
    last: int


class Usage:
    def __init__(self, store: Store) -> None:
        self._store = store
        # By the token's handle.
        self._counted: dict[str, _Uses] = {}
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def count(self, token: Token, now: int) -> None:
        """One more call was answered."""
        uses = self._counted.get(token.token_id)
        if uses is None:
            self._counted[token.token_id] = _Uses(token.client_id, 1, now)
            if self._writing is None:
                self._writing = asyncio.create_task(self._write_later())
        else:
            uses.calls += 1
            uses.last = now

    async def flush(self) -> None:
        """Write what this worker has counted so far."""
        counted, self._counted = self._counted, {}
        # In one order everywhere, so that two workers never wait for each other's rows.
        left = sorted(counted.items())
        while left:
            some, left = left[:_SLICE], left[_SLICE:]
            change = Change()
            for token_id, uses in some:
                change.write(
                    _ADD_USES,
                    # The token may be of a world that is gone.
                    rows=None,
                    the_token_id=token_id,
                    the_client_id=uses.client_id,
                    further_calls=uses.calls,
                    instant=uses.last,
                )
            await self._store.commit(change)

    async def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        if self._writing is not None:
            await self._writing

    async def _write_later(self) -> None:
        try:
            while self._counted:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), _SOON_SECONDS)
                await self.flush()
        finally:
            self._writing = None
