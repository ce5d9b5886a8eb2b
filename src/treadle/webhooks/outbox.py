"""Webhooks owed: written in the same Change as what they tell of, and read to be delivered.

A row's `due_at` is the client's instant from which it may be sent, and null once it no longer may.
Whoever sends it holds a lease by the database's clock, so that no two processes send it at once.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import BigInteger, Integer, bindparam, delete, func, insert, or_, select, update

from treadle.http.errors import without_tokens
from treadle.ids import Ids
from treadle.keys import Keys
from treadle.store.database_clock import database_now
from treadle.store.statements import Query, Write
from treadle.store.tables import outbox, webhook_attempts
from treadle.webhooks.bell import Line

if TYPE_CHECKING:
    # What makes calls also holds the parts of this package, so the two cannot import each other.
    from treadle.call import ClientCall

PENDING, DELIVERED, GIVEN_UP, REFUSED = "pending", "delivered", "given_up", "refused"
# Never sent: a fault of the client's says so, or it was written before there was a delivery.
WITHHELD = "withheld"

# How many are looked at together: of what is due on a line, and of the lines.
PAGE = 50
_MAX_LINES = 10_000


def owe(
    call: ClientCall,
    client_id: str,
    item_id: str | None,
    url: str,
    body: msgspec.Struct,
    *,
    subject: str | None = None,
    holds_tokens: bool = False,
    delay: int = 0,
    ids: Ids | None = None,
) -> None:
    """Add a webhook to the call's Change, to be sent once that is kept.

    Webhooks of one subject to one URL arrive in the order in which they were owed. The subject is
    the Item unless another is named. One that holds tokens is kept sealed for as long as they
    live, and without them from then on. `delay` is how long it stays unsent at least, by the
    client's clock and in microseconds. `ids` takes the place of the call's own.
    """
    event_id, text = (ids or call.ids).uuid("event"), encode_body(body)
    sealed = None
    if holds_tokens:
        sealed = call.services.keys.seal(text.encode(), body_place(event_id))
    # An address with other parameters is the same receiver.
    line = Line(client_id, _digest(client_id, url.partition("?")[0]))
    call.change.write(
        _INSERT,
        event_id=event_id,
        client_id=client_id,
        item_id=item_id,
        url=url,
        body=without_tokens(text) if holds_tokens else text,
        sealed_body=sealed,
        state=PENDING,
        created_at=call.now,
        due_from=call.now + delay,
        lane=_digest(client_id, subject or item_id or "", url),
        endpoint=line.endpoint,
    )
    call.change.when_kept.append(lambda: call.services.bell.ring(line))


def withdraw(call: ClientCall, client_id: str, subject: str, url: str) -> None:
    """Take back, with the call's Change, what is owed of a subject and was not sent yet."""
    lane = _digest(client_id, subject, url)
    call.change.write(_WITHDRAW, rows=None, client_id=client_id, lane=lane)


def encode_body(body: msgspec.Struct) -> str:
    """The exact text that is signed and sent: JSON, indented by two spaces."""
    return msgspec.json.format(msgspec.json.encode(body), indent=2).decode()


def body_place(event_id: str) -> str:
    """What binds a sealed body to its row."""
    return f"outbox/sealed_body/{event_id}"


def name_of(body: str) -> str:
    """What a webhook is about: its type and its code."""
    told = msgspec.json.decode(body)
    return f"{told.get('webhook_type')}:{told.get('webhook_code')}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


class Owed(msgspec.Struct, frozen=True):
    """A webhook that this process has leased and is to send."""

    event_id: str
    client_id: str
    url: str
    body: str
    lane: str
    endpoint: str
    attempts: int
    created_at: int
    lease: str
    item_id: str | None
    fault_id: str | None
    sealed_body: bytes | None

    def text(self, keys: Keys) -> str:
        """What is sent."""
        if self.sealed_body is None:
            return self.body
        return keys.unseal(self.sealed_body, body_place(self.event_id)).decode()

    @property
    def line(self) -> Line:
        return Line(self.client_id, self.endpoint)


_ahead = outbox.alias("ahead")
_is_pending = outbox.c.due_at.is_not(None)
_in_lane = (
    outbox.c.client_id == bindparam("client_id"),
    outbox.c.lane == bindparam("lane"),
    _is_pending,
)
# A webhook that joins a lane which waits for its next attempt waits with it.
_due_with_lane = func.coalesce(
    select(func.max(outbox.c.due_at)).where(*_in_lane).scalar_subquery(),
    bindparam("due_from", type_=BigInteger),
)
_next_in_lane = select(func.coalesce(func.max(outbox.c.sequence), 0) + 1).where(*_in_lane)

_INSERT = Write(
    insert(outbox).values(
        event_id=bindparam("event_id"),
        client_id=bindparam("client_id"),
        item_id=bindparam("item_id"),
        url=bindparam("url"),
        body=bindparam("body"),
        sealed_body=bindparam("sealed_body"),
        state=bindparam("state"),
        created_at=bindparam("created_at"),
        recorded_at=database_now(),
        lane=bindparam("lane"),
        sequence=_next_in_lane.scalar_subquery(),
        endpoint=bindparam("endpoint"),
        due_at=_due_with_lane,
        attempts=0,
        leased_until=0,
    )
)

