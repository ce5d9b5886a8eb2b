"""The webhooks that tell an app's server of a session, when it is on a page of Link's own or adds
several Items. Of all others the callbacks of the app's page tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from treadle.call import ClientCall
from treadle.webhooks import owe
from treadle.wire.webhooks import (
    ItemAddResultWebhook,
    LinkEventsWebhook,
    LinkSessionFinishedWebhook,
    WebhookEnvironmentValues,
)

if TYPE_CHECKING:
    from treadle.link.session import Session


def tell_of_item(call: ClientCall, session: Session, public_token: str) -> None:
    """Owe what tells of an Item that was just added."""
    body = ItemAddResultWebhook(
        webhook_type="LINK",
        webhook_code="ITEM_ADD_RESULT",
        link_session_id=session.session_id,
        link_token=session.setup.link_token,
        public_token=public_token,
        environment=WebhookEnvironmentValues(call.environment),
    )
    _owe(call, session, body)


def tell_of_end(call: ClientCall, session: Session) -> None:
    """Owe what tells of a session that has just ended."""
    environment = WebhookEnvironmentValues(call.environment)
    setup, ending = session.setup, session.state.ending
    events = LinkEventsWebhook(
        webhook_type="LINK",
        webhook_code="EVENTS",
        events=session.state.log.for_wire(),
        link_session_id=session.session_id,
        link_token=setup.link_token,
        environment=environment,
    )
    finished = LinkSessionFinishedWebhook(
        webhook_type="LINK",
        webhook_code="SESSION_FINISHED",
        status="SUCCESS" if ending is not None and ending.success else "EXITED",
        link_session_id=session.session_id,
        link_token=setup.link_token,
        environment=environment,
    )
    positions = range(len(session.state.added))
    finished.public_tokens = [session.public_token(position) for position in positions]
    if finished.public_tokens:
        finished.public_token = finished.public_tokens[0]
    _owe(call, session, events)
    _owe(call, session, finished)


def _owe(call: ClientCall, session: Session, body: msgspec.Struct) -> None:
    setup = session.setup
    if setup.webhook is None or not (setup.hosted is not None or setup.multi_item):
        return
    owe(
        call,
        call.client.client_id,
        None,
        setup.webhook,
        body,
        subject=session.session_id,
        holds_tokens=True,
    )
