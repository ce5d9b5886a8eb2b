"""Every call that a partner's token answered, in the chain of the client whose data it showed.

To move a chain's head for each call would cost more than the call itself, so calls are gathered and
kept in batches: soon after they were answered or, where it is strict, before that. A batch adds one
entry for each client and partner in it. While no batch can be kept, calls are refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import NamedTuple

import msgspec

from treadle.store.change import Change, Record, Store, StoreBusy

ACTION = "processor_token.use"

# With the time of a commit this is less than a tenth of a second.
_SOON_SECONDS = 0.08
# Of a batch; more would keep other writers waiting.
_MOST_TOGETHER = 250
# That wait to be kept. Calls beyond are refused, since they could not be put on record.
_MOST_WAITING = 10_000
_RETRY_SECONDS = 0.5

error_log = logging.getLogger("treadle.error")


class Parties(NamedTuple):
    """Whose data calls showed, and to whom."""

    client_id: str
    partner: str


class Read(msgspec.Struct, gc=False):
    """The Item and the account are those that the chain names where the token was made."""

    at: int
    operation: str
    request_id: str
    token_id: str


class _Batch:
    def __init__(self) -> None:
        self.reads: list[tuple[Parties, Read]] = []
        # Done when it is kept; made where somebody waits for that.
        self.kept: asyncio.Future[None] | None = None

    def change(self) -> Change:
        by_parties: dict[Parties, list[Read]] = {}
        for parties, read in self.reads:
            by_parties.setdefault(parties, []).append(read)
        change = Change()
        for (client_id, partner), reads in by_parties.items():
            detail = {"calls": reads}
            change.record(Record(reads[0].at, client_id, partner, ACTION, detail=detail))
        return change


class ReadLog:
    def __init__(self, store: Store, *, strict: bool) -> None:
        """Where it is `strict`, nothing is answered before it is kept."""
        self._store = store
        self._strict = strict
        self._batches: deque[_Batch] = deque()
        self._waiting = 0
        # Since a batch could not be kept after its calls were answered, until it is.
        self._failing = False
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def add(self, parties: Parties, read: Read) -> None:
        """Put a call on record that is about to be answered; whatever this raises refuses it."""
        if self._failing or self._waiting >= _MOST_WAITING:
            raise StoreBusy("reads cannot be put on record")
        if not self._batches or len(self._batches[-1].reads) >= _MOST_TOGETHER:
            self._batches.append(_Batch())
        batch = self._batches[-1]
        batch.reads.append((parties, read))
        self._waiting += 1
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        if self._strict:
            if batch.kept is None:
                batch.kept = asyncio.get_running_loop().create_future()
            # One that is cancelled must not take the others with it.
            await asyncio.shield(batch.kept)

    async def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        try:
            while self._batches:
                if not self._strict:
                    await self._rest(_SOON_SECONDS)
                for _ in range(len(self._batches)):
                    await self._keep(self._batches.popleft())
        finally:
            self._writing = None

    async def _keep(self, batch: _Batch) -> None:
        try:
            await self._store.commit(batch.change())
        except Exception as error:
            if batch.kept is not None:
                # Each who waits refuses what it was about to answer.
                batch.kept.set_exception(error)
            elif self._closing.is_set():
                error_log.exception("%s reads are not on record", len(batch.reads))
            else:
                error_log.exception("reads cannot be put on record, and are tried again")
                self._failing = True
                self._batches.appendleft(batch)
                await self._rest(_RETRY_SECONDS)
                return
        else:
            self._failing = False
            if batch.kept is not None:
                batch.kept.set_result(None)
        self._waiting -= len(batch.reads)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
