"""Sandbox shortcuts: Items without Link, and ways to break them."""

from __future__ import annotations

from sqlalchemy import bindparam

from treadle.bank.linking import LinkedItem, link_item
from treadle.bank.rows import guarded_by, update_item
from treadle.bank.updating import MAX_DAYS_REQUESTED
from treadle.call import ClientCall, ItemCall
from treadle.clock import DAY, to_date
from treadle.gates import ClientGate, ItemGate
from treadle.http import errors
from treadle.operations import operation
from treadle.tokens.minting import PUBLIC_TOKEN_LIFE, mint, mint_public
from treadle.views.item import error_view
from treadle.webhooks.events import tell_item
from treadle.wire.common import Products
from treadle.wire.sandbox import (
    SandboxItemResetLoginRequest,
    SandboxItemResetLoginResponse,
    SandboxProcessorTokenCreateRequest,
    SandboxProcessorTokenCreateResponse,
    SandboxPublicTokenCreateRequest,
    SandboxPublicTokenCreateRequestOptions,
    SandboxPublicTokenCreateResponse,
)
from treadle.wire.webhooks import ItemErrorWebhook

# What an Item made by `/sandbox/processor_token/create` starts with, where its bank has it.
_PROCESSOR_PRODUCTS = (Products.AUTH, Products.IDENTITY, Products.TRANSACTIONS)
_LOGIN_FIELD = "options.override_password"

_SET_ERROR = update_item(error_code=bindparam("error_code"))


@operation("/sandbox/public_token/create", gate=ClientGate(), repeatable_for=PUBLIC_TOKEN_LIFE)
async def sandbox_public_token_create(
    call: ClientCall, request: SandboxPublicTokenCreateRequest
) -> SandboxPublicTokenCreateResponse:
    if request.user_token is not None:
        raise errors.INVALID_USER_TOKEN()
    if request.user_id is not None:
        raise errors.USER_NOT_FOUND()
    options = request.options or SandboxPublicTokenCreateRequestOptions()
    linked = await link_item(
        call,
        request.institution_id,
        request.initial_products,
        username=options.override_username,
        password=options.override_password,
        login_field=_LOGIN_FIELD,
        webhook=options.webhook,
        options={
            "transactions": options.transactions,
            "statements": options.statements,
            "income_verification": options.income_verification or None,
        },
        days_requested=_days_requested(call, options),
    )
    public_token, _ = mint_public(call, linked.item_id)
    return SandboxPublicTokenCreateResponse(public_token=public_token, request_id=call.request_id)


def _days_requested(
    call: ClientCall, options: SandboxPublicTokenCreateRequestOptions
) -> int | None:
    """How many days of transactions the Item begins with; `start_date` is the older way to ask."""
    transactions = options.transactions
    if not transactions:
        return None
    if transactions.days_requested is None and transactions.start_date is not None:
        days = (to_date(call.now) - transactions.start_date).days
        return min(max(days, 1), MAX_DAYS_REQUESTED)
    return transactions.days_requested


@operation("/sandbox/processor_token/create", gate=ClientGate(), repeatable_for=DAY)
async def sandbox_processor_token_create(
    call: ClientCall, request: SandboxProcessorTokenCreateRequest
) -> SandboxProcessorTokenCreateResponse:
    """Binds the first checking account. The token names no processor: it is its maker's alone."""
    institution = (await call.catalogue()).find(request.institution_id)
    offered = institution.products if institution else []
    linked = await link_item(
        call,
        request.institution_id,
        [product for product in _PROCESSOR_PRODUCTS if product in offered],
        username=request.options.override_username if request.options else None,
        password=request.options.override_password if request.options else None,
        login_field=_LOGIN_FIELD,
    )
    return SandboxProcessorTokenCreateResponse(
        processor_token=mint(call, "processor", linked.item_id, account_id=_first_checking(linked)),
        request_id=call.request_id,
    )


def _first_checking(linked: LinkedItem) -> str:
    """Raises ApiError when the Item has no checking account."""
    for account_id, account in linked.accounts:
        if account.data.debitable and account.data.subtype == "checking":
            return account_id
    raise errors.NO_AUTH_ACCOUNTS()


@operation("/sandbox/item/reset_login", gate=ItemGate())
async def sandbox_item_reset_login(
    call: ItemCall, request: SandboxItemResetLoginRequest
) -> SandboxItemResetLoginResponse:
    item = call.item
    guard = guarded_by(item)
    already = item.error_at(call.now) == "ITEM_LOGIN_REQUIRED"
    item.error_code = "ITEM_LOGIN_REQUIRED"
    call.change.write(_SET_ERROR, error_code=item.error_code, **guard)
    call.record("item.reset_login", item_id=item.item_id)
    if not already:
        tell_item(call, item, ItemErrorWebhook, "ITEM", "ERROR", error=error_view(item, call.now))
    return SandboxItemResetLoginResponse(reset_login=True, request_id=call.request_id)
