"""The source of what an operator brings: it serves what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
from msgspec import structs

from treadle.bank.holding import Portfolio, SourceInvestmentTransaction, is_investment
from treadle.bank.liability import Liability
from treadle.bank.model import (
    AccountData,
    Balances,
    Institution,
    Numbers,
    SourceAccount,
    SourceTransaction,
)
from treadle.clock import MINUTE
from treadle.http.errors import FORCED, INVALID_UPDATED_USERNAME
from treadle.keys import Keys
from treadle.sources.source import (
    Challenge,
    InvestmentsPicture,
    KnownAccount,
    Login,
    MalformedPassword,
    Reading,
    TransactionsPicture,
)
from treadle.sources.stored import rows
from treadle.sources.stored.passwords import NOBODY, parse_hash
from treadle.sources.stored.rows import StoredInstitution, StoredUser
from treadle.store.change import Change, GuardFailed, Store
from treadle.wire.common import AccountType, Products

# So many wrong passwords in a row shut the door, and for how long.
_MOST_FAILURES = 5
_LOCKED = 15 * MINUTE

# Stands between the parts of a source key; no id of an operator holds it.
_SEPARATOR = "\x1f"


class StoredLogin(msgspec.Struct, forbid_unknown_fields=True):
    """Whose accounts an Item reads."""

    client_id: str
    institution_id: str
    user_id: str


_decode_login = msgspec.json.Decoder(StoredLogin).decode
_decode_account = msgspec.json.Decoder(AccountData).decode
_decode_numbers = msgspec.json.Decoder(Numbers).decode
_liabilities: msgspec.json.Decoder[Liability] = msgspec.json.Decoder(Liability)
_CLOSED = AccountData(
    name="Closed account",
    official_name=None,
    mask=None,
    type=AccountType.OTHER,
    subtype=None,
    holder_category=None,
    balances=Balances(None, None, None, None, None),
    owners_json=msgspec.Raw(b"[]"),
)


def secret_of(institution: Institution, user_id: str) -> bytes:
    """What an Item of this user keeps to go on reading."""
    return msgspec.json.encode(StoredLogin(user_id=user_id, **_keys_of(institution)))


class StoredSource:
    name = "stored"
    login_days: int | None = None
    deposit_code: str | None = None

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    async def institutions(self, client_id: str) -> Mapping[str, Institution]:
        found = await self._store.all(rows.INSTITUTIONS, client_id=client_id)
        return {one.institution_id: one for one in found}

    async def log_in(
        self, institution: Institution, username: str, password: str, now: int, seed: str
    ) -> Login:
        """Wrong passwords are counted, and a user who has too many is locked out for a while."""
        of_institution = _keys_of(institution)
        user = await self._store.first(rows.USER_NAMED, username=username, **of_institution)
        if user is not None and user.locked_until > now:
            raise FORCED["ITEM_LOCKED"]()
        known = user is not None and user.password_hash is not None
        expected = parse_hash(user.password_hash) if user and user.password_hash else NOBODY
        matches = await asyncio.to_thread(expected.matches, password)
        if user is None or not known:
            raise FORCED["INVALID_CREDENTIALS"]()
        if not matches:
            await self._count(user, user.failures + 1, now, of_institution)
            raise FORCED["INVALID_CREDENTIALS"]()
        if user.failures:
            await self._count(user, 0, now, of_institution)
        return await self.login_of(institution, user.user_id)

    async def _count(
        self, user: StoredUser, failures: int, now: int, of_institution: dict[str, str]
    ) -> None:
        """Write down how many wrong passwords came in a row.

        Raises ApiError when other attempts came first: of several at the same time one counts.
        """
        locked = failures >= _MOST_FAILURES
        change = Change()
        change.write(
            rows.COUNT_FAILURE,
            the_client_id=of_institution["client_id"],
            the_institution_id=of_institution["institution_id"],
            the_user_id=user.user_id,
            seen_failures=user.failures,
            failures=0 if locked else failures,
            locked_until=now + _LOCKED if locked else 0,
        )
        try:
            await self._store.commit(change)
        except GuardFailed:
            raise FORCED["ITEM_LOCKED"]() from None

    async def login_of(self, institution: Institution, user_id: str) -> Login:
        """What a login of this user gives. Raises ApiError when there is no such user."""
        login = StoredLogin(user_id=user_id, **_keys_of(institution))
        if await self._store.first(rows.USER, **structs.asdict(login)) is None:
            raise FORCED["INVALID_CREDENTIALS"]()
        return Login(await self._accounts(login), msgspec.json.encode(login))

    async def challenge(
        self, institution: Institution, username: str, password: str, answers: list[list[str]]
    ) -> Challenge | None:
        return None

    def renewed(self, secret: bytes, login: Login) -> bytes:
        if secret != login.secret:
            raise INVALID_UPDATED_USERNAME()
        return secret

    async def revived(self, institution: Institution, secret: bytes) -> Login:
        try:
            login = _decode_login(secret)
        except msgspec.DecodeError as error:
            raise MalformedPassword(f"is no login of a stored user: {error}") from None
        return await self.login_of(institution, login.user_id)

    async def accounts(self, secret: bytes) -> list[SourceAccount] | None:
        return await self._accounts(_decode_login(secret))

    async def _accounts(self, login: StoredLogin) -> list[SourceAccount]:
        found = await self._store.all(rows.ACCOUNTS_OF_USER, **structs.asdict(login))
        return [self._account(login, one) for one in found]

    def _account(self, login: StoredLogin, stored: rows.StoredAccount) -> SourceAccount:
        if stored.ended or stored.data_json is None:
            return SourceAccount(_CLOSED, None, stored.account_id, closed=True)
        numbers = None
        if stored.sealed_numbers is not None:
            place = rows.numbers_place(login.client_id, login.institution_id, stored.account_id)
            numbers = _decode_numbers(self._keys.unseal(stored.sealed_numbers, place))
        return SourceAccount(_decode_account(stored.data_json), numbers, stored.account_id)

    async def transactions(self, reading: Reading) -> TransactionsPicture:
        login = _decode_login(reading.secret)
        shown = [
            _transaction(account, entry)
            for account in await self._readable(login, reading)
            for entry in await self._entries(login, reading, account)
        ]
        return TransactionsPicture(shown)

    async def _readable(self, login: StoredLogin, reading: Reading) -> list[KnownAccount]:
        """Those of an Item's accounts that its user still sees."""
        found = await self._store.all(rows.ACCOUNTS_OF_USER, **structs.asdict(login))
        seen = {one.account_id for one in found if not one.ended and one.data_json is not None}
        return [account for account in reading.accounts if account.source_key in seen]

    async def _entries(
        self, login: StoredLogin, reading: Reading, account: KnownAccount
    ) -> list[rows.StoredEntry]:
        """Those of the days that the picture covers, and the pending ones from before."""
        of_account = {
            "client_id": login.client_id,
            "institution_id": login.institution_id,
            "account_id": account.source_key,
            "product": Products.TRANSACTIONS.value,
        }
        found = await self._store.all(
            rows.ENTRIES_SINCE, since=reading.since.isoformat(), **of_account
        )
        covered = {one.entry_key for one in found}
        pending = {
            one.source_key.partition(_SEPARATOR)[2]
            for one in reading.known
            if one.pending and one.account_id == account.account_id
        }
        if earlier := sorted(pending - covered):
            names = msgspec.json.encode(earlier).decode()
            found += await self._store.all(rows.ENTRIES_NAMED, entry_keys=names, **of_account)
        return found

    async def investments(self, reading: Reading) -> InvestmentsPicture:
        login = _decode_login(reading.secret)
        accounts = [one for one in await self._readable(login, reading) if is_investment(one.data)]
        held = await self._details(login, accounts)
        portfolios, shown = {}, []
        for account in accounts:
            traded = await self._trades(login, account)
            shown += [one for one in traded if one.date >= reading.since]
            holdings_json = held[account.source_key or ""].holdings_json
            holdings = rows.decode_holdings(holdings_json) if holdings_json else []
            named = {one.security_id for one in holdings}
            named |= {one.security_id for one in traded if one.security_id}
            securities = await self._store.all(
                rows.SECURITIES,
                client_id=login.client_id,
                institution_id=login.institution_id,
                security_ids=msgspec.json.encode(sorted(named)).decode(),
            )
            portfolios[account.account_id] = Portfolio(holdings, securities)
        return InvestmentsPicture(portfolios, shown)

    async def _trades(
        self, login: StoredLogin, account: KnownAccount
    ) -> list[SourceInvestmentTransaction]:
        """All there ever were, for they name securities that an app may ask for."""
        found = await self._store.all(
            rows.ENTRIES_SINCE,
            client_id=login.client_id,
            institution_id=login.institution_id,
            account_id=account.source_key,
            product=Products.INVESTMENTS.value,
            since="",
        )
        return [_trade(account, entry) for entry in found]

    async def liabilities(self, reading: Reading) -> dict[str, Liability]:
        login = _decode_login(reading.secret)
        accounts = await self._readable(login, reading)
        owed = await self._details(login, accounts)
        return {
            account.account_id: _liabilities.decode(liability_json)
            for account in accounts
            if (liability_json := owed[account.source_key or ""].liability_json)
        }

    async def _details(
        self, login: StoredLogin, accounts: list[KnownAccount]
    ) -> dict[str, rows.StoredDetails]:
        found = await self._store.all(
            rows.DETAILS,
            client_id=login.client_id,
            institution_id=login.institution_id,
            account_ids=msgspec.json.encode([one.source_key for one in accounts]).decode(),
        )
        return {one.account_id: one for one in found}


