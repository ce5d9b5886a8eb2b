"""Items: exchanging, reading, rotating and removing."""

from __future__ import annotations

import datetime as dt

from msgspec import UNSET
from sqlalchemy import bindparam

from treadle.bank.linking import DEFAULT_PASSWORD, link_item
from treadle.bank.rows import guarded_by, update_item
from treadle.bank.updates import UPDATES_OF_ITEM
from treadle.bank.updating import Readiness
from treadle.call import ClientCall, ItemCall, PublicTokenCall
from treadle.clock import DAY, to_datetime
from treadle.gates import ClientGate, ItemGate, PublicTokenGate
from treadle.http import errors
from treadle.operations import operation
from treadle.tokens.minting import PUBLIC_TOKEN_LIFE, mint, mint_public
from treadle.tokens.revocation import end_access_tokens, end_public_token, remove_item
from treadle.views.consent import consented_data_scopes
from treadle.views.item import item_fields, item_view
from treadle.webhooks.events import LAST_WEBHOOK, tell_item
from treadle.wire.common import Products
from treadle.wire.item import (
    ItemAccessTokenInvalidateRequest,
    ItemAccessTokenInvalidateResponse,
    ItemGetRequest,
    ItemGetResponse,
    ItemImportRequest,
    ItemImportResponse,
    ItemProductsTerminateRequest,
    ItemProductsTerminateResponse,
    ItemPublicTokenCreateRequest,
    ItemPublicTokenCreateResponse,
    ItemPublicTokenExchangeRequest,
    ItemPublicTokenExchangeResponse,
    ItemRemoveRequest,
    ItemRemoveResponse,
    ItemStatusInvestments,
    ItemStatusLastWebhook,
    ItemStatusNullable,
    ItemStatusTransactions,
    ItemWebhookUpdateRequest,
    ItemWebhookUpdateResponse,
    ItemWithConsentFields,
)
from treadle.wire.webhooks import WebhookUpdateAcknowledgedWebhook

_DEFAULT_IMPORT_INSTITUTION = "ins_109508"
_SET_WEBHOOK = update_item(webhook=bindparam("webhook"))


@operation("/item/public_token/exchange", gate=PublicTokenGate(), repeatable_for=DAY)
async def item_public_token_exchange(
    call: PublicTokenCall, request: ItemPublicTokenExchangeRequest
) -> ItemPublicTokenExchangeResponse:
    end_public_token(call)
    item_id = call.grant.item.item_id
    return ItemPublicTokenExchangeResponse(
        access_token=mint(call, "access", item_id), item_id=item_id, request_id=call.request_id
    )


@operation("/item/public_token/create", gate=ItemGate(), repeatable_for=PUBLIC_TOKEN_LIFE)
async def item_create_public_token(
    call: ItemCall, request: ItemPublicTokenCreateRequest
) -> ItemPublicTokenCreateResponse:
    public_token, expires_at = mint_public(call, call.item.item_id)
    return ItemPublicTokenCreateResponse(
        public_token=public_token,
        expiration=to_datetime(expires_at),
        request_id=call.request_id,
    )


@operation("/item/get", gate=ItemGate())
async def item_get(call: ItemCall, request: ItemGetRequest) -> ItemGetResponse:
    fields = item_fields(call.item, call.now, await call.institution_name())
    return ItemGetResponse(
        item=ItemWithConsentFields(
            created_at=to_datetime(call.item.created_at),
            consented_data_scopes=consented_data_scopes(fields["consented_products"]),
            **fields,
        ),
        status=await _status(call),
        request_id=call.request_id,
    )


