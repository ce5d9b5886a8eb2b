"""Items that wake: what the passing of time alone does to an Item.

An Item's `wakes_at` is the instant at which something may be due. Then it is looked at: by the gate
of the next call on it, or in the background if none comes. Both do the same, with ids that derive
from what is done and not from who was first. Waking too early does no harm, for what is due follows
from what is stored, and so does the next instant.

Nobody needs to be woken to read: a read brings its product up to date anyway. So products are kept
up to date for those who listen, while logins run out and micro-deposits arrive for everyone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from sqlalchemy import bindparam

from treadle.bank.investments import read_investments
from treadle.bank.liabilities import LIABILITIES
from treadle.bank.refreshing import refresh_accounts
from treadle.bank.rows import ACCOUNTS_OF_ITEM, ITEM, Item, guarded_by, update_item
from treadle.bank.transactions import TRANSACTIONS
from treadle.bank.updates import UPDATES_OF_ITEM, Update
from treadle.bank.updating import Readiness, bring_up_to_date
from treadle.bank.verification import settle_deposits
from treadle.call import ClientCall, ItemCall, Services
from treadle.clients import CLIENT
from treadle.clock import DAY
from treadle.http import errors
from treadle.store.change import GuardFailed
from treadle.tokens.rows import LISTENERS
from treadle.views.item import error_view
from treadle.webhooks.events import tell_item
from treadle.wire.common import AccountBaseVerificationStatus as Status
from treadle.wire.common import Products
from treadle.wire.webhooks import ItemErrorWebhook

# A login ends the updates after a month of days, and at each step another worker may be faster.
_MOST_STEPS = 200
# After so many days deposits have arrived by themselves, or their code is asked for in vain.
_DEPOSITS: dict[str | None, tuple[int, Status]] = {
    Status.PENDING_AUTOMATIC_VERIFICATION: (1, Status.AUTOMATICALLY_VERIFIED),
    Status.PENDING_MANUAL_VERIFICATION: (7, Status.VERIFICATION_EXPIRED),
}
_READ: dict[str, Callable[[ItemCall], Awaitable[Update]]] = {
    Products.TRANSACTIONS: partial(bring_up_to_date, product=TRANSACTIONS),
    Products.INVESTMENTS: read_investments,
    Products.LIABILITIES: partial(bring_up_to_date, product=LIABILITIES, ready_seconds=0),
}

_SET_ERROR = update_item(error_code=bindparam("error_code"))
# Whatever makes something else depend on time raises the Item's revision, and this then fails.
_SLEEP = update_item(wakes_at=bindparam("wakes_at"))


class _Waking(ItemCall):
    """A call that nobody made."""

    @property
    def actor(self) -> str:
        return "treadle"

    def wake_item(self, item: Item) -> None:
        """It is awake already, and sees whatever begins."""


async def wake(services: Services, client_id: str, item_id: str) -> None:
    """Do all that has become due about an Item, and settle when to look again.

    Raises ApiError when its source cannot be read, or when others change the Item all the time.
    """
    for _ in range(_MOST_STEPS):
        try:
            if not await _wake_once(services, client_id, item_id):
                return
        except GuardFailed:
            # Somebody else was faster, and what is still to be done is read anew.
            continue
    raise errors.RATE_LIMIT()


async def _wake_once(services: Services, client_id: str, item_id: str) -> bool:
    """Do what is due first; answers whether anything was.

    A clock that stands has jumped to where it is. What it has passed is done at its own instant,
    one after the other, so that it does not matter whether the background was there in between.
    """
    client = await services.store.first(CLIENT, client_id=client_id)
    item = await services.store.first(ITEM, item_id=item_id, client_id=client_id)
    if client is None or item is None or item.wakes_at is None:
        return False
    now = services.worlds.now(client)
    if item.wakes_at > now:
        return False
    at = item.wakes_at if services.worlds.stands_still(client) else now
    call = _Waking(ClientCall(services, "", at, client), item, token_id="")
    _expire_login(call)
    await _refresh_accounts(call)
    updates = await _update_products(call)
    waiting = await _settle_deposits(call)
    following = min([*_next_instants(call, updates), *waiting], default=None)
    call.change.write(_SLEEP, wakes_at=following, **guarded_by(item))
    await call.commit()
    return True


def _expire_login(call: _Waking) -> None:
    """A login that has run out is an error, which is told once."""
    item, code = call.item, call.item.error_at(call.now)
    if code is not None and item.error_code is None:
        _enter_error(call, code, f"login/{item.login_expires_at}", "item.login_expired")


def _enter_error(call: _Waking, code: str, scope: str, action: str) -> None:
    item = call.item
    call.change.write(_SET_ERROR, error_code=code, **guarded_by(item))
    item.error_code, item.revision = code, item.revision + 1
    call.record(action, item_id=item.item_id)
    ids = call.services.worlds.scoped(call.owner, f"{item.item_id}/{scope}")
    error = error_view(item, call.now)
    tell_item(call, item, ItemErrorWebhook, "ITEM", "ERROR", ids=ids, error=error)


async def _refresh_accounts(call: _Waking) -> None:
    """An Item whose user sees none of its accounts any more asks for a new login."""
    item = call.item
    if item.error_code is not None:
        return
    if not await refresh_accounts(call):
        scope = f"closed/{item.revision}"
        _enter_error(call, "ITEM_LOGIN_REQUIRED", scope, "item.accounts_closed")
    elif call.change:
        # What follows reads the rows that this has changed.
        await call.commit()


async def _update_products(call: _Waking) -> list[Update]:
    """Bring up to date what somebody listens for; answers how far it is.

    An account that is known by its numbers alone has no login with which it could be read.
    """
    item, rows = call.item, {"item_id": call.item.item_id, "client_id": call.item.client_id}
    if item.error_code is not None or not item.institution_id:
        return []
    if not item.webhook and not await call.all(LISTENERS, **rows):
        return []
    begun = {update.product: update for update in await call.all(UPDATES_OF_ITEM, **rows)}
    for product, read in _READ.items():
        if product not in item.billed_products:
            continue
        update = begun.get(product)
        if update is None or _due_at(call, update) <= call.now:
            begun[product] = await read(call)
    return list(begun.values())


def _due_at(call: _Waking, update: Update) -> int:
    """When a product's source may next have news.

    Only transactions, and what a caller did not want to wait for, take a while to become ready.
    """
    takes_a_while = update.product == Products.TRANSACTIONS or update.updated_at is None
    seconds = call.services.settings.product_ready_seconds if takes_a_while else 0
    return Readiness(update, seconds).due_at


async def _settle_deposits(call: _Waking) -> list[int]:
    """Settle what is due; answers when the rest will be."""
    item, waiting = call.item, []
    rows = {"item_id": item.item_id, "client_id": item.client_id}
    for account in await call.all(ACCOUNTS_OF_ITEM, **rows):
        status = account.data.verification_status
        if status not in _DEPOSITS:
            continue
        days, outcome = _DEPOSITS[status]
        due_at = item.created_at + days * DAY
        if due_at <= call.now:
            scope = f"{item.item_id}/deposits/{account.account_id}"
            ids = call.services.worlds.scoped(call.owner, scope)
            settle_deposits(call, item, account, outcome, ids)
        else:
            waiting.append(due_at)
    return waiting


def _next_instants(call: _Waking, updates: list[Update]) -> Iterator[int]:
    if call.item.error_code is None and call.item.login_expires_at is not None:
        yield call.item.login_expires_at
    for update in updates:
        yield _due_at(call, update)
