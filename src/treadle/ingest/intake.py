"""Taking JSON Lines in: batch by batch, each kept whole before the next is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator

import msgspec
from sqlalchemy import bindparam, select

from treadle.http import errors
from treadle.ingest.answers import Problem
from treadle.ingest.batch import Batch
from treadle.ingest.checking import Refused
from treadle.ingest.records import MAX_LINE_BYTES, AnyRecord
from treadle.ingest.rows import WAKE_THOSE_WITH_NEWS
from treadle.ingest.taking import Outcome, Taker
from treadle.ingest.turns import in_turns
from treadle.keys import Keys
from treadle.store.change import Change, GuardFailed, Record, Store
from treadle.store.statements import Write
from treadle.store.tables import clients

# What is kept together.
_BATCH_RECORDS = 2_000
_BATCH_BYTES = 4 * 1_048_576
# What may be kept whole or not at all.
MOST_ATOMIC_LINES = 10_000
MOST_ATOMIC_BYTES = 16 * 1_048_576
# So many are decoded before others have a turn.
_AT_ONCE = 50
_ATTEMPTS = 10
MOST_PROBLEMS = 100

_HOLD_CLIENT = Write(
    select(clients.c.client_id)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.removed_at.is_(None))
    .with_for_update(read=True, key_share=True)
)

_decode: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


class Summary(msgspec.Struct):
    """What became of all lines."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    refused: int = 0
    # The first of those that were refused.
    problems: list[Problem] = []

    def refuse(self, line: int, problem: str) -> None:
        self.refused += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(line, problem))

    def in_order(self) -> Summary:
        problems = sorted(self.problems, key=lambda one: one.line)
        return msgspec.structs.replace(self, problems=problems)

    def count(self, outcome: Outcome) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)


class Intake:
    """Takes the records that one client brings."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        client_id: str,
        now: int,
        *,
        actor: str | None = None,
        dry: bool = False,
    ) -> None:
        """A dry one counts what would become of records, and keeps nothing."""
        self._store = store
        self._keys = keys
        self._client_id = client_id
        self._now = now
        self._actor = actor or client_id
        # What came before is in it alone.
        self._dry = Batch(store, client_id) if dry else None
        self.summary = Summary()

    async def take_lines(self, body: AsyncIterable[bytes]) -> None:
        """Keep every line that makes sense; the others are in the summary.

        Raises ApiError when the rows that lines are about change all the time.
        """
        await self.take_part(body)
        await self.wake_readers()

    async def take_part(self, body: AsyncIterable[bytes]) -> None:
        """The same for lines that others follow; `wake_readers` comes after the last."""
        waiting: list[tuple[int, AnyRecord]] = []
        size = 0
        async for number, line in _lines(body):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if (record := self._decoded(number, line)) is not None:
                waiting.append((number, record))
                size += len(line)
            if len(waiting) == _BATCH_RECORDS or size >= _BATCH_BYTES:
                await self._keep(waiting)
                waiting, size = [], 0
        await self._keep(waiting)

    async def take_all(self, body: AsyncIterable[bytes]) -> None:
        """Keep all lines or none. Raises ApiError for too many, or for any that makes no sense."""
        waiting: list[tuple[int, AnyRecord]] = []
        size = 0
        async for number, line in _lines(body):
            size += len(line)
            if number > MOST_ATOMIC_LINES or size > MOST_ATOMIC_BYTES:
                limit = f"{MOST_ATOMIC_LINES} lines and {MOST_ATOMIC_BYTES} bytes"
                raise errors.INVALID_BODY(problem=f"with atomic a body has at most {limit}")
            if (record := self._decoded(number, line)) is not None:
                waiting.append((number, record))
        await self._keep(waiting, whole=True)
        await self.wake_readers()

    def _decoded(self, number: int, line: bytes) -> AnyRecord | None:
        if len(line) > MAX_LINE_BYTES:
            self.summary.refuse(number, f"must have at most {MAX_LINE_BYTES} bytes")
            return None
        try:
            return _decode.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self.summary.refuse(number, _problem_of(error))
            return None

    async def _keep(self, waiting: list[tuple[int, AnyRecord]], *, whole: bool = False) -> None:
        for _ in range(_ATTEMPTS):
            batch = self._dry or Batch(self._store, self._client_id)
            await batch.read([record for _, record in waiting])
            outcomes = await self._take(Taker(self._keys, batch), waiting)
            if whole:
                self._check_all(outcomes)
            change = Change() if self._dry else await batch.change(self._now)
            try:
                if change:
                    self._record(change, outcomes)
                    await self._store.commit(change)
            except GuardFailed:
                # Somebody else has brought some of it, and all is read anew.
                continue
            self._sum_up(outcomes)
            if self._dry:
                self._dry.forget_entries()
            return
        raise errors.RATE_LIMIT()

    async def _take(
        self, taker: Taker, waiting: list[tuple[int, AnyRecord]]
    ) -> list[tuple[int, Outcome | Refused]]:
        outcomes: list[tuple[int, Outcome | Refused]] = []
        async for number, record in in_turns(waiting):
            try:
                outcomes.append((number, taker.take(record)))
            except Refused as refusal:
                outcomes.append((number, refusal))
        return outcomes

    def _check_all(self, outcomes: list[tuple[int, Outcome | Refused]]) -> None:
        """Raises ApiError when any line was refused, and names the first ones."""
        summary = Summary(refused=self.summary.refused, problems=[*self.summary.problems])
        for number, outcome in outcomes:
            if isinstance(outcome, Refused):
                summary.refuse(number, str(outcome))
        if summary.refused:
            first = summary.in_order().problems[0]
            others = f", and {summary.refused - 1} more lines" if summary.refused > 1 else ""
            problem = f"line {first.line}: {first.problem}{others}; nothing was kept"
            raise errors.INVALID_BODY(problem=problem)

    def _record(self, change: Change, outcomes: list[tuple[int, Outcome | Refused]]) -> None:
        counted = Summary()
        for _, outcome in outcomes:
            if isinstance(outcome, Outcome):
                counted.count(outcome)
        change.hold(_HOLD_CLIENT, the_client_id=self._client_id)
        detail = {one: getattr(counted, one) for one in ("added", "changed", "deleted")}
        change.record(Record(self._now, self._client_id, self._actor, "ingest", detail=detail))
        # Many statements, of which few may be of many rows.
        change.heavy = True

    def _sum_up(self, outcomes: list[tuple[int, Outcome | Refused]]) -> None:
        for number, outcome in outcomes:
            if isinstance(outcome, Refused):
                self.summary.refuse(number, str(outcome))
            else:
                self.summary.count(outcome)

    async def wake_readers(self) -> None:
        """Have Items with news looked at, those of an import that did not come to its end too.

        Not before the end: an Item that was woken after every batch would be read as often.
        """
        change = Change()
        change.write(
            WAKE_THOSE_WITH_NEWS, rows=None, the_client_id=self._client_id, instant=self._now
        )
        await self._store.commit(change)


async def _lines(body: AsyncIterable[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    """The lines of a body with their numbers, but for empty ones.

    One that is too long is cut, and so is no record.
    """
    number, rest = 0, b""
    async for piece in body:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            number += 1
            if not line.isspace() and line:
                yield number, line
        # Enough to tell that it is too long.
        rest = rest[: MAX_LINE_BYTES + 1]
    if rest and not rest.isspace():
        yield number + 1, rest


def _problem_of(error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return str(error).replace("`$.", "`")
    return "is not a JSON object in UTF-8"
