"""Tokens and permissions as they are stored, and the queries that find them.

A token is found by its digest alone; the client found there scopes everything that follows.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, func, insert, select, update

from treadle.bank.rows import ACCOUNT_COLUMNS, ITEM_COLUMNS, Account, Item
from treadle.clients import OWNER_COLUMNS, Owner
from treadle.store.columns import decode_names
from treadle.store.statements import Query, Write
from treadle.store.tables import accounts, clients, items, permissions, tokens
from treadle.tokens.limits import UNLIMITED, Limits, decode_limits
from treadle.tokens.scope import PROCESSOR_SCOPES


class Token(msgspec.Struct):
    token_id: str
    client_id: str
    account_id: str | None
    processor: str | None
    expires_at: int | None
    ended_at: int | None
    # 1 once a partner has asked with it for what changed among transactions.
    synced: int
    # What a processor token is limited to; null when it never was. `limits.py` reads it.
    limits_json: str | None
    # Null when its calls are not limited.
    calls_left: int | None

    @property
    def may_be_over(self) -> bool:
        """Whether it was revoked or limited at all; most tokens were not."""
        return (
            self.limits_json is not None or self.ended_at is not None or self.expires_at is not None
        )

    @property
    def limits(self) -> Limits | None:
        """None when one of them is unknown, and all is to be denied."""
        return UNLIMITED if self.limits_json is None else decode_limits(self.limits_json)


class Grant(msgspec.Struct):
    """An access or public token with the Item it opens."""

    token: Token
    item: Item


class ProcessorGrant(msgspec.Struct):
    """A processor token with its permissions, its Item and, unless removed, its account."""

    token: Token
    # The permissions in force: null when none were ever set.
    products_json: str | None
    item: Item
    owner: Owner
    account: Account | None

    @property
    def products(self) -> tuple[str, ...]:
        """The products that the token is narrowed to; empty when it is unrestricted."""
        return () if self.products_json is None else decode_names(self.products_json)


class MintedGrant(msgspec.Struct):
    """What the client that minted a processor token may know and set of it."""

    token: Token
    products_json: str | None
    item_id: str
    item_removed_at: int | None

    @property
    def products(self) -> tuple[str, ...]:
        """The products that the token is narrowed to; empty when it is unrestricted."""
        return () if self.products_json is None else decode_names(self.products_json)


class Listener(msgspec.Struct, frozen=True):
    """A live processor token with a webhook of its own, whose account is still shared."""

    token_id: str
    client_id: str
    item_id: str
    account_id: str
    webhook: str
    synced: int
    products_json: str | None
    expires_at: int | None
    calls_left: int | None
    limits_json: str | None

    def may_call(self, path: str) -> bool:
        """Whether permissions and limits in force admit a partner's operation."""
        scope = PROCESSOR_SCOPES[path]
        permitted = decode_names(self.products_json) if self.products_json else ()
        if permitted and scope.admitted_by.isdisjoint(permitted):
            return False
        limits = self.limits
        return limits is not None and limits.admits(scope.fields)

    @property
    def limits(self) -> Limits | None:
        return UNLIMITED if self.limits_json is None else decode_limits(self.limits_json)

    @property
    def reads_all_transactions(self) -> bool:
        """Whether no limit says how far back its transactions go."""
        limits = self.limits
        return limits is not None and limits.transactions_from is None

    def is_over(self, now: int) -> bool:
        """Whether the token has come to an end of its own."""
        expired = self.expires_at is not None and self.expires_at <= now
        return expired or self.calls_left == 0 or self.limits is None


_TOKEN_COLUMNS = (
    tokens.c.token_id,
    tokens.c.client_id,
    tokens.c.account_id,
    tokens.c.processor,
    tokens.c.expires_at,
    tokens.c.ended_at,
    tokens.c.synced,
    tokens.c.limits,
    tokens.c.calls_left,
)
_TOKEN_END = len(_TOKEN_COLUMNS)
_ITEM_END = _TOKEN_END + len(ITEM_COLUMNS)
_OWNER_END = _ITEM_END + len(OWNER_COLUMNS)


def _grant(*row: Any) -> Grant:
    return Grant(Token(*row[:_TOKEN_END]), Item(*row[_TOKEN_END:]))


def _processor_grant(*row: Any) -> ProcessorGrant:
    products, *account = row[_OWNER_END:]
    return ProcessorGrant(
        Token(*row[:_TOKEN_END]),
        products,
        Item(*row[_TOKEN_END:_ITEM_END]),
        Owner(*row[_ITEM_END:_OWNER_END]),
        Account(*account) if account[0] is not None else None,
    )


GRANT = Query(
    select(*_TOKEN_COLUMNS, *ITEM_COLUMNS)
    .select_from(tokens.join(items, items.c.item_id == tokens.c.item_id))
    .where(tokens.c.digest == bindparam("digest"))
    .where(tokens.c.kind == bindparam("kind")),
    _grant,
)

