"""A batch of records: what they are about is read, they are taken in order, and what differs in
the end is written as one Change."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from treadle.ingest import records, rows
from treadle.ingest.rows import AccessRow, Key, Shelf, StoredTable, encode_names
from treadle.ingest.turns import in_turns
from treadle.store.change import Change, Store
from treadle.store.statements import Query
from treadle.wire.common import Products

# So many rows are looked for at once, since a store may do it in place.
_READ_AT_ONCE = 100

# Later than every day: what is new is of no day.
_NO_DAY = "9999-12-31"

_PRODUCTS: dict[type[records.AnyRecord], Products] = {
    records.Transaction: Products.TRANSACTIONS,
    records.DeleteTransaction: Products.TRANSACTIONS,
    records.InvestmentTransaction: Products.INVESTMENTS,
    records.DeleteInvestmentTransaction: Products.INVESTMENTS,
}


class Batch:
    """The rows that some records are about. Only `records.AnyRecord` that was decoded comes in."""

    def __init__(self, store: Store, client_id: str) -> None:
        self.client_id = client_id
        self._store = store
        self.institutions: Shelf[rows.InstitutionRow] = Shelf(rows.INSTITUTIONS)
        self.users: Shelf[rows.UserRow] = Shelf(rows.USERS)
        self.accounts: Shelf[rows.AccountRow] = Shelf(rows.ACCOUNTS)
        self.access: Shelf[AccessRow] = Shelf(rows.ACCESS)
        self.entries: Shelf[rows.EntryRow] = Shelf(rows.ENTRIES)
        self.securities: Shelf[rows.SecurityRow] = Shelf(rows.SECURITIES)
        # How many institutions the client has, where any are brought.
        self.institution_count = 0
        # Of accounts that are deleted with all their entries.
        self._purged: list[Key] = []

    async def read(self, wanted: Iterable[records.AnyRecord]) -> None:
        """Read all rows that the records name."""
        keys = _Keys()
        async for record in in_turns(wanted):
            keys.add(record)
        await self._read(self.institutions, rows.INSTITUTIONS, keys.institutions)
        await self._read(self.users, rows.USERS, keys.users)
        await self._read(self.accounts, rows.ACCOUNTS, keys.accounts)
        await self._read(self.securities, rows.SECURITIES, keys.securities)
        await self._read(self.entries, rows.ENTRIES, keys.entries)
        await self._query(self.users, rows.USERS_NAMED, keys.usernames)
        await self._query(self.access, rows.ACCESS_OF_USERS, keys.access_of_users)
        await self._query(self.access, rows.ACCESS_OF_ACCOUNTS, keys.access_of_accounts)
        if keys.brings_institutions:
            (self.institution_count,) = await self._store.all(
                rows.INSTITUTION_COUNT, client_id=self.client_id
            )

    async def _read(self, shelf: Shelf[Any], table: StoredTable, keys: set[Key]) -> None:
        await self._query(shelf, table.named, keys)

    async def _query(self, shelf: Shelf[Any], query: Query[Any], keys: set[Key]) -> None:
        for institution_id, of_institution in groupby(sorted(keys), key=itemgetter(0)):
            names = [key[1:] for key in of_institution]
            for start in range(0, len(names), _READ_AT_ONCE):
                found = await self._store.all(
                    query,
                    client_id=self.client_id,
                    institution_id=institution_id,
                    names=encode_names(names[start : start + _READ_AT_ONCE]),
                )
                shelf.lay(found)
                await asyncio.sleep(0)

    def forget_entries(self) -> None:
        """Make room for those of other records, where nothing of the batch is to be written."""
        self.entries = Shelf(rows.ENTRIES)

    def purge(self, institution_id: str, account_id: str) -> None:
        """Delete all entries of an account, those in the store that were not read among them."""
        self._purged.append((institution_id, account_id))
        self.entries.purge(institution_id, account_id)

    async def change(self, now: int) -> Change:
        """What is to be written, and who is to hear of it."""
        change = Change()
        for institution_id, account_id in self._purged:
            change.write(
                rows.DELETE_ENTRIES,
                rows=None,
                the_client_id=self.client_id,
                the_institution_id=institution_id,
                the_account_id=account_id,
            )
        # Before rows are changed, for these are compared with how they were.
        news = await self._news()
        shelves = (self.institutions, self.users, self.accounts, self.access, self.securities)
        for shelf in (*shelves, self.entries):
            await shelf.write(change, self.client_id)
        news.write(change, self.client_id, now)
        return change

    async def _news(self) -> _News:
        news = _News()
        for institution_id, account_id in self._purged:
            news.changed[institution_id].add(account_id)
        for (institution_id, account_id), before, after in self.accounts.differences():
            if before is None or after is None or before[:2] != after[:2]:
                news.changed[institution_id].add(account_id)
            if before is not None and after is not None:
                if before.holdings_json != after.holdings_json:
                    news.add(institution_id, account_id, Products.INVESTMENTS, _NO_DAY)
                if before.liability_json != after.liability_json:
                    news.add(institution_id, account_id, Products.LIABILITIES, _NO_DAY)
        for (institution_id, _, account_id), _, _ in self.access.differences():
            news.changed[institution_id].add(account_id)
        entries = in_turns(self.entries.differences())
        async for (institution_id, account_id, product, _), *rows_ in entries:
            day = min(row.date for row in rows_ if row is not None)
            news.add(institution_id, account_id, product, day)
        news.repriced = {key[0] for key, _, _ in self.securities.differences()}
        return news


class _Keys:
    """The keys of all rows that records are about."""

    def __init__(self) -> None:
        self.brings_institutions = False
        self.institutions: set[Key] = set()
        self.users: set[Key] = set()
        self.usernames: set[Key] = set()
        self.accounts: set[Key] = set()
        self.securities: set[Key] = set()
        self.entries: set[Key] = set()
        self.access_of_users: set[Key] = set()
        self.access_of_accounts: set[Key] = set()

    def add(self, record: records.AnyRecord) -> None:
        institution_id = record.institution_id
        self.institutions.add((institution_id,))
        account_id = getattr(record, "account_id", None)
        if account_id is not None:
            self.accounts.add((institution_id, account_id))
        match record:
            case records.Institution():
                self.brings_institutions = True
            case records.Transaction(transaction_id=entry_key, pending_transaction_id=pending):
                self._add_entry(record, institution_id, record.account_id, entry_key)
                if pending is not None:
                    self._add_entry(record, institution_id, record.account_id, pending)
            case records.DeleteTransaction(transaction_id=entry_key):
                self._add_entry(record, institution_id, record.account_id, entry_key)
            case (
                records.InvestmentTransaction(investment_transaction_id=entry_key)
                | records.DeleteInvestmentTransaction(investment_transaction_id=entry_key)
            ):
                self._add_entry(record, institution_id, record.account_id, entry_key)
                if security_id := getattr(record, "security_id", None):
                    self.securities.add((institution_id, security_id))
            case records.Holdings():
                self.securities |= {(institution_id, one.security_id) for one in record.holdings}
            case records.Security():
                self.securities.add((institution_id, record.security_id))
            case records.User(user_id=user_id, username=username):
                self.users.add((institution_id, user_id))
                if username is not None:
                    self.usernames.add((institution_id, username))
            case records.DeleteUser(user_id=user_id):
                self.users.add((institution_id, user_id))
                self.access_of_users.add((institution_id, user_id))
            case records.Account():
                for user_id in record.user_ids:
                    self.users.add((institution_id, user_id))
                    self.access_of_users.add((institution_id, user_id))
                self.access_of_accounts.add((institution_id, record.account_id))

    def _add_entry(
        self, record: records.AnyRecord, institution_id: str, account_id: str, entry_key: str
    ) -> None:
        self.entries.add((institution_id, account_id, _PRODUCTS[type(record)], entry_key))


class _News:
    """What linked Items are to hear of."""

    def __init__(self) -> None:
        # By institution, the accounts that are no longer as they were.
        self.changed: defaultdict[str, set[str]] = defaultdict(set)
        # By institution and product, the first day and the accounts.
        self._since: dict[tuple[str, str], str] = {}
        self._accounts: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        # Institutions of whose securities any has changed.
        self.repriced: set[str] = set()

    def add(self, institution_id: str, account_id: str, product: str, day: str) -> None:
        place = institution_id, product
        self._since[place] = min(day, self._since.get(place, day))
        self._accounts[place].add(account_id)

    def write(self, change: Change, client_id: str, now: int) -> None:
        """Rows of Items come last, so that Changes lock them for a short time only."""
        for (institution_id, product), since in self._since.items():
            change.write(
                rows.TELL_NEWS,
                rows=None,
                the_client_id=client_id,
                the_institution_id=institution_id,
                the_product=product,
                account_ids=encode_names(self._accounts[institution_id, product]),
                since=since,
            )
        for institution_id in sorted(self.repriced):
            change.write(
                rows.TELL_NEWS_TO_ALL,
                rows=None,
                the_client_id=client_id,
                the_institution_id=institution_id,
                the_product=Products.INVESTMENTS.value,
                since=_NO_DAY,
            )
        for institution_id, account_ids in sorted(self.changed.items()):
            change.write(
                rows.WAKE_READERS,
                rows=None,
                the_client_id=client_id,
                the_institution_id=institution_id,
                account_ids=encode_names(account_ids),
                instant=now,
            )
