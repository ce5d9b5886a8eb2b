"""What a handler is given: who calls, when, on what, and where to write down what it decides."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec

from treadle.bank.page import Pages
from treadle.bank.rows import ACCOUNT_OF_ITEM, ACCOUNTS_OF_ITEM, HOLD_ITEM, Account, Item
from treadle.clients import ADVANCE_COUNTER, Client
from treadle.clock import Clock
from treadle.http import errors
from treadle.ids import Ids
from treadle.keys import Keys
from treadle.partners.stripe import StripeTokens
from treadle.settings import Settings
from treadle.sources.source import Source
from treadle.store.change import Change, Record, Store
from treadle.store.statements import Query
from treadle.tokens.rows import Grant, MintedGrant, ProcessorGrant

R = TypeVar("R")


class Services(msgspec.Struct, frozen=True):
    """What the program is made of; built once, in `app.py`."""

    settings: Settings
    store: Store
    keys: Keys
    clock: Clock
    source: Source
    stripe: StripeTokens
    # The pages of changes that were read lately.
    pages: Pages


class OpenCall:
    """A call that anyone may make."""

    def __init__(self, services: Services, request_id: str, now: int) -> None:
        self.services = services
        self.request_id = request_id
        self.now = now
        # Kept, with its audit records, before the answer is sent.
        self.change = Change()

    @property
    def environment(self) -> str:
        return self.services.settings.environment

    def first(self, query: Query[R], /, **parameters: Any) -> Awaitable[R | None]:
        return self.services.store.first(query, **parameters)

    def all(self, query: Query[R], /, **parameters: Any) -> Awaitable[list[R]]:
        return self.services.store.all(query, **parameters)

    async def commit(self) -> None:
        """Keep what is in the Change, and go on with an empty one.

        The pipeline does this before it answers. A handler does it only to write down an intent
        before it calls the outside.
        """
        change, self.change = self.change, Change()
        await self.services.store.commit(change)


class ClientCall(OpenCall):
    """A call by a known client."""

    def __init__(self, services: Services, request_id: str, now: int, client: Client) -> None:
        super().__init__(services, request_id, now)
        self.client = client
        self._ids: Ids | None = None

    @property
    def ids(self) -> Ids:
        """Where this call's ids and tokens come from; most calls make none."""
        if self._ids is None:
            seed = self.services.settings.seed
            self._ids = Ids(seed, self.client.client_id, self.client.counter)
        return self._ids

    def _continue(self, call: ClientCall) -> None:
        """Be a more specific form of a call that a gate has opened."""
        self.services = call.services
        self.request_id = call.request_id
        self.now = call.now
        self.client = call.client
        self.change = call.change
        self._ids = call._ids

    async def commit(self) -> None:
        """As for any call; the client's counter moves with what was made by it."""
        ids = self._ids
        if ids is not None and ids.counter != ids.start:
            self.change.write(
                ADVANCE_COUNTER,
                the_client_id=self.client.client_id,
                seen_counter=ids.start,
                counter=ids.counter,
            )
            ids.start = ids.counter
        await super().commit()

    def hold_item(self, item_id: str) -> None:
        """Let the Change be kept only while this client's Item is there."""
        self.change.write(HOLD_ITEM, the_item_id=item_id, the_client_id=self.client.client_id)

    def record(self, action: str, owner: str | None = None, **subject: Any) -> None:
        """Add an entry to the audit chain of the client whose data changes."""
        self.change.record(
            Record(
                at=self.now,
                client_id=owner or self.client.client_id,
                actor=self.client.client_id,
                action=action,
                **subject,
            )
        )


class ItemCall(ClientCall):
    """A call with an access token."""

    def __init__(self, call: ClientCall, item: Item, token_id: str) -> None:
        self._continue(call)
        self.item = item
        self.token_id = token_id

    @property
    def institution_name(self) -> str | None:
        institution = self.services.source.institution(self.item.institution_id)
        return institution.name if institution else None

    async def accounts(self) -> list[Account]:
        """The Item's accounts, in the order of their source.

        Raises ApiError when there are none: the Item was removed since the gate saw it.
        """
        found = await self.all(
            ACCOUNTS_OF_ITEM, item_id=self.item.item_id, client_id=self.item.client_id
        )
        if not found:
            raise errors.ITEM_NOT_FOUND()
        return found

    async def account(self, account_id: str) -> Account:
        """One of the Item's accounts. Raises ApiError when the Item or the account is not there."""
        found = await self.first(
            ACCOUNT_OF_ITEM,
            item_id=self.item.item_id,
            client_id=self.item.client_id,
            account_id=account_id,
        )
        if found is None:
            raise errors.ITEM_NOT_FOUND()
        if found.account is None:
            raise errors.INVALID_ACCOUNT_ID()
        return found.account


class PublicTokenCall(ClientCall):
    """A call with a public token."""

    def __init__(self, call: ClientCall, grant: Grant) -> None:
        self._continue(call)
        self.grant = grant


class MinterCall(ClientCall):
    """A call by the client that minted a processor token, about that token."""

    def __init__(self, call: ClientCall, grant: MintedGrant) -> None:
        self._continue(call)
        self.grant = grant


class ProcessorCall(ClientCall):
    """A call with a processor token: one account of one Item, seen through one grant."""

    def __init__(self, call: ClientCall, grant: ProcessorGrant, account: Account) -> None:
        self._continue(call)
        self.grant = grant
        self.item = grant.item
        self.account = account
