"""What a handler is given: who calls, when, on what, and where to write down what it decides."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterable, Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from treadle.audit.reads import Parties, Read, ReadLog
from treadle.bank.page import Pages
from treadle.bank.rows import (
    ACCOUNT_OF_ITEM,
    ACCOUNTS_OF_ITEM,
    HOLD_ITEM,
    WAKE_BY,
    Account,
    Item,
)
from treadle.clients import ADVANCE_COUNTER, EPOCH, HOLD_WORLD, Client, Owner
from treadle.clock import Clock
from treadle.http import errors
from treadle.ids import Ids
from treadle.keys import Keys
from treadle.partners.stripe import StripeTokens
from treadle.recording.log import RequestLog
from treadle.settings import Settings
from treadle.sources.sources import Catalogue, Sources
from treadle.store.change import Change, GuardFailed, Record, Store
from treadle.store.statements import Query
from treadle.tokens.rows import USE_CALL, Grant, MintedGrant, ProcessorGrant
from treadle.tokens.usage import Usage
from treadle.tokens.withholding import withhold
from treadle.webhooks.bell import Bell
from treadle.webhooks.signing_keys import Signer
from treadle.worlds import Worlds

if TYPE_CHECKING:
    from treadle.idempotency.once import Once

    # Its library takes long to import, and is used when metrics are wanted.
    from treadle.metrics.metrics import Metrics

R = TypeVar("R")


class Services(msgspec.Struct, frozen=True):
    """What the program is made of; built once, in `app.py`."""

    settings: Settings
    store: Store
    keys: Keys
    clock: Clock
    # The clocks and seeds that the clients of a sandbox have for themselves.
    worlds: Worlds
    sources: Sources
    stripe: StripeTokens
    # The pages of changes that were read lately.
    pages: Pages
    signer: Signer
    # Rung when a webhook is owed.
    bell: Bell
    # Set when an Item may be due to wake.
    wakes: asyncio.Event
    # How often processor tokens are used.
    usage: Usage
    # Of each use, in the audit chains, where that is wanted.
    reads: ReadLog | None
    # Of the last requests, in a sandbox.
    requests: RequestLog | None
    # When somebody may fetch them.
    metrics: Metrics | None = None


class Reached(msgspec.Struct, frozen=True):
    """What a call is about."""

    item_id: str | None = None
    institution_id: str | None = None


class OpenCall:
    """A call that anyone may make."""

    def __init__(self, services: Services, request_id: str, now: int) -> None:
        self.services = services
        self.request_id = request_id
        self.now = now
        # The body of an operation that reads it as it comes.
        self.body: AsyncIterable[bytes] | None = None
        # Kept, with its audit records, before the answer is sent.
        self.change = Change()

    @property
    def environment(self) -> str:
        return self.services.settings.environment

    def first(self, query: Query[R], /, **parameters: Any) -> Awaitable[R | None]:
        return self.services.store.first(query, **parameters)

    def all(self, query: Query[R], /, **parameters: Any) -> Awaitable[list[R]]:
        return self.services.store.all(query, **parameters)

    def shown(self, response: msgspec.Struct) -> msgspec.Struct:
        """The part of an answer that the caller may read; what is shown is counted."""
        return response

    async def put_on_record(self, path: str) -> None:
        """Have it known that the call is answered; whatever this raises is answered instead."""

    def note_answered(self) -> None:
        """The answer is kept, and on its way."""

    async def check_world(self) -> None:
        """Raises GuardFailed when what was read may be of two worlds, one of them gone."""

    async def commit(self) -> None:
        """Keep what is in the Change, and go on with an empty one.

        The pipeline does this before it answers. A handler does it only to write down an intent
        before it calls the outside.
        """
        change, self.change = self.change, Change()
        await self.services.store.commit(change)
        for act in change.when_kept:
            act()


class ClientCall(OpenCall):
    """A call by a known client."""

    # What lets its Changes be kept only in the world that they were decided in.
    world_guard = HOLD_WORLD
    # The digest of the token that a call in this process is made with, its text being unknown.
    token_digest: bytes | None = None

    def __init__(self, services: Services, request_id: str, now: int, client: Client) -> None:
        super().__init__(services, request_id, now)
        self.client = client
        # Whose data the call is about, and so whose clock and seed hold in it.
        self.owner: Owner = client
        # Set for a request that is to be done once, until its answer is settled.
        self.once: Once | None = None
        self._ids: Ids | None = None

    @property
    def ids(self) -> Ids:
        """Where this call's ids and tokens come from; most calls make none."""
        if self._ids is None:
            self._ids = self.services.worlds.ids(self.owner)
        return self._ids

    async def catalogue(self) -> Catalogue:
        """The institutions at which the owner of the data can link Items."""
        return await self.services.sources.catalogue(self.owner.client_id)

    @property
    def reached(self) -> Reached:
        """The Item that the call is about, as far as its gate has found one."""
        return Reached()

    def _continue(self, call: ClientCall) -> None:
        """Be a more specific form of a call that a gate has opened."""
        self.services = call.services
        self.request_id = call.request_id
        self.now = call.now
        self.client = call.client
        self.owner = call.owner
        self.change = call.change
        self.once = call.once
        self._ids = call._ids

    async def check_world(self) -> None:
        if self.services.settings.sandbox:
            epoch = await self.first(EPOCH, client_id=self.owner.client_id)
            if epoch != self.owner.epoch:
                raise GuardFailed("the world was replaced while it was read")

    async def commit(self) -> None:
        """As for any call; the owner's counter moves with what was made by it."""
        ids = self._ids
        if ids is not None and ids.counter != ids.start:
            self.change.write(
                ADVANCE_COUNTER,
                the_client_id=self.owner.client_id,
                seen_counter=ids.start,
                counter=ids.counter,
            )
            ids.start = ids.counter
        # In production no world is ever replaced.
        if self.services.settings.sandbox:
            owner = self.owner
            self.change.hold(
                self.world_guard, the_client_id=owner.client_id, seen_epoch=owner.epoch
            )
        await super().commit()

    def settle(self, response: msgspec.Struct) -> None:
        """Keep the answer of a request that is to be done once, together with the Change so far.

        The pipeline does this before it commits; a handler that commits itself does it with what
        makes something.
        """
        if self.once is not None:
            self.once.keep(self, msgspec.json.encode(response))
            self.once = None

    def hold_item(self, item_id: str) -> None:
        """Let the Change be kept only while this client's Item is there."""
        self.change.write(HOLD_ITEM, the_item_id=item_id, the_client_id=self.client.client_id)

    def wake_item(self, item: Item) -> None:
        """Have the Item looked at, for something about it depends on time from now on."""
        self.change.write(
            WAKE_BY, the_item_id=item.item_id, the_client_id=item.client_id, instant=self.now
        )
        self.ring_alarm()

    def ring_alarm(self) -> None:
        """Once the Change is kept, look which Items are to wake."""
        self.change.when_kept.append(self.services.wakes.set)

    @property
    def transactions_from(self) -> dt.date | None:
        """The day of the oldest transaction that the caller may read; None for any."""
        return None

    @property
    def actor(self) -> str:
        """Who is on record for what the call changes."""
        return self.client.client_id

    def record(self, action: str, owner: str | None = None, **subject: Any) -> None:
        """Add an entry to the audit chain of the client whose data changes."""
        self.change.record(
            Record(
                at=self.now,
                client_id=owner or self.client.client_id,
                actor=self.actor,
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
    def reached(self) -> Reached:
        return Reached(self.item.item_id, self.item.institution_id)

    async def institution_name(self) -> str | None:
        institution = (await self.catalogue()).find(self.item.institution_id)
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

    @property
    def reached(self) -> Reached:
        return Reached(self.grant.item.item_id, self.grant.item.institution_id)


class MinterCall(ClientCall):
    """A call by the client that minted a processor token, about that token."""

    def __init__(self, call: ClientCall, grant: MintedGrant) -> None:
        self._continue(call)
        self.grant = grant

    @property
    def reached(self) -> Reached:
        return Reached(self.grant.item_id)


class ProcessorCall(ClientCall):
    """A call with a processor token: one account of one Item, seen through one grant.

    The Item stays in its owner's world, so that a partner finds it as its developer does.
    """

    def __init__(self, call: ClientCall, grant: ProcessorGrant, account: Account) -> None:
        self._continue(call)
        self.grant = grant
        self.item = grant.item
        self.account = account
        self.owner = grant.owner
        self.now = self.services.worlds.now(grant.owner)

    @property
    def reached(self) -> Reached:
        return Reached(self.item.item_id, self.item.institution_id)

    @property
    def transactions_from(self) -> dt.date | None:
        limits = self.grant.token.limits
        return None if limits is None else limits.transactions_from

    def shown(self, response: msgspec.Struct) -> msgspec.Struct:
        token = self.grant.token
        if token.calls_left is not None:
            self.change.write(USE_CALL, the_token_id=token.token_id, the_client_id=token.client_id)
        return response if token.limits_json is None else withhold(response, token.limits)

    async def put_on_record(self, path: str) -> None:
        if self.services.reads is None:
            return
        token = self.grant.token
        parties = Parties(token.client_id, self.client.client_id)
        read = Read(self.now, path, self.request_id, token.token_id)
        await self.services.reads.add(parties, read)

    def note_answered(self) -> None:
        self.services.usage.count(self.grant.token, self.now)
