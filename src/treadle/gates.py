"""Gates: who may call an operation, and for what. Each operation declares one."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import bindparam

from treadle.bank.rows import Item, guarded_by, update_item
from treadle.bank.waking import wake
from treadle.call import (
    ClientCall,
    ItemCall,
    MinterCall,
    OpenCall,
    ProcessorCall,
    PublicTokenCall,
)
from treadle.http import errors
from treadle.tokens.decision import Decision, Refused, decide_item, decide_mint, decide_read
from treadle.tokens.resolving import resolve, resolve_minted, resolve_partner
from treadle.tokens.scope import PROCESSOR_SCOPES
from treadle.wire.common import Products

C = TypeVar("C", bound=OpenCall, covariant=True)

_INITIALISE_PRODUCT = update_item(
    available_products=bindparam("available"), billed_products=bindparam("billed")
)


class Gate(Protocol[C]):
    # Whether the operation is for known clients alone.
    needs_client: bool

    async def open(self, call: Any, request: Any, path: str) -> C:
        """The call that the handler is given. Raises ApiError when it may not go ahead."""
        ...


class OpenGate:
    """Anyone, without credentials."""

    needs_client = False

    async def open(self, call: OpenCall, request: Any, path: str) -> OpenCall:
        return call


class ClientGate:
    """Any client."""

    needs_client = True

    async def open(self, call: ClientCall, request: Any, path: str) -> ClientCall:
        return call


class ItemGate:
    """The client whose Item the access token opens, for a product if one is named."""

    needs_client = True

    def __init__(
        self,
        product: Products | None = None,
        *,
        reads_data: bool = False,
        initialises: bool = True,
    ) -> None:
        """`reads_data` refuses an Item that is in error; naming a product implies it.

        A product that the Item could have is added to it, unless `initialises` is false.
        """
        self._product = product
        self._reads_data = reads_data or product is not None
        self._initialises = initialises

    async def open(self, call: ClientCall, request: Any, path: str) -> ItemCall:
        grant = await resolve(call, request.access_token, "access")
        if grant.item.is_due(call.now):
            await wake(call.services, grant.item.client_id, grant.item.item_id)
            return await self.open(call, request, path)
        item_call = ItemCall(call, grant.item, grant.token.token_id)
        decision = decide_item(
            grant.item,
            self._product,
            call.now,
            reads_data=self._reads_data,
            initialises=self._initialises,
        )
        _enforce(item_call, grant.item, decision)
        return item_call


class MintGate:
    """The client whose Item the access token opens, to make a token for one processor."""

    needs_client = True

    def __init__(self, processor: str | None = None) -> None:
        """`processor` is the one that an operation is for; without it the request names it."""
        self._processor = processor

    async def open(self, call: ClientCall, request: Any, path: str) -> ItemCall:
        item_call = await ItemGate().open(call, request, path)
        decision = decide_mint(call.client, self._processor or request.processor)
        _enforce(item_call, item_call.item, decision)
        return item_call


class PublicTokenGate:
    """The client that a public token was made for."""

    needs_client = True

    async def open(self, call: ClientCall, request: Any, path: str) -> PublicTokenCall:
        return PublicTokenCall(call, await resolve(call, request.public_token, "public"))


class MinterGate:
    """The client that minted the processor token."""

    needs_client = True

    async def open(self, call: ClientCall, request: Any, path: str) -> MinterCall:
        return MinterCall(call, await resolve_minted(call, request.processor_token))


class ProcessorGate:
    """A partner, for what its processor token reaches; the scope stands in `tokens/scope.py`."""

    needs_client = True

    async def open(self, call: ClientCall, request: Any, path: str) -> ProcessorCall:
        grant = await resolve_partner(call, request.processor_token)
        account = grant.account
        if account is None:
            raise errors.ITEM_NOT_FOUND().because("the account was removed")
        processor_call = ProcessorCall(call, grant, account)
        if grant.item.is_due(processor_call.now):
            await wake(call.services, grant.item.client_id, grant.item.item_id)
            return await self.open(call, request, path)
        decision = decide_read(grant, PROCESSOR_SCOPES[path], processor_call.now)
        _enforce(processor_call, grant.item, decision)
        return processor_call


def _enforce(call: ClientCall, item: Item, decision: Decision) -> None:
    if isinstance(decision, Refused):
        raise decision.error.because(decision.reason)
    if decision.initialises is not None:
        _initialise(call, item, decision.initialises)


def _initialise(call: ClientCall, item: Item, product: str) -> None:
    """Move a product that is used for the first time from available to billed."""
    available = [name for name in item.available_products if name != product]
    billed = sorted([*item.billed_products, product])
    guard = guarded_by(item)
    item.available_products_json = msgspec.json.encode(available).decode()
    item.billed_products_json = msgspec.json.encode(billed).decode()
    call.change.write(
        _INITIALISE_PRODUCT,
        available=item.available_products_json,
        billed=item.billed_products_json,
        **guard,
    )
    call.record(
        "item.initialise_product",
        owner=item.client_id,
        item_id=item.item_id,
        detail={"product": product},
    )
