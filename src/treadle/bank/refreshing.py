"""Keeping an Item's accounts as their source tells of them, where it does."""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, select, update

from treadle.bank.model import AccountData, Numbers, SourceAccount
from treadle.bank.rows import numbers_place
from treadle.bank.unsharing import unshare
from treadle.bank.updates import LOGIN_OF_ITEM, login_place
from treadle.call import ItemCall
from treadle.keys import Keys
from treadle.store.statements import Query, Write
from treadle.store.tables import accounts

_decode_account = msgspec.json.Decoder(AccountData).decode
_decode_numbers = msgspec.json.Decoder(Numbers).decode


class _Kept(msgspec.Struct):
    account_id: str
    source_key: str | None
    data_json: str
    sealed_numbers: bytes | None

    def numbers(self, keys: Keys, item_id: str) -> Numbers | None:
        if self.sealed_numbers is None:
            return None
        place = numbers_place(item_id, self.account_id)
        return _decode_numbers(keys.unseal(self.sealed_numbers, place))


_KEPT = Query(
    select(accounts.c.account_id, accounts.c.source_key, accounts.c.data, accounts.c.numbers)
    .where(accounts.c.item_id == bindparam("item_id"))
    .where(accounts.c.client_id == bindparam("client_id")),
    _Kept,
)
_SET_ACCOUNT = Write(
    update(accounts)
    .where(accounts.c.item_id == bindparam("the_item_id"))
    .where(accounts.c.client_id == bindparam("the_client_id"))
    .where(accounts.c.account_id == bindparam("the_account_id"))
    .values(data=bindparam("data"), numbers=bindparam("numbers"))
)


async def refresh_accounts(call: ItemCall) -> bool:
    """Add to the call's Change what is new about the Item's accounts.

    False when its user sees none of them any more; then nothing is added.
    """
    item = call.item
    of_item = {"item_id": item.item_id, "client_id": item.client_id}
    sealed = await call.first(LOGIN_OF_ITEM, **of_item)
    if sealed is None:
        return True
    secret = call.services.keys.unseal(sealed, login_place(item.item_id))
    shown = await call.services.sources.named(item.source).accounts(secret)
    if shown is None:
        return True
    there = {one.source_key: one for one in shown if not one.closed}
    kept = await call.all(_KEPT, **of_item)
    gone = {one.account_id for one in kept if one.source_key not in there}
    if len(gone) == len(kept):
        return False
    if gone:
        await unshare(call, item, gone)
    for account in kept:
        if account.account_id not in gone:
            _keep(call, account, there[account.source_key])
    return True


def _keep(call: ItemCall, kept: _Kept, shown: SourceAccount) -> None:
    """What has become of the account's verification here is nothing that its source knows."""
    keys, item_id = call.services.keys, call.item.item_id
    before = _decode_account(kept.data_json)
    data = msgspec.structs.replace(
        shown.data,
        verification_status=before.verification_status,
        wrong_codes=before.wrong_codes,
    )
    data_json = msgspec.json.encode(data).decode()
    same_numbers = shown.numbers == kept.numbers(keys, item_id)
    if data_json == kept.data_json and same_numbers:
        return
    sealed = kept.sealed_numbers
    if not same_numbers:
        place = numbers_place(item_id, kept.account_id)
        numbers_json = msgspec.json.encode(shown.numbers)
        sealed = None if shown.numbers is None else keys.seal(numbers_json, place)
    call.change.write(
        _SET_ACCOUNT,
        the_item_id=item_id,
        the_client_id=call.item.client_id,
        the_account_id=kept.account_id,
        data=data_json,
        numbers=sealed,
    )
