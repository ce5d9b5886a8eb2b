"""Webhooks owed: written in the same Change as what they tell of."""

from __future__ import annotations

import msgspec

from treadle.call import ClientCall
from treadle.store.statements import Write
from treadle.store.tables import outbox

_INSERT_EVENT = Write.insert(outbox)

# Nothing delivers yet. A row in this state is a record of what was owed, and is never sent.
_WITHHELD = "withheld"


def owe(call: ClientCall, client_id: str, item_id: str, url: str, body: msgspec.Struct) -> None:
    """Add a webhook to the call's Change. The body must hold no token."""
    call.change.write(
        _INSERT_EVENT,
        event_id=call.ids.uuid("event"),
        client_id=client_id,
        item_id=item_id,
        url=url,
        body=msgspec.json.encode(body).decode(),
        state=_WITHHELD,
        created_at=call.now,
    )
