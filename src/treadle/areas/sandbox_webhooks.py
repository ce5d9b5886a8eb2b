"""Webhooks on demand: each says what its event would say of the Item as it stands.

Firing one changes nothing about the Item. Where an event tells of changes, all that is known of the
Item counts as changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from treadle.bank.entries import COUNT
from treadle.bank.rows import Account, Item
from treadle.bank.streams import is_looked_at
from treadle.bank.updates import DETAILS_OF_PRODUCT, UPDATE_OF_ITEM
from treadle.bank.updating import Readiness
from treadle.call import ItemCall
from treadle.clock import DAY, to_datetime
from treadle.faults.documented import documented_error
from treadle.gates import ItemGate
from treadle.http import errors
from treadle.http.errors import CATALOGUE, ErrorKind
from treadle.operations import operation
from treadle.views.item import error_kind_view
from treadle.webhooks.events import tell_item
from treadle.wire import webhooks as wire
from treadle.wire.common import Products
from treadle.wire.sandbox import SandboxItemFireWebhookRequest, SandboxItemFireWebhookResponse

SANDBOX_WEBHOOK_INVALID = ErrorKind(
    "SANDBOX_ERROR",
    "SANDBOX_WEBHOOK_INVALID",
    "{problem}",
    "The Item has no webhook, or there is no such event.",
)
SANDBOX_PRODUCT_NOT_ENABLED = ErrorKind(
    "SANDBOX_ERROR",
    "SANDBOX_PRODUCT_NOT_ENABLED",
    "The {product} product is not enabled on this item",
    "A webhook about a product that the Item does not use.",
)
CATALOGUE.extend((SANDBOX_WEBHOOK_INVALID, SANDBOX_PRODUCT_NOT_ENABLED))

# How long before an Item stops working its developer is told, as documented.
_NOTICE_DAYS = 7

_Request = SandboxItemFireWebhookRequest


@operation("/sandbox/item/fire_webhook", gate=ItemGate())
async def sandbox_item_fire_webhook(
    call: ItemCall, request: SandboxItemFireWebhookRequest
) -> SandboxItemFireWebhookResponse:
    """Tells the Item's webhook, and never those of its processor tokens."""
    item, webhook_code = call.item, request.webhook_code.value
    webhook_type = request.webhook_type or _TYPES.get(webhook_code, "ITEM")
    name = f"{webhook_type}:{webhook_code}"
    event = _find(item, name)
    if _given_count(request) is not None and name != "TRANSACTIONS:DEFAULT_UPDATE":
        problem = "options.new_transactions is only valid for TRANSACTIONS:DEFAULT_UPDATE"
        raise errors.INVALID_FIELD(problem=problem)
    fields = await event.fields(call, request)
    call.hold_item(item.item_id)
    call.record("item.fire_webhook", item_id=item.item_id, detail={"webhook": name})
    tell_item(call, item, event.body, webhook_type, webhook_code, **fields)
    return SandboxItemFireWebhookResponse(webhook_fired=True, request_id=call.request_id)


def _find(item: Item, name: str) -> _Event:
    """Raises ApiError when there is no such event, or not for this Item."""
    if not item.webhook:
        problem = "the item has no webhook; /item/webhook/update sets one"
        raise SANDBOX_WEBHOOK_INVALID(problem=problem)
    event = _EVENTS.get(name)
    if event is None:
        raise SANDBOX_WEBHOOK_INVALID(problem=f"there is no webhook {name} to fire")
    if event.product is not None and event.product not in item.billed_products:
        raise SANDBOX_PRODUCT_NOT_ENABLED(product=event.product.value)
    return event


def _given_count(request: _Request) -> int | None:
    return request.options.new_transactions if request.options else None


async def _nothing(_call: ItemCall, _request: _Request) -> dict[str, Any]:
    return {}


class _Event(msgspec.Struct, frozen=True):
    body: type[msgspec.Struct]
    # What the Item must use.
    product: Products | None = None
    # What the event says beside whose it is.
    fields: Callable[[ItemCall, _Request], Awaitable[dict[str, Any]]] = _nothing


async def _auth(call: ItemCall, _request: _Request) -> dict[str, Any]:
    numbers = [wire.AuthUpdateTypes.ACCOUNT_NUMBER]
    known = [one for one in await call.accounts() if one.data.debitable and one.data.verified]
    return {
        "account_ids_with_new_auth": [],
        "account_ids_with_updated_auth": {one.account_id: numbers for one in known},
        "error": None,
    }


async def _microdeposits(call: ItemCall, _request: _Request) -> dict[str, Any]:
    for account in await call.accounts():
        if account.data.debitable:
            return {"account_id": account.account_id, "status": "MANUALLY_VERIFIED"}
    raise errors.NO_AUTH_ACCOUNTS()


async def _identity(call: ItemCall, _request: _Request) -> dict[str, Any]:
    known = {account.account_id: _kinds_of_identity(account) for account in await call.accounts()}
    updated = {account_id: kinds for account_id, kinds in known.items() if kinds}
    return {"account_ids_with_updated_identity": updated, "error": None}


def _kinds_of_identity(account: Account) -> list[wire.IdentityUpdateTypes]:
    owners = account.data.owners
    return [
        kind for kind in wire.IdentityUpdateTypes if any(getattr(owner, kind) for owner in owners)
    ]


async def _holdings(call: ItemCall, _request: _Request) -> dict[str, Any]:
    portfolios = await _details(call, Products.INVESTMENTS)
    held = sum(len(portfolio["holdings"]) for portfolio in portfolios.values())
    return {"new_holdings": 0, "updated_holdings": held, "error": None}


