"""Stripe bank account tokens."""

from __future__ import annotations

from sqlalchemy import bindparam, update

from treadle import ids
from treadle.bank.model import AccountData, Numbers
from treadle.call import ItemCall
from treadle.clients import stripe_key_place
from treadle.clock import DAY
from treadle.gates import ItemGate
from treadle.http import errors
from treadle.http.errors import ApiError
from treadle.operations import operation
from treadle.partners.stripe import (
    TEST_ACCOUNT,
    BankAccount,
    StripeNotEnabled,
    StripeRefused,
    StripeUnavailable,
)
from treadle.store.statements import Write
from treadle.store.tables import stripe_tokens
from treadle.wire.common import AccountHolderCategory, AccountSubtype, Products
from treadle.wire.processor import (
    ProcessorStripeBankAccountTokenCreateRequest,
    ProcessorStripeBankAccountTokenCreateResponse,
)

_INSERT_INTENT = Write.insert(stripe_tokens)
_SET_STATE = Write(
    update(stripe_tokens)
    .where(stripe_tokens.c.intent_id == bindparam("the_intent_id"))
    .where(stripe_tokens.c.client_id == bindparam("the_client_id"))
    .values(state=bindparam("state"))
)
_REMEDY = "set a Stripe key for the server or for this client"


@operation(
    "/processor/stripe/bank_account_token/create",
    gate=ItemGate(Products.AUTH),
    repeatable_for=DAY,
)
async def processor_stripe_bank_account_token_create(
    call: ItemCall, request: ProcessorStripeBankAccountTokenCreateRequest
) -> ProcessorStripeBankAccountTokenCreateResponse:
    """Asks Stripe for a token of one checking or savings account.

    The intent is on disk before Stripe is called, and its outcome before the answer is sent; an
    intent that stays `asked` tells that the server stopped in between, or that another request
    with the same idempotency key was first.
    """
    account = await call.account(request.account_id)
    bank_account = _bank_account(call, account.data, account.numbers(call.services.keys))
    secret_key = _stripe_key(call)
    intent_id = call.ids.uuid("stripe_token")
    call.hold_item(call.item.item_id)
    call.change.write(
        _INSERT_INTENT,
        intent_id=intent_id,
        client_id=call.client.client_id,
        item_id=call.item.item_id,
        account_id=account.account_id,
        state="asked",
        created_at=call.now,
        item_removed_at=None,
    )
    subject = {"item_id": call.item.item_id, "account_id": account.account_id}
    call.record("stripe_token.ask", **subject, detail={"intent_id": intent_id})
    if secret_key is None:
        # Without a key a sandbox makes a token that Stripe does not know.
        token: str | ApiError = "btok_" + call.ids.identifier("stripe_token")[:24]
        await call.commit()
    else:
        await call.commit()
        token = await _ask_stripe(call, secret_key, bank_account)
    state = _outcome(token)
    call.change.write(
        _SET_STATE, the_intent_id=intent_id, the_client_id=call.client.client_id, state=state
    )
    call.record(f"stripe_token.{state}", **subject, detail={"intent_id": intent_id})
    if isinstance(token, ApiError):
        await call.commit()
        raise token
    response = ProcessorStripeBankAccountTokenCreateResponse(
        stripe_bank_account_token=token, request_id=call.request_id
    )
    call.settle(response)
    await call.commit()
    return response


def _outcome(token: str | ApiError) -> str:
    """What is known of the intent. Of a call without an answer Stripe alone knows the end."""
    if isinstance(token, str):
        return "created"
    return "unknown" if token.kind is errors.INTERNAL_SERVER_ERROR else "refused"


async def _ask_stripe(call: ItemCall, secret_key: str, account: BankAccount) -> str | ApiError:
    """The token, or the error that Stripe's answer stands for."""
    try:
        # Neither seeded nor repeated unless asked to: with the same key Stripe would hand out the
        # same token.
        key = ids.request_id() if call.once is None else call.once.outward_key(call.actor)
        return await call.services.stripe.create(secret_key, account, key)
    except StripeRefused as refusal:
        return errors.INVALID_STRIPE_ACCOUNT(problem=refusal.message)
    except StripeNotEnabled:
        return errors.INTEGRATION_NOT_ENABLED(name="Stripe", remedy=_REMEDY)
    except StripeUnavailable:
        return errors.INTERNAL_SERVER_ERROR()


def _stripe_key(call: ItemCall) -> str | None:
    """The client's own key, else the server's. Raises ApiError when production has neither."""
    if call.client.stripe_key is not None:
        place = stripe_key_place(call.client.client_id)
        return call.services.keys.unseal(call.client.stripe_key, place).decode()
    settings = call.services.settings
    if settings.stripe_key is None and not settings.sandbox:
        raise errors.INTEGRATION_NOT_ENABLED(name="Stripe", remedy=_REMEDY)
    return settings.stripe_key


def _bank_account(call: ItemCall, data: AccountData, numbers: Numbers | None) -> BankAccount:
    """What Stripe is told. In sandbox its documented test account stands for every account.

    Raises ApiError unless the account is a US checking or savings account in dollars.
    """
    if data.subtype not in (AccountSubtype.CHECKING, AccountSubtype.SAVINGS):
        raise errors.NO_AUTH_ACCOUNTS()
    if not data.verified:
        raise errors.PRODUCT_NOT_READY()
    if numbers is None or numbers.ach is None or data.balances.iso_currency_code != "USD":
        raise errors.ITEM_NOT_SUPPORTED()
    number, routing = numbers.ach.account, numbers.ach.routing
    if call.services.settings.sandbox:
        number, routing = TEST_ACCOUNT
    names = [name for owner in data.owners for name in owner.names]
    return BankAccount(
        country="US",
        currency="usd",
        account_number=number,
        routing_number=routing,
        account_holder_name=names[0] if names else "",
        account_holder_type="company"
        if data.holder_category is AccountHolderCategory.BUSINESS
        else "individual",
        account_type="checking" if data.subtype is AccountSubtype.CHECKING else "savings",
    )
