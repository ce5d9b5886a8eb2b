"""What was done under idempotency keys, as it is stored."""

from __future__ import annotations

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    not_,
    select,
    update,
)

from treadle.clock import DAY
from treadle.store.database_clock import database_now
from treadle.store.delegation_tables import idempotency
from treadle.store.statements import Query, Write
from treadle.store.tables import tokens

# A key makes nothing else for so long, though its answer may be gone sooner.
_KEY_LIFE = 30 * DAY
_BATCH = 50


class Done(msgspec.Struct, frozen=True):
    """A request that was done."""

    request_digest: bytes
    pepper_id: str
    # Sealed; null once it is forgotten.
    answer: bytes | None
    # Whether its time, by the database's clock, and the token that it tells go on.
    is_fresh: bool | None


def answer_place(client_id: str, key_digest: bytes) -> str:
    """What binds a sealed answer to its row."""
    return f"idempotency/answer/{client_id}:{key_digest.hex()}"


class Key(msgspec.Struct, frozen=True):
    """Whose key it is, and which."""

    client_id: str
    key_digest: bytes


def _keys_where(condition: ColumnElement[bool], order: ColumnElement[int | None]) -> Query[Key]:
    """The first keys of a kind; so few that nobody has to wait for what is done with them."""
    return Query(
        select(idempotency.c.client_id, idempotency.c.key_digest)
        .where(condition)
        .order_by(order)
        .limit(_BATCH),
        Key,
    )


_of_key = (
    idempotency.c.client_id == bindparam("the_client_id"),
    idempotency.c.key_digest == bindparam("the_key_digest"),
)
_has_ended = exists(
    select(tokens.c.token_id)
    .where(tokens.c.token_id == idempotency.c.token_id)
    .where(tokens.c.client_id == idempotency.c.client_id)
    .where(tokens.c.ended_at.is_not(None))
)
DONE = Query(
    select(
        idempotency.c.request_digest,
        idempotency.c.pepper_id,
        idempotency.c.answer,
        and_(idempotency.c.forget_at > database_now(), not_(_has_ended)),
    ).where(*_of_key),
    Done,
)
# Of two requests with one key that are done at the same time, one finds the row there and fails.
INSERT_DONE = Write(
    insert(idempotency).values(
        client_id=bindparam("client_id"),
        key_digest=bindparam("key_digest"),
        request_digest=bindparam("request_digest"),
        pepper_id=bindparam("pepper_id"),
        item_id=bindparam("item_id"),
        token_id=bindparam("token_id"),
        answer=bindparam("answer"),
        recorded_at=database_now(),
        forget_at=database_now() + bindparam("life", type_=BigInteger),
    )
)

FORGET_OF_ITEM = Write(
    update(idempotency)
    .where(idempotency.c.client_id == bindparam("the_client_id"))
    .where(idempotency.c.item_id == bindparam("the_item_id"))
    .where(idempotency.c.answer.is_not(None))
    .values(answer=None, forget_at=None)
)
OLD_ANSWERS = _keys_where(idempotency.c.forget_at <= database_now(), idempotency.c.forget_at)
OLD_KEYS = _keys_where(
    idempotency.c.recorded_at < database_now() - _KEY_LIFE, idempotency.c.recorded_at
)
FORGET_ANSWER = Write(update(idempotency).where(*_of_key).values(answer=None, forget_at=None))
DELETE_KEY = Write(delete(idempotency).where(*_of_key))
