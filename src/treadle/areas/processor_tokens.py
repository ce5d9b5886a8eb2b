"""Processor tokens: minting one for an account and a partner, and narrowing what it reaches."""

from __future__ import annotations

from typing import Any

import msgspec

from treadle.call import ItemCall, MinterCall, ProcessorCall
from treadle.clock import DAY
from treadle.gates import MinterGate, MintGate, ProcessorGate
from treadle.http import errors
from treadle.journal.withdrawals import PermissionsSet
from treadle.operations import operation
from treadle.partners.processors import APEX_CLEARING
from treadle.tokens.minting import mint
from treadle.tokens.rows import APPEND_PERMISSIONS, LOCK_TOKEN, SET_TOKEN_WEBHOOK
from treadle.tokens.scope import PRODUCT_NAMES
from treadle.webhooks import owe
from treadle.wire.common import Products
from treadle.wire.processor import (
    ProcessorApexProcessorTokenCreateRequest,
    ProcessorTokenCreateRequest,
    ProcessorTokenCreateResponse,
    ProcessorTokenPermissionsGetRequest,
    ProcessorTokenPermissionsGetResponse,
    ProcessorTokenPermissionsSetRequest,
    ProcessorTokenPermissionsSetResponse,
    ProcessorTokenWebhookUpdateRequest,
    ProcessorTokenWebhookUpdateResponse,
)
from treadle.wire.webhooks import ProcessorTokenWebhookUpdate, WebhookEnvironmentValues


@operation("/processor/token/create", gate=MintGate(), repeatable_for=DAY)
async def processor_token_create(
    call: ItemCall, request: ProcessorTokenCreateRequest
) -> ProcessorTokenCreateResponse:
    """Each call makes another, independent token. An Item in error does not stand in the way."""
    return await _create(call, request.account_id, request.processor)


@operation(
    "/processor/apex/processor_token/create", gate=MintGate(APEX_CLEARING), repeatable_for=DAY
)
async def processor_apex_processor_token_create(
    call: ItemCall, request: ProcessorApexProcessorTokenCreateRequest
) -> ProcessorTokenCreateResponse:
    return await _create(call, request.account_id, APEX_CLEARING)


async def _create(call: ItemCall, account_id: str, processor: str) -> ProcessorTokenCreateResponse:
    account = await call.account(account_id)
    return ProcessorTokenCreateResponse(
        processor_token=mint(
            call,
            "processor",
            call.item.item_id,
            account_id=account.account_id,
            processor=processor,
        ),
        request_id=call.request_id,
    )


@operation("/processor/token/permissions/set", gate=MinterGate())
async def processor_token_permissions_set(
    call: MinterCall, request: ProcessorTokenPermissionsSetRequest
) -> ProcessorTokenPermissionsSetResponse:
    """Appends a revision that replaces the list before it. An empty list lifts every limit."""
    unknown = [name for name in request.products if name not in PRODUCT_NAMES]
    if unknown:
        raise errors.UNAUTHORIZED_PRODUCTS(products=_encode(unknown))
    products = list(dict.fromkeys(request.products))
    token = call.grant.token
    row: dict[str, Any] = {"the_token_id": token.token_id, "the_client_id": token.client_id}
    call.change.write(LOCK_TOKEN, **row)
    listed = _encode(products)
    call.change.write(APPEND_PERMISSIONS, the_products=listed, the_instant=call.now, **row)
    call.change.withdraw(PermissionsSet(token.client_id, call.now, token.token_id, listed))
    call.record(
        "processor_token.permissions_set",
        item_id=call.grant.item_id,
        account_id=token.account_id,
        token_id=token.token_id,
        detail={"products": products},
    )
    return ProcessorTokenPermissionsSetResponse(request_id=call.request_id)


@operation("/processor/token/permissions/get", gate=MinterGate())
async def processor_token_permissions_get(
    call: MinterCall, request: ProcessorTokenPermissionsGetRequest
) -> ProcessorTokenPermissionsGetResponse:
    return ProcessorTokenPermissionsGetResponse(
        request_id=call.request_id, products=[Products(name) for name in call.grant.products]
    )


@operation("/processor/token/webhook/update", gate=ProcessorGate())
async def processor_token_webhook_update(
    call: ProcessorCall, request: ProcessorTokenWebhookUpdateRequest
) -> ProcessorTokenWebhookUpdateResponse:
    """A null or empty webhook removes the one that is set."""
    token = call.grant.token
    webhook = request.webhook or None
    call.change.write(
        SET_TOKEN_WEBHOOK,
        the_token_id=token.token_id,
        the_client_id=token.client_id,
        webhook=webhook,
    )
    call.record(
        "processor_token.webhook_update",
        owner=token.client_id,
        item_id=call.item.item_id,
        account_id=token.account_id,
        token_id=token.token_id,
    )
    if webhook is not None:
        call.wake_item(call.item)
        body = ProcessorTokenWebhookUpdate(
            webhook_type="PROCESSOR_TOKEN",
            webhook_code="WEBHOOK_UPDATE_ACKNOWLEDGED",
            account_id=call.account.account_id,
            new_webhook_url=webhook,
            error=None,
            environment=WebhookEnvironmentValues(call.environment),
        )
        item_id, subject = call.item.item_id, token.token_id
        owe(call, token.client_id, item_id, webhook, body, subject=subject)
    return ProcessorTokenWebhookUpdateResponse(request_id=call.request_id)


def _encode(names: list[str]) -> str:
    return msgspec.json.encode(names).decode()