_revisions = permissions.alias("revisions")
_latest = (
    select(_revisions.c.revision)
    .where(_revisions.c.token_id == tokens.c.token_id)
    .order_by(_revisions.c.revision.desc())
    .limit(1)
    .correlate(tokens)
    .scalar_subquery()
)
IN_FORCE = and_(permissions.c.token_id == tokens.c.token_id, permissions.c.revision == _latest)
ITS_ACCOUNT = and_(
    accounts.c.item_id == tokens.c.item_id, accounts.c.account_id == tokens.c.account_id
)

_granted = (
    select(
        *_TOKEN_COLUMNS,
        *ITEM_COLUMNS,
        *OWNER_COLUMNS,
        permissions.c.products,
        *ACCOUNT_COLUMNS,
    )
    .select_from(
        tokens.join(items, items.c.item_id == tokens.c.item_id)
        .join(clients, clients.c.client_id == items.c.client_id)
        .outerjoin(accounts, ITS_ACCOUNT)
        .outerjoin(permissions, IN_FORCE)
    )
    .where(tokens.c.kind == bindparam("kind"))
)
# All that a redeem needs, in one read of the database and nothing kept between two of them.
PROCESSOR_GRANT = Query(_granted.where(tokens.c.digest == bindparam("digest")), _processor_grant)
# The same for the client that minted the token, by its handle.
OWN_GRANT = Query(
    _granted.where(tokens.c.token_id == bindparam("token_id")).where(
        tokens.c.client_id == bindparam("client_id")
    ),
    _processor_grant,
)


def _minted_grant(*row: Any) -> MintedGrant:
    return MintedGrant(Token(*row[:_TOKEN_END]), *row[_TOKEN_END:])


MINTED_GRANT = Query(
    select(*_TOKEN_COLUMNS, permissions.c.products, items.c.item_id, items.c.removed_at)
    .select_from(
        tokens.join(items, items.c.item_id == tokens.c.item_id).outerjoin(permissions, IN_FORCE)
    )
    .where(tokens.c.digest == bindparam("digest"))
    .where(tokens.c.kind == bindparam("kind")),
    _minted_grant,
)

LISTENER_COLUMNS = (
    tokens.c.token_id,
    tokens.c.client_id,
    tokens.c.item_id,
    tokens.c.account_id,
    tokens.c.webhook,
    tokens.c.synced,
    permissions.c.products,
    tokens.c.expires_at,
    tokens.c.calls_left,
    tokens.c.limits,
)

LISTENERS = Query(
    select(*LISTENER_COLUMNS)
    .select_from(tokens.join(accounts, ITS_ACCOUNT).outerjoin(permissions, IN_FORCE))
    .where(tokens.c.item_id == bindparam("item_id"))
    .where(tokens.c.client_id == bindparam("client_id"))
    .where(tokens.c.kind == "processor", tokens.c.webhook.is_not(None))
    .where(tokens.c.ended_at.is_(None))
    .order_by(tokens.c.token_id),
    Listener,
)

INSERT_TOKEN = Write.insert(tokens)

# Locks the token's row, so that permissions set at the same time follow one another.
LOCK_TOKEN = Write(
    select(tokens.c.token_id)
    .where(tokens.c.token_id == bindparam("the_token_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .with_for_update()
)
APPEND_PERMISSIONS = Write(
    insert(permissions)
    .inline()
    .values(
        token_id=bindparam("the_token_id"),
        revision=select(func.coalesce(func.max(_revisions.c.revision), 0) + 1)
        .where(_revisions.c.token_id == bindparam("the_token_id"))
        .scalar_subquery(),
        client_id=bindparam("the_client_id"),
        products=bindparam("the_products"),
        created_at=bindparam("the_instant"),
    )
)

# Touches no row when the token was ended meanwhile, so of two callers only one ever ends it.
END_TOKEN = Write(
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .where(tokens.c.ended_at.is_(None))
    .values(ended_at=bindparam("ended_at"))
)
# Touches no row once none is left, so however many ask at once, no more are answered.
USE_CALL = Write(
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .where(tokens.c.ended_at.is_(None), tokens.c.calls_left > 0)
    .values(calls_left=tokens.c.calls_left - 1)
)
# Touches no row when another call with the token has moved it.
MOVE_TOKEN = Write(
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .where(tokens.c.digest == bindparam("seen_digest"))
    .values(digest=bindparam("digest"), pepper_id=bindparam("pepper_id"))
)
MARK_TOKEN_SYNCED = Write(
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .values(synced=1)
)
SET_TOKEN_WEBHOOK = Write(
    update(tokens)
    .where(tokens.c.token_id == bindparam("the_token_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .values(webhook=bindparam("webhook"))
)
