"""Taking records into a batch, one kind after another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import UNSET, structs

from treadle.bank.holding import Security, is_investment
from treadle.bank.liabilities import can_owe
from treadle.bank.model import AccountData
from treadle.ingest import records
from treadle.ingest.batch import Batch
from treadle.ingest.checking import Refused, check_currency, check_date, money, optional_money
from treadle.ingest.converting import as_balances, as_holding, as_transaction
from treadle.ingest.rows import (
    AccessRow,
    AccountRow,
    EntryRow,
    InstitutionRow,
    Key,
    SecurityRow,
    Shelf,
    UserRow,
)
from treadle.keys import Keys
from treadle.sources.stored.passwords import parse_hash
from treadle.sources.stored.rows import (
    StoredInstitution,
    StoredInvestmentTransaction,
    numbers_place,
)
from treadle.wire.common import Products

# All of them are read whenever one is looked for.
MOST_INSTITUTIONS = 1_000

_TRANSACTIONS, _INVESTMENTS = Products.TRANSACTIONS.value, Products.INVESTMENTS.value
_NO_BALANCES = records.Balances()
_decode_account = msgspec.json.Decoder(AccountData).decode


class Outcome(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


class Taker:
    """Takes the records of one client."""

    def __init__(self, keys: Keys, batch: Batch) -> None:
        self._keys = keys
        self._batch = batch
        self._named = {
            (key[0], row.username): key for key, row in batch.users.items() if row.username
        }
        # Who sees an account, and how many accounts somebody sees.
        self._seen_by: defaultdict[Key, list[Key]] = defaultdict(list)
        self._places: Counter[Key] = Counter()
        for key in batch.access:
            self._note_access(key)
        self._takes: dict[type, Callable[[Any], Outcome]] = {
            records.Transaction: self._transaction,
            records.Institution: self._institution,
            records.User: self._user,
            records.Account: self._account,
            records.AccountBalances: self._balances,
            records.AccountOwners: self._owners,
            records.Security: self._security,
            records.Holdings: self._holdings,
            records.InvestmentTransaction: self._investment_transaction,
            records.AccountLiability: self._liability,
            records.DeleteUser: self._delete_user,
            records.DeleteAccount: self._delete_account,
            records.DeleteTransaction: self._delete_transaction,
            records.DeleteInvestmentTransaction: self._delete_investment_transaction,
            records.DeleteLiability: self._delete_liability,
        }

    def take(self, record: records.AnyRecord) -> Outcome:
        """Raises Refused, with nothing done, for a record that makes no sense."""
        is_first = isinstance(record, records.Institution)
        if not is_first and (record.institution_id,) not in self._batch.institutions:
            raise Refused(f"there is no institution {record.institution_id}")
        return self._takes[type(record)](record)

    def _institution(self, record: records.Institution) -> Outcome:
        institutions, key = self._batch.institutions, (record.institution_id,)
        if key not in institutions:
            if self._batch.institution_count >= MOST_INSTITUTIONS:
                raise Refused(f"there may be {MOST_INSTITUTIONS} institutions at most")
            self._batch.institution_count += 1
        stored = StoredInstitution(
            client_id=self._batch.client_id,
            institution_id=record.institution_id,
            name=record.name,
            country_codes=[one.value for one in record.country_codes],
            products=sorted({one.value for one in record.products}),
            oauth=False,
            routing_numbers=record.routing_numbers,
            dtc_numbers=record.dtc_numbers,
            url=record.url,
            primary_color=record.primary_color,
            supported=True,
            status="up",
            auth_metadata=None,
            payment_initiation_metadata=None,
        )
        return _put(institutions, key, InstitutionRow(_encode(stored)))

    def _user(self, record: records.User) -> Outcome:
        if record.password_hash is not None:
            if record.username is None:
                raise Refused("password_hash must come with a username")
            try:
                parse_hash(record.password_hash)
            except ValueError as error:
                raise Refused(f"password_hash {error}") from None
        users, key = self._batch.users, (record.institution_id, record.user_id)
        known = users.get(key)
        if known and known[:2] == (record.username, record.password_hash):
            return Outcome.UNCHANGED
        if record.username is not None:
            holder = self._named.get((record.institution_id, record.username), key)
            if holder != key and holder in users:
                raise Refused(f"username is that of another user, {holder[1]}")
        if known and known.username is not None:
            del self._named[record.institution_id, known.username]
        if record.username is not None:
            self._named[record.institution_id, record.username] = key
        return _put(users, key, UserRow(record.username, record.password_hash))

    def _account(self, record: records.Account) -> Outcome:
        institution_id, account_id = key = record.institution_id, record.account_id
        for user_id in record.user_ids:
            if (institution_id, user_id) not in self._batch.users:
                raise Refused(f"user_ids: there is no user {user_id}")
        known = self._batch.accounts.get(key)
        before = _decode_account(known.data_json) if known else None
        balances, owners = record.balances, record.owners
        data = AccountData(
            name=record.name,
            official_name=record.official_name,
            mask=record.mask,
            type=record.type,
            subtype=record.subtype,
            holder_category=record.holder_category,
            balances=before.balances
            if balances is UNSET and before
            else as_balances(balances or _NO_BALANCES),
            owners_json=before.owners_json
            if owners is UNSET and before
            else msgspec.Raw(msgspec.json.encode(owners or [])),
        )
        row = known or AccountRow("")
        row = row._replace(data_json=_encode(data), sealed_numbers=self._sealed(record, known))
        granted = self._grant(record)
        outcome = _put(self._batch.accounts, (institution_id, account_id), row)
        return Outcome.CHANGED if outcome is Outcome.UNCHANGED and granted else outcome

    def _sealed(self, record: records.Account, known: AccountRow | None) -> bytes | None:
        """The numbers, sealed anew only when they are other ones."""
        sealed = known.sealed_numbers if known else None
        if record.numbers is UNSET:
            return sealed
        if record.numbers is None:
            return None
        client_id = self._batch.client_id
        place = numbers_place(client_id, record.institution_id, record.account_id)
        plain = msgspec.json.encode(record.numbers)
        if sealed is not None and self._keys.unseal(sealed, place) == plain:
            return sealed
        return self._keys.seal(plain, place)

    def _grant(self, record: records.Account) -> bool:
        """Let those see the account that the record names, and nobody else.

        What a user sees keeps its place for good.
        """
        access, changed = self._batch.access, False
        institution_id, account_id = record.institution_id, record.account_id
        wanted = set(record.user_ids)
        for key in self._seen_by[institution_id, account_id]:
            ended = int(key[1] not in wanted)
            wanted.discard(key[1])
            if access[key].ended != ended:
                access[key], changed = access[key]._replace(ended=ended), True
        for user_id in sorted(wanted):
            key = institution_id, user_id, account_id
            access[key] = AccessRow(self._places[institution_id, user_id], ended=0)
            self._note_access(key)
        return changed or bool(wanted)

    def _note_access(self, key: Key) -> None:
        institution_id, user_id, account_id = key
        self._seen_by[institution_id, account_id].append(key)
        self._places[institution_id, user_id] += 1

    def _balances(self, record: records.AccountBalances) -> Outcome:
        data = self._data_of(record)
        return self._keep(record, structs.replace(data, balances=as_balances(record.balances)))

    def _owners(self, record: records.AccountOwners) -> Outcome:
        owners = msgspec.Raw(msgspec.json.encode(record.owners))
        return self._keep(record, structs.replace(self._data_of(record), owners_json=owners))

    def _keep(
        self, record: records.AccountBalances | records.AccountOwners, data: AccountData
    ) -> Outcome:
        row = self._row_of(record)._replace(data_json=_encode(data))
        return _put(self._batch.accounts, (record.institution_id, record.account_id), row)

    def _row_of(self, record: Any) -> AccountRow:
        row = self._batch.accounts.get((record.institution_id, record.account_id))
        if row is None:
            raise Refused(f"there is no account {record.account_id}")
        return row

    def _data_of(self, record: Any) -> AccountData:
        return _decode_account(self._row_of(record).data_json)

    def _transaction(self, record: records.Transaction) -> Outcome:
        self._row_of(record)
        stored = as_transaction(record)
        place = record.institution_id, record.account_id, _TRANSACTIONS
        if record.pending_transaction_id is not None:
            self._batch.entries.pop((*place, record.pending_transaction_id), None)
        row = EntryRow(record.date.isoformat(), _encode(stored))
        return _put(self._batch.entries, (*place, record.transaction_id), row)

    def _investment_transaction(self, record: records.InvestmentTransaction) -> Outcome:
        if not is_investment(self._data_of(record)):
            raise Refused(f"account {record.account_id} is none of type investment")
        check_date(record.date, "date")
        check_currency(record.iso_currency_code, record.unofficial_currency_code)
        if record.security_id is not None:
            self._check_security(record.institution_id, record.security_id)
        stored = StoredInvestmentTransaction(
            date=record.date,
            name=record.name,
            type=record.type,
            subtype=record.subtype,
            amount=money(record.amount, "amount"),
            quantity=money(record.quantity, "quantity"),
            price=money(record.price, "price"),
            fees=optional_money(record.fees, "fees"),
            security_id=record.security_id,
            iso_currency_code=record.iso_currency_code,
            unofficial_currency_code=record.unofficial_currency_code,
        )
        place = record.institution_id, record.account_id, _INVESTMENTS
        row = EntryRow(record.date.isoformat(), _encode(stored))
        return _put(self._batch.entries, (*place, record.investment_transaction_id), row)

    def _check_security(self, institution_id: str, security_id: str) -> None:
        if (institution_id, security_id) not in self._batch.securities:
            raise Refused(f"there is no security {security_id}")

    def _security(self, record: records.Security) -> Outcome:
        check_date(record.close_price_as_of, "close_price_as_of")
        check_currency(record.iso_currency_code, record.unofficial_currency_code)
        told = structs.asdict(record)
        del told["institution_id"]
        told["close_price"] = optional_money(record.close_price, "close_price")
        row = SecurityRow(_encode(Security(**told)))
        return _put(self._batch.securities, (record.institution_id, record.security_id), row)

    def _holdings(self, record: records.Holdings) -> Outcome:
        known = self._row_of(record)
        if not is_investment(_decode_account(known.data_json)):
            raise Refused(f"account {record.account_id} is none of type investment")
        held = []
        for place, one in enumerate(record.holdings):
            self._check_security(record.institution_id, one.security_id)
            held.append(as_holding(one, f"holdings[{place}]."))
        if len({one.security_id for one in held}) < len(held):
            raise Refused("holdings must name each security once")
        row = known._replace(holdings_json=_encode(held))
        return _put(self._batch.accounts, (record.institution_id, record.account_id), row)

    def _liability(self, record: records.AccountLiability) -> Outcome:
        known = self._row_of(record)
        if not can_owe(_decode_account(known.data_json)):
            raise Refused(f"account {record.account_id} is of a type without liabilities")
        row = known._replace(liability_json=_encode(record.liability))
        return _put(self._batch.accounts, (record.institution_id, record.account_id), row)

    def _delete_user(self, record: records.DeleteUser) -> Outcome:
        access, key = self._batch.access, (record.institution_id, record.user_id)
        for one in [one for one in access if one[:2] == key]:
            access[one] = access[one]._replace(ended=1)
        return _drop(self._batch.users, key)

    def _delete_account(self, record: records.DeleteAccount) -> Outcome:
        key = record.institution_id, record.account_id
        if key in self._batch.accounts:
            self._batch.purge(*key)
        return _drop(self._batch.accounts, key)

    def _delete_transaction(self, record: records.DeleteTransaction) -> Outcome:
        place = record.institution_id, record.account_id, _TRANSACTIONS
        return _drop(self._batch.entries, (*place, record.transaction_id))

    def _delete_investment_transaction(
        self, record: records.DeleteInvestmentTransaction
    ) -> Outcome:
        place = record.institution_id, record.account_id, _INVESTMENTS
        return _drop(self._batch.entries, (*place, record.investment_transaction_id))

    def _delete_liability(self, record: records.DeleteLiability) -> Outcome:
        known = self._batch.accounts.get((record.institution_id, record.account_id))
        if known is None or known.liability_json is None:
            return Outcome.UNCHANGED
        row = known._replace(liability_json=None)
        self._batch.accounts[record.institution_id, record.account_id] = row
        return Outcome.DELETED


def _put(shelf: Shelf[Any], key: tuple[str, ...], row: tuple[Any, ...]) -> Outcome:
    known = shelf.get(key)
    if known == row:
        return Outcome.UNCHANGED
    shelf[key] = row
    return Outcome.ADDED if known is None else Outcome.CHANGED


def _drop(shelf: Shelf[Any], key: tuple[str, ...]) -> Outcome:
    return Outcome.UNCHANGED if shelf.pop(key, None) is None else Outcome.DELETED


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
