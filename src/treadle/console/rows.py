"""What the console reads beyond the queries that operations have."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, case, func, select

from treadle.bank.model import AccountData
from treadle.bank.rows import ITEM_COLUMNS, Item
from treadle.store.columns import decode_names
from treadle.store.statements import Query
from treadle.store.tables import (
    accounts,
    clients,
    items,
    outbox,
    permissions,
    requests,
    tokens,
    webhook_attempts,
)
from treadle.webhooks.outbox import name_of


class Counts(msgspec.Struct):
    items: int
    items_in_error: int
    processor_tokens: int
    requests: int
    refused_requests: int
    pending_webhooks: int


_its_items = (
    select(func.count())
    .where(items.c.client_id == clients.c.client_id)
    .where(items.c.removed_at.is_(None))
)
_its_requests = select(func.count()).where(requests.c.client_id == clients.c.client_id)

COUNTS = Query(
    select(
        _its_items.scalar_subquery(),
        _its_items.where(items.c.error_code.is_not(None)).scalar_subquery(),
        select(func.count())
        .select_from(tokens.join(items, items.c.item_id == tokens.c.item_id))
        .where(items.c.client_id == clients.c.client_id)
        .where(items.c.removed_at.is_(None))
        .where(tokens.c.kind == "processor", tokens.c.ended_at.is_(None))
        .scalar_subquery(),
        _its_requests.scalar_subquery(),
        _its_requests.where(requests.c.status != 200).scalar_subquery(),
        select(func.count())
        .where(outbox.c.client_id == clients.c.client_id)
        .where(outbox.c.due_at.is_not(None))
        .scalar_subquery(),
    ).where(clients.c.client_id == bindparam("client_id")),
    Counts,
)


class KnownClient(msgspec.Struct):
    client_id: str
    name: str
    processors_json: str
    created_at: int


_called = clients.c.client_id + " " + clients.c.name
# The sandbox's own user may work as any of its clients.
NEWEST_CLIENTS = Query(
    select(clients.c.client_id, clients.c.name, clients.c.processors, clients.c.created_at)
    .where(clients.c.removed_at.is_(None))
    .where(_called.contains(bindparam("contained"), escape="/"))
    .order_by(clients.c.created_at.desc(), clients.c.client_id)
    .limit(bindparam("count"))
    .offset(bindparam("offset")),
    KnownClient,
)


def like(text: str) -> str:
    """A text that a LIKE pattern, whose escape is a slash, takes as it stands."""
    for special in "/%_":
        text = text.replace(special, f"/{special}")
    return text


class Delegated(msgspec.Struct):
    """A processor token by its handle, with its account and its partner."""

    token_id: str
    item_id: str
    account_id: str | None
    processor: str | None
    created_at: int
    ended_at: int | None
    products_json: str | None
    institution_id: str
    item_removed_at: int | None
    account_json: str | None

    @property
    def products(self) -> tuple[str, ...]:
        """What it is narrowed to; empty when it is not."""
        return () if self.products_json is None else decode_names(self.products_json)

    @property
    def account(self) -> AccountData | None:
        return None if self.account_json is None else _decode_account(self.account_json)

    @property
    def ended_by(self) -> str | None:
        """What has ended it, if anything has."""
        if self.item_removed_at is not None:
            return "Item removed"
        if self.ended_at is not None:
            return "revoked"
        return "account removed" if self.account_json is None else None


_decode_account = msgspec.json.Decoder(AccountData).decode
_revisions = permissions.alias("revisions")
_latest = (
    select(_revisions.c.products)
    .where(_revisions.c.token_id == tokens.c.token_id)
    .order_by(_revisions.c.revision.desc())
    .limit(1)
    .correlate(tokens)
    .scalar_subquery()
)
_delegated = (
    select(
        tokens.c.token_id,
        tokens.c.item_id,
        tokens.c.account_id,
        tokens.c.processor,
        tokens.c.created_at,
        tokens.c.ended_at,
        _latest,
        items.c.institution_id,
        items.c.removed_at,
        accounts.c.data,
    )
    .select_from(
        tokens.join(items, items.c.item_id == tokens.c.item_id).outerjoin(
            accounts,
            (accounts.c.item_id == tokens.c.item_id)
            & (accounts.c.account_id == tokens.c.account_id),
        )
    )
    .where(tokens.c.client_id == bindparam("client_id"))
    .where(tokens.c.kind == "processor")
)
# The newest first: handles sort by the time at which they were made.
DELEGATIONS = Query(
    _delegated.order_by(tokens.c.token_id.desc())
    .limit(bindparam("count"))
    .offset(bindparam("offset")),
    Delegated,
)
DELEGATIONS_OF_ITEM = Query(
    _delegated.where(tokens.c.item_id == bindparam("item_id"))
    .order_by(tokens.c.token_id.desc())
    .limit(bindparam("count")),
    Delegated,
)
DELEGATION = Query(_delegated.where(tokens.c.token_id == bindparam("token_id")), Delegated)

# A call in this process finds a token by the digest that stands beside its handle.
PROCESSOR_DIGEST = Query(
    select(tokens.c.digest)
    .where(tokens.c.token_id == bindparam("token_id"))
    .where(tokens.c.client_id == bindparam("client_id"))
    .where(tokens.c.kind == "processor"),
    bytes,
)
ACCESS_DIGEST = Query(
    select(tokens.c.digest)
    .where(tokens.c.item_id == bindparam("item_id"))
    .where(tokens.c.client_id == bindparam("client_id"))
    .where(tokens.c.kind == "access", tokens.c.ended_at.is_(None))
    .order_by(tokens.c.token_id.desc())
    .limit(1),
    bytes,
)

# Those registered for a processor, which stands in their list between quotation marks.
PARTNERS = Query(
    select(clients.c.client_id)
    .where(clients.c.removed_at.is_(None))
    .where(clients.c.processors.contains(bindparam("quoted"), escape="/"))
    .order_by(clients.c.created_at.desc(), clients.c.client_id)
    .limit(20),
    str,
)


class ListedItem(msgspec.Struct):
    item: Item
    account_count: int
    delegation_count: int


def _listed_item(*row: Any) -> ListedItem:
    return ListedItem(Item(*row[:-2]), *row[-2:])


_account_count = select(func.count()).where(accounts.c.item_id == items.c.item_id).scalar_subquery()
_delegation_count = (
    select(func.count())
    .where(tokens.c.item_id == items.c.item_id)
    .where(tokens.c.kind == "processor", tokens.c.ended_at.is_(None))
    .scalar_subquery()
)
_page_of_items = (
    select(items.c.item_id)
    .where(items.c.client_id == bindparam("client_id"))
    .where(items.c.removed_at.is_(None))
    .order_by(items.c.created_at.desc(), items.c.item_id)
    .limit(bindparam("count"))
    .offset(bindparam("offset"))
    .subquery()
)
# What is counted is counted for the Items of the page alone.
ITEMS = Query(
    select(*ITEM_COLUMNS, _account_count, _delegation_count)
    .join_from(items, _page_of_items, items.c.item_id == _page_of_items.c.item_id)
    .where(items.c.client_id == bindparam("client_id"))
    .order_by(items.c.created_at.desc(), items.c.item_id),
    _listed_item,
)


class ListedRequest(msgspec.Struct):
    answered_at: int
    request_id: str
    method: str
    path: str
    status: int
    error_code: str | None
    microseconds: int
    reason: str | None


REQUESTS = Query(
    select(*(requests.c[name] for name in ListedRequest.__struct_fields__))
    .where(requests.c.client_id == bindparam("client_id"))
    .where(requests.c.path.contains(bindparam("contained"), escape="/"))
    .where((requests.c.status != 200) | (bindparam("all", type_=BigInteger) == 1))
    .where(requests.c.answered_at > bindparam("after"))
    .order_by(requests.c.answered_at.desc(), requests.c.request_id.desc())
    .limit(bindparam("count"))
    .offset(bindparam("offset")),
    ListedRequest,
)


class ListedWebhook(msgspec.Struct):
    event_id: str
    created_at: int
    item_id: str | None
    url: str
    # Without the tokens that it may hold.
    body: str
    state: str
    attempts: int
    due_at: int | None
    fault_id: str | None
    # 1 when what is sent holds tokens.
    is_sealed: int

    @property
    def name(self) -> str:
        return name_of(self.body)


class Attempt(msgspec.Struct):
    number: int
    at: int
    accepted: int
    status: int | None
    error: str | None
    milliseconds: int


_webhooks = select(
    outbox.c.event_id,
    outbox.c.created_at,
    outbox.c.item_id,
    outbox.c.url,
    outbox.c.body,
    outbox.c.state,
    outbox.c.attempts,
    outbox.c.due_at,
    outbox.c.fault_id,
    case((outbox.c.sealed_body.is_(None), 0), else_=1),
).where(outbox.c.client_id == bindparam("client_id"))
WEBHOOKS = Query(
    _webhooks.where(outbox.c.recorded_at.is_not(None))
    .order_by(outbox.c.recorded_at.desc(), outbox.c.event_id)
    .limit(bindparam("count"))
    .offset(bindparam("offset")),
    ListedWebhook,
)
WEBHOOK = Query(_webhooks.where(outbox.c.event_id == bindparam("event_id")), ListedWebhook)
ATTEMPTS = Query(
    select(*(webhook_attempts.c[name] for name in Attempt.__struct_fields__))
    .where(webhook_attempts.c.client_id == bindparam("client_id"))
    .where(webhook_attempts.c.event_id == bindparam("event_id"))
    .order_by(webhook_attempts.c.number)
    .limit(100),
    Attempt,
)
