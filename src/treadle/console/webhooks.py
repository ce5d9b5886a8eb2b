"""What the client's receivers were sent, and what came of it."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import Any

import msgspec
from starlette.responses import Response

from treadle.console.rows import ATTEMPTS, WEBHOOK, WEBHOOKS
from treadle.console.visit import PAGE, NotThere, Visit
from treadle.webhooks.signing import SIGNATURE_HEADER


class Signature(msgspec.Struct):
    """A signature of a webhook, and what it says."""

    value: str
    header: Any
    claims: Any


async def show_all(visit: Visit) -> Response:
    found = await visit.all(WEBHOOKS, count=PAGE + 1, offset=visit.offset)
    return visit.page(
        "webhooks.html", webhooks=found[:PAGE], more=len(found) > PAGE, offset=visit.offset
    )


async def show(visit: Visit) -> Response:
    event_id = visit.named("event_id")
    webhook = await visit.first(WEBHOOK, event_id=event_id)
    if webhook is None:
        raise NotThere("This client is owed no webhook of that id.")
    # What is sent with tokens is signed with them, and they are not shown.
    signature = None if webhook.is_sealed else await _sign(visit, webhook.body)
    return visit.page(
        "webhook.html",
        webhook=webhook,
        attempts=await visit.all(ATTEMPTS, event_id=event_id),
        signature=signature,
        signature_header=SIGNATURE_HEADER,
    )


async def _sign(visit: Visit, body: str) -> Signature:
    """A signature made for this look, as one is made for each attempt."""
    value = await visit.services.signer.sign(body.encode())
    header, claims, _ = value.split(".")
    return Signature(value, _decode(header), _decode(claims))


def _decode(part: str) -> Any:
    return msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
