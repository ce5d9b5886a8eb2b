"""Processor tokens as the client that minted them sees them: found by handle, listed and ended."""

from __future__ import annotations

import msgspec
from sqlalchemy import ColumnElement, Integer, Text, and_, bindparam, func, or_, select, update

from treadle.store.columns import decode_names
from treadle.store.delegation_tables import idempotency
from treadle.store.statements import Query, Write
from treadle.store.tables import accounts, clients, items, permissions, tokens
from treadle.tokens.limits import UNLIMITED, Limits, State, decode_limits
from treadle.tokens.rows import IN_FORCE, ITS_ACCOUNT, LISTENER_COLUMNS, Listener

# How many tokens are told of together.
PAGE = 500


class Delegated(msgspec.Struct):
    """A processor token with what has become of it."""

    token_id: str
    item_id: str
    account_id: str | None
    processor: str | None
    created_at: int
    expires_at: int | None
    ended_at: int | None
    calls: int
    calls_left: int | None
    last_used_at: int | None
    limits_json: str | None
    # The permissions in force: null when none were ever set.
    products_json: str | None
    item_removed_at: int | None
    # Null when the account is no longer shared.
    shared_account_id: str | None

    @property
    def products(self) -> tuple[str, ...]:
        """The products that the token is narrowed to; empty when it is unrestricted."""
        return () if self.products_json is None else decode_names(self.products_json)

    @property
    def limits(self) -> Limits | None:
        """None when one of them is unknown to this version, and all is denied."""
        return UNLIMITED if self.limits_json is None else decode_limits(self.limits_json)

    def state(self, now: int) -> State:
        """What a partner that calls with it would find, the most final first."""
        if self.ended_at is not None:
            return "revoked"
        if self.item_removed_at is not None:
            return "item_removed"
        if self.shared_account_id is None:
            return "account_removed"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "used_up" if self.calls_left == 0 else "active"


_OF_CLIENT = and_(tokens.c.client_id == bindparam("client_id"), tokens.c.kind == "processor")


def _delegated(*conditions: ColumnElement[bool]) -> Query[Delegated]:
    return Query(
        select(
            tokens.c.token_id,
            tokens.c.item_id,
            tokens.c.account_id,
            tokens.c.processor,
            tokens.c.created_at,
            tokens.c.expires_at,
            tokens.c.ended_at,
            tokens.c.calls,
            tokens.c.calls_left,
            tokens.c.last_used_at,
            tokens.c.limits,
            permissions.c.products,
            items.c.removed_at,
            accounts.c.account_id,
        )
        .select_from(
            tokens.join(items, items.c.item_id == tokens.c.item_id)
            .outerjoin(accounts, ITS_ACCOUNT)
            .outerjoin(permissions, IN_FORCE)
        )
        .where(_OF_CLIENT, *conditions)
        .order_by(tokens.c.token_id)
        .limit(bindparam("count", type_=Integer)),
        Delegated,
    )


# An empty text stands for any processor.
_wanted_processor = or_(
    bindparam("processor", type_=Text) == "", tokens.c.processor == bindparam("processor")
)
_further = and_(tokens.c.token_id > bindparam("after"), _wanted_processor)

DELEGATED = _delegated(tokens.c.token_id == bindparam("token_id"))
LISTED = _delegated(_further)
LISTED_OF_ITEM = _delegated(_further, tokens.c.item_id == bindparam("item_id"))


class Choice:
    """Which tokens of a client are to end, and the statements that end them."""

    def __init__(self, condition: ColumnElement[bool], rows: int | None = None) -> None:
        """`rows` is how many tokens it is, if that is known."""
        self.rows = rows
        live = and_(_OF_CLIENT, tokens.c.ended_at.is_(None), condition)
        self.count = Query(select(func.count()).select_from(tokens).where(live), int)
        # The partners that are to be told; those of accounts that are gone were told then.
        self.listeners = Query(
            select(*LISTENER_COLUMNS)
            .select_from(tokens.join(accounts, ITS_ACCOUNT).outerjoin(permissions, IN_FORCE))
            .where(live, tokens.c.webhook.is_not(None))
            .order_by(tokens.c.token_id),
            Listener,
        )
        self.end = Write(update(tokens).where(live).values(ended_at=bindparam("the_end")))
        # No answer that was kept for a repetition tells a token that has ended.
        self.forget = Write(
            update(idempotency)
            .where(idempotency.c.client_id == bindparam("client_id"))
            .where(idempotency.c.answer.is_not(None))
            .where(
                idempotency.c.token_id.in_(select(tokens.c.token_id).where(_OF_CLIENT, condition))
            )
            .values(answer=None, forget_at=None)
        )


# By the field of a request that names them.
CHOICES = {
    "token_id": Choice(tokens.c.token_id == bindparam("token_id"), rows=1),
    "processor": Choice(tokens.c.processor == bindparam("processor")),
    "item_id": Choice(tokens.c.item_id == bindparam("item_id")),
}

COUNT_REVOCATION = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .values(revocations=clients.c.revocations + 1)
)
# Rises with each revocation: once it has been read, all of them up to it are in force.
REVISION = Query(
    select(clients.c.revocations).where(clients.c.client_id == bindparam("client_id")), int
)
ITEM_EXISTS = Query(
    select(items.c.item_id)
    .where(items.c.item_id == bindparam("item_id"))
    .where(items.c.client_id == bindparam("client_id")),
    str,
)


def page_of(
    client_id: str, item_id: str, processor: str, after: str
) -> tuple[Query[Delegated], dict[str, str]]:
    """The query of a client's tokens after one of them, and its parameters but for the count."""
    rows = {"client_id": client_id, "processor": processor, "after": after}
    return (LISTED_OF_ITEM, rows | {"item_id": item_id}) if item_id else (LISTED, rows)
