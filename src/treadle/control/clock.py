"""A client's clock: read it, set it, move it on, or let it follow the system's again."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from sqlalchemy import bindparam, exists, select

from treadle.call import ClientCall
from treadle.clock import DAY, HOUR, MILLISECOND, MINUTE, SECOND, from_datetime, to_datetime
from treadle.control.answers import ClockResponse
from treadle.control.asking import Order, Query
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import own_operation
from treadle.store import statements
from treadle.store.tables import clients, items, outbox
from treadle.worlds import set_world

# Far enough for any test, and near enough that no date before or after it overflows.
_EARLIEST = from_datetime(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
_LATEST = from_datetime(dt.datetime(2200, 1, 1, tzinfo=dt.UTC))

_Seconds = Annotated[int, msgspec.Meta(ge=0, le=10_000_000_000)]
_Minutes = Annotated[int, msgspec.Meta(ge=0, le=200_000_000)]
_Hours = Annotated[int, msgspec.Meta(ge=0, le=3_000_000)]
_Days = Annotated[int, msgspec.Meta(ge=0, le=100_000)]

_has_items = (
    exists().where(items.c.client_id == clients.c.client_id).where(items.c.removed_at.is_(None))
)
_owes_webhooks = (
    exists().where(outbox.c.client_id == clients.c.client_id).where(outbox.c.due_at.is_not(None))
)
# A client that has something whose instants are those of its clock.
_LIVES_BY_IT = statements.Query(
    select(clients.c.client_id)
    .where(clients.c.client_id == bindparam("client_id"))
    .where(_has_items | _owes_webhooks),
    str,
)


class ClockGetRequest(Query, kw_only=True):
    """Nothing is asked."""


class ClockSetRequest(Order, kw_only=True):
    """An instant; without an offset it is taken as UTC."""

    now: dt.datetime


class ClockAdvanceRequest(Order, kw_only=True):
    """By how much; what is left out counts as zero."""

    seconds: _Seconds = 0
    minutes: _Minutes = 0
    hours: _Hours = 0
    days: _Days = 0


class ClockRunRequest(Order, kw_only=True):
    """Nothing is asked."""


@own_operation("/treadle/sandbox/clock", ClientGate(), method="GET")
async def get_sandbox_clock(call: ClientCall, request: ClockGetRequest) -> ClockResponse:
    """Where the client's clock is."""
    return _answer(call, call.now, running=not call.services.worlds.stands_still(call.client))


@own_operation("/treadle/sandbox/clock", ClientGate())
async def post_sandbox_clock(call: ClientCall, request: ClockSetRequest) -> ClockResponse:
    """Set the client's clock; it stands still there until it is moved."""
    aware = request.now if request.now.tzinfo else request.now.replace(tzinfo=dt.UTC)
    return await _stand(call, from_datetime(aware), "now")


@own_operation("/treadle/sandbox/clock/advance", ClientGate())
async def post_sandbox_clock_advance(
    call: ClientCall, request: ClockAdvanceRequest
) -> ClockResponse:
    """Move the client's clock on; it stands still there, also if it followed the system's."""
    moved = (
        request.seconds * SECOND
        + request.minutes * MINUTE
        + request.hours * HOUR
        + request.days * DAY
    )
    given = "seconds, minutes, hours and days"
    if not moved:
        raise errors.INVALID_FIELD(problem=f"{given} must not all be zero")
    return await _stand(call, call.now + moved, given)


@own_operation("/treadle/sandbox/clock/run", ClientGate())
async def post_sandbox_clock_run(call: ClientCall, request: ClockRunRequest) -> ClockResponse:
    """Let the client's clock follow the system's."""
    now = call.services.worlds.system_now()
    await _check_forwards(call, now, "the system's clock")
    _set(call, None)
    call.record("clock.run")
    return _answer(call, now, running=True)


async def _stand(call: ClientCall, instant: int, given: str) -> ClockResponse:
    """Raises ApiError when the instant, which the fields in `given` led to, will not do."""
    if not _EARLIEST <= instant <= _LATEST:
        raise errors.INVALID_FIELD(problem=f"{given} must lead to an instant from 2000 to 2199")
    # What the clock shows is then what it is.
    instant -= instant % MILLISECOND
    await _check_forwards(call, instant, given)
    _set(call, instant)
    answer = _answer(call, instant, running=False)
    call.record("clock.set", detail={"now": answer.now.isoformat()})
    return answer


async def _check_forwards(call: ClientCall, instant: int, given: str) -> None:
    """Raises ApiError for a way back when something would be left behind in the future."""
    present = call.now - call.now % MILLISECOND
    if instant >= present:
        return
    bound = await call.first(_LIVES_BY_IT, client_id=call.client.client_id)
    if bound is not None:
        problem = (
            f"{given} must not lead back from {to_datetime(present):%Y-%m-%dT%H:%M:%SZ}, "
            "since this client has Items or owes webhooks"
        )
        raise errors.INVALID_FIELD(problem=problem)


def _set(call: ClientCall, instant: int | None) -> None:
    client, services = call.client, call.services
    world = msgspec.structs.replace(services.worlds.of(client), clock=instant)
    set_world(call.change, client, world)
    # Webhooks may have become due.
    call.change.when_kept.append(services.bell.ring_for_all)
    call.ring_alarm()


def _answer(call: ClientCall, instant: int, *, running: bool) -> ClockResponse:
    return ClockResponse(now=to_datetime(instant), running=running, request_id=call.request_id)
