"""Items and accounts as they are stored, and the queries that find them."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import BigInteger, and_, bindparam, case, select, update

from treadle.bank.model import AccountData, Numbers
from treadle.keys import Keys
from treadle.store.columns import decode_names
from treadle.store.statements import Query, Write
from treadle.store.tables import accounts, items

_decode_account = msgspec.json.Decoder(AccountData).decode
_decode_numbers = msgspec.json.Decoder(Numbers).decode


class Item(msgspec.Struct):
    item_id: str
    client_id: str
    institution_id: str
    webhook: str | None
    available_products_json: str
    billed_products_json: str
    error_code: str | None
    login_expires_at: int | None
    created_at: int
    removed_at: int | None
    revision: int
    # From when on time alone may have changed something; see `waking.py`.
    wakes_at: int | None
    # The name of the source that it came from.
    source: str

    @property
    def available_products(self) -> tuple[str, ...]:
        return decode_names(self.available_products_json)

    @property
    def billed_products(self) -> tuple[str, ...]:
        return decode_names(self.billed_products_json)

    def is_due(self, now: int) -> bool:
        """Whether time alone may have changed something about it."""
        return self.wakes_at is not None and self.wakes_at <= now

    def error_at(self, now: int) -> str | None:
        """The code of the error the Item is in, if any."""
        if self.error_code is None and self.login_expires_at is not None:
            return "ITEM_LOGIN_REQUIRED" if self.login_expires_at <= now else None
        return self.error_code


class Account(msgspec.Struct):
    item_id: str
    account_id: str
    data_json: str
    sealed_numbers: bytes | None

    @property
    def data(self) -> AccountData:
        return _decode_account(self.data_json)

    def numbers(self, keys: Keys) -> Numbers | None:
        if self.sealed_numbers is None:
            return None
        place = numbers_place(self.item_id, self.account_id)
        return _decode_numbers(keys.unseal(self.sealed_numbers, place))


def numbers_place(item_id: str, account_id: str) -> str:
    """What binds sealed numbers to their row."""
    return f"accounts/numbers/{item_id}:{account_id}"


# The columns of an Item and of an account, in the order of their structs.
ITEM_COLUMNS = (
    items.c.item_id,
    items.c.client_id,
    items.c.institution_id,
    items.c.webhook,
    items.c.available_products,
    items.c.billed_products,
    items.c.error_code,
    items.c.login_expires_at,
    items.c.created_at,
    items.c.removed_at,
    items.c.revision,
    items.c.wakes_at,
    items.c.source,
)
ACCOUNT_COLUMNS = (
    accounts.c.item_id,
    accounts.c.account_id,
    accounts.c.data,
    accounts.c.numbers,
)

ITEM = Query(
    select(*ITEM_COLUMNS)
    .where(items.c.item_id == bindparam("item_id"))
    .where(items.c.client_id == bindparam("client_id"))
    .where(items.c.removed_at.is_(None)),
    Item,
)
ACCOUNTS_OF_ITEM = Query(
    select(*ACCOUNT_COLUMNS)
    .where(accounts.c.item_id == bindparam("item_id"))
    .where(accounts.c.client_id == bindparam("client_id"))
    .order_by(accounts.c.position),
    Account,
)


class AccountOfItem(msgspec.Struct):
    """What one look at a live Item tells of an account id."""

    account: Account | None


def _account_of_item(*row: Any) -> AccountOfItem:
    return AccountOfItem(Account(*row) if row[0] is not None else None)


_wanted = and_(
    accounts.c.item_id == items.c.item_id, accounts.c.account_id == bindparam("account_id")
)
# No row stands for an Item that is gone, a row without an account for one that lacks it.
ACCOUNT_OF_ITEM = Query(
    select(*ACCOUNT_COLUMNS)
    .select_from(items.outerjoin(accounts, _wanted))
    .where(items.c.item_id == bindparam("item_id"))
    .where(items.c.client_id == bindparam("client_id"))
    .where(items.c.removed_at.is_(None)),
    _account_of_item,
)

# Fails as a guard once the Item is removed; until the Change is kept, it cannot be.
HOLD_ITEM = Write(
    select(items.c.item_id)
    .where(items.c.item_id == bindparam("the_item_id"))
    .where(items.c.client_id == bindparam("the_client_id"))
    .where(items.c.removed_at.is_(None))
    .with_for_update(read=True)
)

# The same for a Change that goes on to write the row. Two that only held it would then wait for
# each other.
LOCK_ITEM = Write(
    select(items.c.item_id)
    .where(items.c.item_id == bindparam("the_item_id"))
    .where(items.c.client_id == bindparam("the_client_id"))
    .where(items.c.removed_at.is_(None))
    .with_for_update()
)

INSERT_ITEM = Write.insert(items)
INSERT_ACCOUNT = Write.insert(accounts)


def update_item(**columns: Any) -> Write:
    """An update of the Item as it was read: it touches no row once another change came first."""
    return Write(
        update(items)
        .where(items.c.item_id == bindparam("the_item_id"))
        .where(items.c.client_id == bindparam("the_client_id"))
        .where(items.c.revision == bindparam("seen_revision"))
        .where(items.c.removed_at.is_(None))
        .values(revision=items.c.revision + 1, **columns)
    )


def wake_by(*conditions: Any) -> Write:
    """To be looked at no later than at an instant, and again by whoever looks just now.

    Guarded updates of the same Item go before it in a Change.
    """
    instant = bindparam("instant", type_=BigInteger)
    return Write(
        update(items)
        .where(items.c.client_id == bindparam("the_client_id"))
        .where(items.c.removed_at.is_(None))
        .where(*conditions)
        .values(
            wakes_at=case((items.c.wakes_at < instant, items.c.wakes_at), else_=instant),
            revision=items.c.revision + 1,
        )
    )


WAKE_BY = wake_by(items.c.item_id == bindparam("the_item_id"))


def guarded_by(item: Item) -> dict[str, Any]:
    """The parameters of an `update_item` that decided on this Item."""
    return {
        "the_item_id": item.item_id,
        "the_client_id": item.client_id,
        "seen_revision": item.revision,
    }