def _keys_of(institution: Institution) -> dict[str, str]:
    """Raises TypeError for an institution of another source."""
    if not isinstance(institution, StoredInstitution):
        raise TypeError(f"{institution.institution_id} was not brought by an operator")
    return {"client_id": institution.client_id, "institution_id": institution.institution_id}


def _transaction(account: KnownAccount, entry: rows.StoredEntry) -> SourceTransaction:
    told = structs.asdict(rows.decode_transaction(entry.data_json))
    pending_id = told.pop("pending_transaction_id")
    shown = SourceTransaction(
        source_key=_source_key(entry.account_id, entry.entry_key),
        account_id=account.account_id,
        pending_key=_source_key(entry.account_id, pending_id) if pending_id else None,
        **told,
    )
    return shown if _has_currency(shown) else structs.replace(shown, **_currency_of(account))


def _trade(account: KnownAccount, entry: rows.StoredEntry) -> SourceInvestmentTransaction:
    shown = SourceInvestmentTransaction(
        source_key=_source_key(entry.account_id, entry.entry_key),
        account_id=account.account_id,
        **structs.asdict(rows.decode_investment_transaction(entry.data_json)),
    )
    return shown if _has_currency(shown) else structs.replace(shown, **_currency_of(account))


def _source_key(account_id: str, entry_key: str) -> str:
    return f"{account_id}{_SEPARATOR}{entry_key}"


def _has_currency(shown: SourceTransaction | SourceInvestmentTransaction) -> bool:
    return shown.iso_currency_code is not None or shown.unofficial_currency_code is not None


def _currency_of(account: KnownAccount) -> dict[str, str | None]:
    balances = account.data.balances
    return {
        "iso_currency_code": balances.iso_currency_code,
        "unofficial_currency_code": balances.unofficial_currency_code,
    }
