"""What becomes of a client's webhooks, told as it happens: what `treadle listen` asks for."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Table, bindparam, select

from treadle.call import ClientCall
from treadle.clock import SECOND, stopwatch
from treadle.control.answers import Attempt, Owed, Signed, TreadleWebhooksGetResponse
from treadle.gates import ClientGate
from treadle.operations import own_operation
from treadle.store.database_clock import database_now
from treadle.store.statements import Query
from treadle.store.tables import outbox, webhook_attempts
from treadle.webhooks.outbox import body_place
from treadle.wire.base import Request

_MAX_WAIT_SECONDS = 5
_LOOK_SECONDS = 0.2
_PAGE = 500
# What is younger than this is not told yet: a transaction that began earlier may still end.
_SETTLING = SECOND // 2


class TreadleWebhooksGetRequest(Request, kw_only=True):
    client_id: str | None = None
    secret: str | None = None
    # The `next` of the answer before; without it, listening begins now.
    after: int | None = None
    # How long to wait for something to tell. In production nobody is kept waiting.
    wait_seconds: int = 0


def _between(table: Table, *columns: Any) -> Any:
    """Rows of a client after one instant and until another, in order."""
    return (
        select(*columns)
        .where(table.c.client_id == bindparam("client_id"))
        .where(table.c.recorded_at > bindparam("after"))
        .where(table.c.recorded_at <= bindparam("until"))
        .order_by(table.c.recorded_at, table.c.event_id)
        .limit(_PAGE)
    )


_NOW = Query(select(database_now()), int)
_webhook = (outbox.c.event_id, outbox.c.item_id, outbox.c.url, outbox.c.body)
_OWED = Query(
    _between(outbox, *_webhook, outbox.c.recorded_at, outbox.c.sealed_body),
    lambda *row: (Owed(*row[:-1]), row[-1]),
)
_ATTEMPTS = Query(
    _between(
        webhook_attempts,
        *_webhook,
        webhook_attempts.c.recorded_at,
        webhook_attempts.c.number,
        outbox.c.state,
        webhook_attempts.c.status,
        webhook_attempts.c.error,
        webhook_attempts.c.milliseconds,
    ).join_from(webhook_attempts, outbox, outbox.c.event_id == webhook_attempts.c.event_id),
    Attempt,
)


@own_operation("/treadle/webhooks/get", gate=ClientGate(), takes_turn=False)
async def treadle_webhooks_get(
    call: ClientCall, request: TreadleWebhooksGetRequest
) -> TreadleWebhooksGetResponse:
    sandbox = call.services.settings.sandbox
    patience = min(request.wait_seconds, _MAX_WAIT_SECONDS) if sandbox else 0
    deadline = stopwatch() + patience
    owed, attempts, until = await _look(call, request.after)
    while not owed and not attempts and stopwatch() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
        owed, attempts, until = await _look(call, until)
    sign = call.services.signer.sign
    return TreadleWebhooksGetResponse(
        owed=[Signed(one, await sign(one.body.encode())) for one in owed],
        attempts=attempts,
        next=until,
        request_id=call.request_id,
    )


async def _look(call: ClientCall, after: int | None) -> tuple[list[Owed], list[Attempt], int]:
    """What was recorded after an instant, and until which instant that is all."""
    until = (await call.first(_NOW) or 0) - _SETTLING
    if after is None:
        return [], [], until
    span = {"client_id": call.client.client_id, "after": after, "until": until}
    owed = [_opened(call, *row) for row in await call.all(_OWED, **span)]
    attempts = await call.all(_ATTEMPTS, **span)
    # A full page may end in the middle of an instant, which is then told whole the next time.
    ends = [
        max(page[-1].recorded_at - 1, page[0].recorded_at)
        for page in (owed, attempts)
        if len(page) == _PAGE
    ]
    until = min([until, *ends])
    return (
        [one for one in owed if one.recorded_at <= until],
        [one for one in attempts if one.recorded_at <= until],
        max(until, after),
    )


def _opened(call: ClientCall, owed: Owed, sealed: bytes | None) -> Owed:
    """The webhook as it is sent, also if it holds tokens."""
    if sealed is not None:
        owed.body = call.services.keys.unseal(sealed, body_place(owed.event_id)).decode()
    return owed