_WITHDRAW = Write(
    delete(outbox)
    .where(*_in_lane)
    .where(outbox.c.attempts == 0)
    .where(outbox.c.leased_until < database_now())
)

# Where webhooks are pending, and when the first one may be sent by its client's clock.
LINES_OWED = Query(
    select(outbox.c.client_id, outbox.c.endpoint, func.min(outbox.c.due_at))
    .where(_is_pending)
    .group_by(outbox.c.client_id, outbox.c.endpoint)
    .order_by(func.min(outbox.c.due_at))
    .limit(_MAX_LINES),
    lambda client_id, endpoint, due_at: (Line(client_id, endpoint), due_at),
)

# What may be sent on a line now: of each lane the first.
DUE = Query(
    select(outbox.c.event_id)
    .where(outbox.c.client_id == bindparam("client_id"))
    .where(outbox.c.endpoint == bindparam("endpoint"))
    .where(outbox.c.due_at <= bindparam("now"))
    .where(outbox.c.leased_until < database_now())
    .where(
        ~select(_ahead.c.event_id)
        .where(_ahead.c.lane == outbox.c.lane)
        .where(_ahead.c.due_at.is_not(None))
        .where(
            or_(
                _ahead.c.sequence < outbox.c.sequence,
                # Of two that were owed at the very same time, either may go first.
                (_ahead.c.sequence == outbox.c.sequence) & (_ahead.c.event_id < outbox.c.event_id),
                _ahead.c.leased_until >= database_now(),
            )
        )
        .exists()
    )
    .order_by(outbox.c.due_at, outbox.c.event_id)
    .limit(PAGE),
    str,
)

CLAIM = Write(
    update(outbox)
    .where(outbox.c.client_id == bindparam("the_client_id"))
    .where(outbox.c.event_id == bindparam("the_event_id"))
    .where(outbox.c.due_at <= bindparam("now"))
    .where(outbox.c.leased_until < database_now())
    .values(
        lease=bindparam("lease"),
        leased_until=database_now() + bindparam("lease_microseconds", type_=BigInteger),
    )
)

CLAIMED = Query(
    select(
        outbox.c.event_id,
        outbox.c.client_id,
        outbox.c.url,
        outbox.c.body,
        outbox.c.lane,
        outbox.c.endpoint,
        outbox.c.attempts,
        outbox.c.created_at,
        outbox.c.lease,
        outbox.c.item_id,
        outbox.c.fault_id,
        outbox.c.sealed_body,
    )
    .where(outbox.c.client_id == bindparam("client_id"))
    .where(outbox.c.lease == bindparam("lease")),
    Owed,
)


class Listed(msgspec.Struct, frozen=True):
    created_at: int
    item_id: str | None
    url: str
    body: str
    state: str
    attempts: int


LATEST = Query(
    select(
        outbox.c.created_at,
        outbox.c.item_id,
        outbox.c.url,
        outbox.c.body,
        outbox.c.state,
        outbox.c.attempts,
    )
    .where(outbox.c.client_id == bindparam("client_id"))
    .where(outbox.c.recorded_at.is_not(None))
    .order_by(outbox.c.recorded_at.desc(), outbox.c.event_id)
    .limit(bindparam("count", type_=Integer)),
    Listed,
)

_leased = (
    outbox.c.client_id == bindparam("the_client_id"),
    outbox.c.event_id == bindparam("the_event_id"),
    outbox.c.lease == bindparam("the_lease"),
)

# Ends a lease with what came of it. It touches no row when the lease has passed to another.
SETTLE = Write(
    update(outbox)
    .where(*_leased)
    .values(
        state=bindparam("state"),
        due_at=bindparam("due_at"),
        attempts=bindparam("attempts"),
        lease=None,
        leased_until=0,
    )
)

# Ends a lease because a fault has put the webhook off, out of its order, or withheld it.
DIVERT = Write(
    update(outbox)
    .where(*_leased)
    .values(
        state=bindparam("state"),
        due_at=bindparam("due_at"),
        lane=bindparam("lane"),
        fault_id=bindparam("fault_id"),
        lease=None,
        leased_until=0,
    )
)

# What waits behind a webhook that was rejected waits as long as it does.
POSTPONE_LANE = Write(
    update(outbox)
    .where(outbox.c.client_id == bindparam("the_client_id"))
    .where(outbox.c.lane == bindparam("the_lane"))
    .where(_is_pending)
    .values(due_at=bindparam("due_at"))
)

RELEASE = Write(update(outbox).where(*_leased).values(lease=None, leased_until=0))

INSERT_ATTEMPT = Write(
    insert(webhook_attempts).values(
        {
            column.name: bindparam(column.name)
            for column in webhook_attempts.columns
            if column.name != "recorded_at"
        }
        | {"recorded_at": database_now()}
    )
)


def count_attempts(limit: int) -> Query[int | None]:
    """How many attempts at an endpoint were accepted, or were not, since an instant."""
    some = (
        select(webhook_attempts.c.client_id)
        .where(webhook_attempts.c.client_id == bindparam("client_id"))
        .where(webhook_attempts.c.endpoint == bindparam("endpoint"))
        .where(webhook_attempts.c.accepted == bindparam("accepted"))
        .where(webhook_attempts.c.at > bindparam("since"))
        .limit(limit)
        .subquery()
    )
    count = select(func.count()).where(some.c.client_id == bindparam("client_id"))
    return Query(count, int)
