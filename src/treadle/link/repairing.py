"""Update mode: the Item that is there is repaired, keeps its id and its access token."""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, select

from treadle.bank.linking import keep_accounts, login_until
from treadle.bank.model import AccountData
from treadle.bank.rows import ITEM_COLUMNS, Item, guarded_by, update_item
from treadle.bank.unsharing import unshare
from treadle.bank.updates import (
    KNOWN_ACCOUNTS,
    LOGIN_OF_ITEM,
    login_place,
)
from treadle.bank.verification import keep_verification
from treadle.bank.waking import wake
from treadle.call import ClientCall
from treadle.http.errors import ITEM_NOT_FOUND
from treadle.link.adding import keep_result, shared_account
from treadle.link.setup import Update
from treadle.link.state import MOST_CODES, Added, Deposit
from treadle.link.step import Step
from treadle.sources.source import KnownAccount, Login
from treadle.store.statements import Query
from treadle.store.tables import items
from treadle.wire.common import AccountBaseVerificationStatus as Status

_ITEM = Query(
    select(*ITEM_COLUMNS)
    .where(items.c.item_id == bindparam("item_id"))
    .where(items.c.client_id == bindparam("client_id"))
    .where(items.c.removed_at.is_(None)),
    Item,
)
_REPAIR = update_item(
    error_code=None,
    login=bindparam("login"),
    login_expires_at=bindparam("login_expires_at"),
    available_products=bindparam("available"),
    billed_products=bindparam("billed"),
)


async def shared_accounts(call: ClientCall, update: Update) -> list[KnownAccount]:
    """The accounts that the Item has. Raises ApiError when it is gone."""
    found = await call.all(KNOWN_ACCOUNTS, item_id=update.item_id, client_id=call.client.client_id)
    if not found:
        raise ITEM_NOT_FOUND()
    return found


async def renewed_secret(call: ClientCall, update: Update, login: Login) -> bytes:
    """What the Item keeps of a new login. Raises ApiError when the Item is gone, or another's."""
    of_item = {"item_id": update.item_id, "client_id": call.client.client_id}
    item, sealed = await call.first(_ITEM, **of_item), await call.first(LOGIN_OF_ITEM, **of_item)
    if item is None or sealed is None:
        raise ITEM_NOT_FOUND()
    secret = call.services.keys.unseal(sealed, login_place(update.item_id))
    return call.services.sources.named(item.source).renewed(secret, login)


async def repair_item(call: ClientCall, step: Step, session_id: str, update: Update) -> str:
    """Add the repair of the Item to the call's Change; answers a public token, which need not be
    exchanged. Raises ApiError when the Item is gone."""
    login = step.login
    item = await _find_item(call, update)
    billed = sorted({*item.billed_products, *step.setup.products})
    call.change.write(
        _REPAIR,
        login=call.services.keys.seal(login.secret, login_place(item.item_id)),
        login_expires_at=login_until(call.now, call.services.sources.named(item.source)),
        available=_encode(sorted(set(item.available_products) - set(billed))),
        billed=_encode(billed),
        **guarded_by(item),
    )
    call.wake_item(item)
    call.record("item.repair", item_id=item.item_id)
    shared = await shared_accounts(call, update)
    gone = {one.account_id for one in shared if one.position not in login.chosen}
    if gone:
        await unshare(call, item, gone)
    new = [place for place in login.chosen if place not in {one.position for one in shared}]
    added = keep_accounts(call, item.item_id, login.accounts, new)
    accounts = [(one.account_id, one.data) for one in shared if one.account_id not in gone]
    accounts += [(account_id, account.data) for account_id, account in added]
    institution = step.institution
    return keep_result(
        call,
        step,
        session_id,
        Added(
            item.item_id,
            institution.institution_id,
            institution.name,
            [shared_account(account_id, data) for account_id, data in accounts],
        ),
    )


async def keep_verdict(call: ClientCall, update: Update, deposit: Deposit, *, right: bool) -> None:
    """Keep what a code says of the account whose deposit is awaited.

    The account is read anew, for codes that were tried in other sessions count as well. Raises
    ApiError when it is gone.
    """
    item = await _find_item(call, update)
    [account] = [one.data for one in await shared_accounts(call, update)]
    if account.verification_status is Status.PENDING_MANUAL_VERIFICATION:
        _judge(account, right=right)
        keep_verification(call, item, deposit.account_id, account)
    deposit.account = account


def _judge(account: AccountData, *, right: bool) -> None:
    if right:
        account.verification_status = Status.MANUALLY_VERIFIED
        return
    account.wrong_codes += 1
    if account.wrong_codes >= MOST_CODES:
        account.verification_status = Status.VERIFICATION_FAILED


def result_of_deposit(call: ClientCall, step: Step, session_id: str, deposit: Deposit) -> str:
    """A public token of the Item whose account is now verified."""
    item_id = step.setup.update.item_id if step.setup.update else ""
    account = shared_account(deposit.account_id, deposit.account)
    return keep_result(call, step, session_id, Added(item_id, None, None, [account]))


async def _find_item(call: ClientCall, update: Update) -> Item:
    # What time has done to it comes first.
    await wake(call.services, call.client.client_id, update.item_id)
    item = await call.first(_ITEM, item_id=update.item_id, client_id=call.client.client_id)
    if item is None:
        raise ITEM_NOT_FOUND()
    return item


def _encode(names: list[str]) -> str:
    return msgspec.json.encode(names).decode()
