"""May this call go ahead? Pure functions that answer with a reason, never with a bare bool."""

from __future__ import annotations

import msgspec

from treadle.bank.rows import Item
from treadle.clients import Client
from treadle.http import errors
from treadle.http.errors import ApiError
from treadle.partners.processors import PROCESSORS
from treadle.tokens.rows import ProcessorGrant, Token
from treadle.tokens.scope import Scope
from treadle.wire.common import Products


class Allowed(msgspec.Struct, frozen=True):
    """Go ahead. `initialises` names a product that the call adds to the Item."""

    initialises: str | None = None


class Refused(msgspec.Struct, frozen=True):
    error: ApiError
    reason: str


Decision = Allowed | Refused


def decide_partner(client: Client, token: Token, *, strict: bool) -> Decision:
    """Whether a client may use a processor token at all.

    The client that minted it may, unless partners are strict, and so may those registered for its
    processor. To anyone else it must look like a token that nobody knows. A token of the sandbox's
    own making names no processor and is its maker's alone.
    """
    if token.processor is None:
        strict = False
    elif token.processor in client.processors:
        return Allowed()
    if not strict and client.client_id == token.client_id:
        return Allowed()
    reason = f"{client.client_id} is no partner for {token.processor}"
    return Refused(errors.PROCESSOR_TOKEN_UNKNOWN(), reason)


def decide_life(token: Token, now: int) -> Decision:
    """Whether a processor token is still good. One that is not looks as if there never was one."""
    reason = None
    if token.ended_at is not None:
        reason = "the token was revoked"
    elif token.expires_at is not None and token.expires_at <= now:
        reason = "the token expired"
    elif token.calls_left == 0:
        reason = "the calls that it was limited to are used up"
    elif token.limits is None:
        reason = "the token has a limit that this version of Treadle does not know"
    return Allowed() if reason is None else Refused(errors.PROCESSOR_TOKEN_UNKNOWN(), reason)


def decide_mint(client: Client, processor: str) -> Decision:
    """Whether a client may make tokens for a processor."""
    if processor not in PROCESSORS:
        problem = "processor must be one of the supported processors"
        return Refused(errors.INVALID_FIELD(problem=problem), f"there is no {processor}")
    integrations = client.integrations
    if integrations is None or processor in integrations:
        return Allowed()
    error = errors.INTEGRATION_NOT_ENABLED(
        name=PROCESSORS[processor],
        remedy="a client may mint for the --integrations that it was created with",
    )
    return Refused(error, f"{client.client_id} is not enabled for {processor}")


def decide_read(grant: ProcessorGrant, scope: Scope, now: int) -> Decision:
    """Whether a processor token reaches an operation."""
    if grant.item.removed_at is not None:
        return decide_presence(grant.item)
    permitted = grant.products
    if permitted:
        decision = decide_permissions(permitted, scope)
        if isinstance(decision, Refused):
            return decision
    if grant.token.limits_json is not None:
        decision = decide_fields(grant.token, scope)
        if isinstance(decision, Refused):
            return decision
    return decide_item(
        grant.item,
        scope.product,
        now,
        reads_data=scope.reads_data,
        initialises=scope.initialises,
    )


def decide_presence(item: Item) -> Decision:
    """Whether an Item is there at all."""
    if item.removed_at is not None:
        return Refused(errors.ITEM_NOT_FOUND(), "the Item was removed")
    return Allowed()


def decide_permissions(permitted: tuple[str, ...], scope: Scope) -> Decision:
    """Whether the permissions of a token admit an operation; none admits all."""
    if scope.product is None or not permitted or not scope.admitted_by.isdisjoint(permitted):
        return Allowed()
    error = errors.UNAUTHORIZED_PRODUCTS(products=_quoted(scope.product))
    return Refused(error, f"the token is narrowed to {', '.join(permitted)}")


def decide_fields(token: Token, scope: Scope) -> Decision:
    """Whether a token may read the fields that an operation is for."""
    limits = token.limits
    if limits is not None and limits.admits(scope.fields):
        return Allowed()
    error = errors.UNAUTHORIZED_PRODUCTS(products=_quoted(scope.product))
    readable = sorted(limits.fields or ()) if limits is not None else []
    return Refused(error, f"the token is limited to the fields [{', '.join(readable)}]")


def decide_item(
    item: Item,
    product: Products | None,
    now: int,
    *,
    reads_data: bool,
    initialises: bool = True,
) -> Decision:
    """Whether an Item can serve a product: it must be there, healthy and able to."""
    if item.removed_at is not None:
        return Refused(errors.ITEM_NOT_FOUND(), "the Item was removed")
    error_code = item.error_at(now)
    if reads_data and error_code is not None:
        return Refused(errors.FORCED[error_code](), f"the Item is in {error_code}")
    if product is None or product in item.billed_products:
        return Allowed()
    if product not in item.available_products:
        error = errors.PRODUCTS_NOT_SUPPORTED(products=_quoted(product))
        return Refused(error, f"the Item has no {product}")
    if not initialises:
        error = errors.PRODUCT_NOT_ENABLED(product=product.value)
        return Refused(error, f"the Item does not use {product} yet")
    # Balance is always available, and never billed.
    return Allowed(initialises=None if product == Products.BALANCE else product.value)


def _quoted(product: Products | None) -> str:
    return "[]" if product is None else f'["{product.value}"]'
