"""Keeping what was read from a file, by the same records in which an operator brings data.

An import that was cut off is completed by doing it again, for what is kept already is no change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterable
from typing import BinaryIO

import msgspec
from sqlalchemy import bindparam, func, select

from treadle.bank.model import Institution
from treadle.ingest import records
from treadle.ingest.described import Describer
from treadle.ingest.intake import Intake, Summary
from treadle.ingest.spool import Beginning
from treadle.sources.stored.rows import (
    ENTRIES_SINCE,
    USER,
    decode_transaction,
    of_institution,
)
from treadle.store.change import Store
from treadle.store.statements import Query
from treadle.store.stored_tables import stored_entries
from treadle.wire.common import CountryCode, Products

# Where no other institution is named.
STATEMENTS = "statements"
_PRODUCTS = [Products.AUTH, Products.INVESTMENTS, Products.TRANSACTIONS]
# A pending transaction is posted or dropped after that at the latest.
_PENDING_DAYS = 90
_CHUNK_BYTES = 262_144

_LAST_DAY = Query(
    select(func.max(stored_entries.c.date))
    .where(of_institution(stored_entries))
    .where(stored_entries.c.account_id == bindparam("account_id"))
    .where(stored_entries.c.product == bindparam("product")),
    lambda day: day,
)


class ImportRefused(Exception):
    """An import that cannot be; the message says why."""


class Outcome(msgspec.Struct):
    """What an import has changed, or would."""

    accounts_added: int = 0
    accounts_changed: int = 0
    added: int = 0
    modified: int = 0
    removed: int = 0
    unchanged: int = 0


class StatementImport:
    """The import of one file, for a user of a client."""

    def __init__(
        self, store: Store, intake: Intake, client_id: str, institution_id: str, user_id: str
    ) -> None:
        self._store = store
        self._intake = intake
        self._place = {"client_id": client_id, "institution_id": institution_id}
        self._institution_id = institution_id
        self._user_id = user_id
        self._describer = Describer(institution_id, user_id)
        self.outcome = Outcome()

    async def keep(
        self,
        institution: Institution | None,
        beginning: Beginning,
        entries: BinaryIO,
        progress: Callable[[int], None] = lambda size: None,
    ) -> Outcome:
        """`progress` is called with the bytes that were kept since the last time.

        Raises ImportRefused.
        """
        outcome = self.outcome
        await self._take(await self._customer(institution))
        accounts = [one for one in beginning.accounts if await self._is_news(one, beginning)]
        summary = await self._take(accounts)
        outcome.accounts_added, outcome.accounts_changed = summary.added, summary.changed
        told = {one.account_id for one in accounts}
        held = [one for one in beginning.holdings if one.account_id in told]
        await self._take([*beginning.securities, *held])
        gone = [one async for one in self._no_longer_pending(beginning)]
        for summary in (await self._take(gone), await self._run(_chunks(entries, progress))):
            outcome.added += summary.added
            outcome.modified += summary.changed
            outcome.removed += summary.deleted
            outcome.unchanged += summary.unchanged
        await self._intake.wake_readers()
        return outcome

    async def _customer(self, institution: Institution | None) -> list[records.AnyRecord]:
        """The institution and the user, where they are not known."""
        missing: list[records.AnyRecord] = []
        if institution is None:
            if self._institution_id != STATEMENTS:
                raise ImportRefused(
                    f"there is no institution {self._institution_id} of this client; bring it first"
                )
            missing.append(
                records.Institution(
                    institution_id=STATEMENTS,
                    name="Imported statements",
                    country_codes=[*CountryCode],
                    products=_PRODUCTS,
                )
            )
        if await self._store.first(USER, user_id=self._user_id, **self._place) is None:
            user = records.User(institution_id=self._institution_id, user_id=self._user_id)
            missing.append(user)
        return missing

    async def _is_news(self, account: records.Account, beginning: Beginning) -> bool:
        """Whether the file is no older than what is known of the account.

        An older one has transactions that were missing, but balances that are long gone.
        """
        last = await self._last_day(account.account_id)
        return last is None or beginning.until.get(account.account_id, "") >= last

    async def _last_day(self, account_id: str) -> str | None:
        days = [
            await self._store.first(
                _LAST_DAY, account_id=account_id, product=product, **self._place
            )
            for product in (Products.TRANSACTIONS.value, Products.INVESTMENTS.value)
        ]
        return max((day for day in days if day is not None), default=None)

    async def _no_longer_pending(self, beginning: Beginning) -> AsyncIterator[records.AnyRecord]:
        """A pending transaction that a file of its day or later does not show has been posted, or
        has come to nothing."""
        for account_id, until in beginning.until.items():
            shown = set(beginning.pending.get(account_id, ()))
            since = dt.date.fromisoformat(until) - dt.timedelta(days=_PENDING_DAYS)
            known = await self._store.all(
                ENTRIES_SINCE,
                account_id=account_id,
                product=Products.TRANSACTIONS.value,
                since=since.isoformat(),
                **self._place,
            )
            for entry in known:
                told = decode_transaction(entry.data_json)
                if told.pending and entry.entry_key not in shown and told.date.isoformat() <= until:
                    yield self._describer.removal_of(account_id, entry.entry_key)

    async def _take(self, brought: Iterable[records.AnyRecord]) -> Summary:
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in brought)

        async def body() -> AsyncIterator[bytes]:
            yield lines

        return await self._run(body())

    async def _run(self, body: AsyncIterator[bytes]) -> Summary:
        """Raises ImportRefused when the customer was deleted meanwhile."""
        await self._intake.take_part(body)
        summary = self._intake.summary
        self._intake.summary = Summary()
        if summary.refused:
            first = summary.problems[0].problem
            raise ImportRefused(f"{summary.refused} records were not taken, the first: {first}")
        return summary


async def _chunks(file: BinaryIO, progress: Callable[[int], None]) -> AsyncIterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
        progress(len(chunk))