async def _status(call: ItemCall) -> ItemStatusNullable:
    """Members only for products in use."""
    item = {"item_id": call.item.item_id, "client_id": call.item.client_id}
    updates = {update.product: update for update in await call.all(UPDATES_OF_ITEM, **item)}
    told = await call.first(LAST_WEBHOOK, **item)

    def updated_at(product: Products) -> dt.datetime | None:
        """What nobody has read yet is there since it became ready."""
        update = updates.get(product)
        if update is None:
            return to_datetime(call.item.created_at)
        ready_at = Readiness(update, call.services.settings.product_ready_seconds).initial_at
        instant = update.updated_at or (ready_at if ready_at <= call.now else None)
        return to_datetime(instant) if instant else None

    billed = call.item.billed_products
    return ItemStatusNullable(
        investments=ItemStatusInvestments(
            last_successful_update=updated_at(Products.INVESTMENTS), last_failed_update=None
        )
        if Products.INVESTMENTS in billed
        else UNSET,
        transactions=ItemStatusTransactions(
            last_successful_update=updated_at(Products.TRANSACTIONS), last_failed_update=None
        )
        if Products.TRANSACTIONS in billed
        else UNSET,
        last_webhook=ItemStatusLastWebhook(
            sent_at=to_datetime(told.sent_at), code_sent=told.code_sent
        )
        if told
        else None,
    )


@operation("/item/access_token/invalidate", gate=ItemGate(), repeatable_for=DAY)
async def item_access_token_invalidate(
    call: ItemCall, request: ItemAccessTokenInvalidateRequest
) -> ItemAccessTokenInvalidateResponse:
    end_access_tokens(call)
    return ItemAccessTokenInvalidateResponse(
        new_access_token=mint(call, "access", call.item.item_id), request_id=call.request_id
    )


@operation("/item/remove", gate=ItemGate())
async def item_remove(call: ItemCall, request: ItemRemoveRequest) -> ItemRemoveResponse:
    remove_item(call, _reason(request))
    return ItemRemoveResponse(request_id=call.request_id)


@operation("/item/products/terminate", gate=ItemGate())
async def item_products_terminate(
    call: ItemCall, request: ItemProductsTerminateRequest
) -> ItemProductsTerminateResponse:
    """Removes the Item: no product is left that could be used, or billed."""
    remove_item(call, _reason(request))
    return ItemProductsTerminateResponse(request_id=call.request_id)


def _reason(request: ItemRemoveRequest | ItemProductsTerminateRequest) -> dict[str, str]:
    reason = {"reason_code": request.reason_code, "reason_note": request.reason_note}
    return {name: text for name, text in reason.items() if text is not None}


@operation("/item/webhook/update", gate=ItemGate())
async def item_webhook_update(
    call: ItemCall, request: ItemWebhookUpdateRequest
) -> ItemWebhookUpdateResponse:
    """A null, absent or empty webhook removes the one that is set."""
    webhook = request.webhook or None
    call.change.write(_SET_WEBHOOK, webhook=webhook, **guarded_by(call.item))
    call.record("item.webhook_update", item_id=call.item.item_id)
    if webhook is not None:
        call.wake_item(call.item)
        tell_item(
            call,
            call.item,
            WebhookUpdateAcknowledgedWebhook,
            "ITEM",
            "WEBHOOK_UPDATE_ACKNOWLEDGED",
            url=webhook,
            new_webhook_url=webhook,
            error=None,
        )
    call.item.webhook = webhook
    return ItemWebhookUpdateResponse(
        item=item_view(call.item, call.now, await call.institution_name()),
        request_id=call.request_id,
    )


@operation("/item/import", gate=ClientGate(), repeatable_for=DAY)
async def item_import(call: ClientCall, request: ItemImportRequest) -> ItemImportResponse:
    """Takes a sandbox user's name and password as the login that a partner bank would hand over."""
    if not call.services.settings.sandbox:
        raise errors.DIRECT_INTEGRATION_NOT_ENABLED()
    linked = await link_item(
        call,
        request.institution_id or _DEFAULT_IMPORT_INSTITUTION,
        request.products or [],
        username=request.user_auth.user_id,
        password=request.user_auth.auth_token or DEFAULT_PASSWORD,
        login_field="user_auth.auth_token",
        webhook=request.options.webhook if request.options else None,
    )
    return ItemImportResponse(
        access_token=mint(call, "access", linked.item_id), request_id=call.request_id
    )