async def _investments(call: ItemCall, _request: _Request) -> dict[str, Any]:
    known = await call.first(
        COUNT,
        item_id=call.item.item_id,
        product=Products.INVESTMENTS.value,
        client_id=call.item.client_id,
        first_date="",
        last_date="9999",
    )
    return {
        "new_investments_transactions": known or 0,
        "cancelled_investments_transactions": 0,
        "error": None,
    }


async def _liabilities(call: ItemCall, _request: _Request) -> dict[str, Any]:
    return {
        "account_ids_with_new_liabilities": [],
        "account_ids_with_updated_liabilities": {
            account_id: [name for name in owed if name != "type"]
            for account_id, owed in (await _details(call, Products.LIABILITIES)).items()
        },
        "error": None,
    }


async def _details(call: ItemCall, product: Products) -> dict[str, Any]:
    """What is known of each account for a product, once it was read."""
    item = call.item
    found = await call.all(
        DETAILS_OF_PRODUCT, item_id=item.item_id, product=product.value, client_id=item.client_id
    )
    return {account_id: msgspec.json.decode(data) for account_id, data in found}


async def _transactions(_call: ItemCall, request: _Request) -> dict[str, Any]:
    return {"new_transactions": _given_count(request) or 0, "error": None}


async def _recurring(call: ItemCall, _request: _Request) -> dict[str, Any]:
    return {"account_ids": [a.account_id for a in await call.accounts() if is_looked_at(a)]}


async def _sync(call: ItemCall, _request: _Request) -> dict[str, Any]:
    item = call.item
    update = await call.first(
        UPDATE_OF_ITEM,
        item_id=item.item_id,
        product=Products.TRANSACTIONS.value,
        client_id=item.client_id,
    )
    if update is None:
        return {"initial_update_complete": False, "historical_update_complete": False}
    progress = Readiness(update, call.services.settings.product_ready_seconds).progress
    return {
        "initial_update_complete": progress.initial,
        "historical_update_complete": progress.historical,
    }


async def _disconnect(call: ItemCall, _request: _Request) -> dict[str, Any]:
    return {
        "reason": wire.PendingDisconnectWebhookReason.MIGRATION,
        "disconnect_time": to_datetime(call.now + _NOTICE_DAYS * DAY),
    }


async def _account_revoked(call: ItemCall, _request: _Request) -> dict[str, Any]:
    return {"account_id": (await call.accounts())[0].account_id}


async def _permission_revoked(_call: ItemCall, _request: _Request) -> dict[str, Any]:
    revoked = documented_error("USER_PERMISSION_REVOKED", "INVALID_INPUT")
    return {"error": error_kind_view(revoked) if revoked else None}


async def _new_accounts(_call: ItemCall, _request: _Request) -> dict[str, Any]:
    return {"error": None}


async def _report(_call: ItemCall, _request: _Request) -> dict[str, Any]:
    """Of a report nothing can be told, for Treadle makes none."""
    raise errors.NOT_IMPLEMENTED(path="a webhook about asset reports")


_EVENTS = {
    "ASSETS:ERROR": _Event(wire.AssetsErrorWebhook, Products.ASSETS, _report),
    "ASSETS:PRODUCT_READY": _Event(wire.AssetsProductReadyWebhook, Products.ASSETS, _report),
    "AUTH:DEFAULT_UPDATE": _Event(wire.AuthDefaultUpdateWebhook, Products.AUTH, _auth),
    "AUTH:SMS_MICRODEPOSITS_VERIFICATION": _Event(
        wire.HostedMMDVerificationWebhook, Products.AUTH, _microdeposits
    ),
    "HOLDINGS:DEFAULT_UPDATE": _Event(
        wire.HoldingsDefaultUpdateWebhook, Products.INVESTMENTS, _holdings
    ),
    "IDENTITY:DEFAULT_UPDATE": _Event(
        wire.IdentityDefaultUpdateWebhook, Products.IDENTITY, _identity
    ),
    "INVESTMENTS_TRANSACTIONS:DEFAULT_UPDATE": _Event(
        wire.InvestmentsDefaultUpdateWebhook, Products.INVESTMENTS, _investments
    ),
    "ITEM:LOGIN_REPAIRED": _Event(wire.ItemLoginRepairedWebhook),
    "ITEM:NEW_ACCOUNTS_AVAILABLE": _Event(wire.NewAccountsAvailableWebhook, fields=_new_accounts),
    "ITEM:PENDING_DISCONNECT": _Event(wire.PendingDisconnectWebhook, fields=_disconnect),
    "ITEM:USER_ACCOUNT_REVOKED": _Event(wire.UserAccountRevokedWebhook, fields=_account_revoked),
    "ITEM:USER_PERMISSION_REVOKED": _Event(
        wire.UserPermissionRevokedWebhook, fields=_permission_revoked
    ),
    "LIABILITIES:DEFAULT_UPDATE": _Event(
        wire.LiabilitiesDefaultUpdateWebhook, Products.LIABILITIES, _liabilities
    ),
    "TRANSACTIONS:DEFAULT_UPDATE": _Event(
        wire.DefaultUpdateWebhook, Products.TRANSACTIONS, _transactions
    ),
    "TRANSACTIONS:RECURRING_TRANSACTIONS_UPDATE": _Event(
        wire.RecurringTransactionsUpdateWebhook, Products.TRANSACTIONS, _recurring
    ),
    "TRANSACTIONS:SYNC_UPDATES_AVAILABLE": _Event(
        wire.SyncUpdatesAvailableWebhook, Products.TRANSACTIONS, _sync
    ),
}
# The type that is meant where none is given: of several the last, so that an update is one of
# transactions.
_TYPES = {name.partition(":")[2]: name.partition(":")[0] for name in _EVENTS}
