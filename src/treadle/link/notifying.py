"""The webhooks that tell an app's server of a session, when it is on a page of Link's own or adds
several Items. Of all others the callbacks of the app's page tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from treadle.call import ClientCall
from treadle.clock import MINUTE
from treadle.webhooks import owe, withdraw
from treadle.wire.webhooks import (
    ItemAddResultWebhook,
    LinkEventsWebhook,
    LinkSessionFinishedWebhook,
    WebhookEnvironmentValues,
)

# From the last thing that the user did on.
_LEFT_AFTER = 10 * MINUTE

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
    setup, ending = session.setup, session.state.ending
    finished = LinkSessionFinishedWebhook(
        webhook_type="LINK",
        webhook_code="SESSION_FINISHED",
        status="SUCCESS" if ending is not None and ending.success else "EXITED",
        link_session_id=session.session_id,
        link_token=setup.link_token,
        environment=WebhookEnvironmentValues(call.environment),
    )
    positions = range(len(session.state.added))
    finished.public_tokens = [session.public_token(position) for position in positions]
    if finished.public_tokens:
        finished.public_token = finished.public_tokens[0]
    _owe(call, session, _events(call, session))
    _owe(call, session, finished)


def tell_in_case_it_is_left(call: ClientCall, session: Session) -> None:
    """Owe for later what the session tells so far, and no longer what it told before this step."""
    url = _url(session)
    if url is None:
        return
    # Of a lane of its own, since it must not hold up what is told of the session meanwhile.
    subject = f"{session.session_id}/left"
    withdraw(call, call.client.client_id, subject, url)
    if not session.finished:
        _owe(call, session, _events(call, session), subject=subject, delay=_LEFT_AFTER)


def _events(call: ClientCall, session: Session) -> LinkEventsWebhook:
    return LinkEventsWebhook(
        webhook_type="LINK",
        webhook_code="EVENTS",
        events=session.state.log.for_wire(),
        link_session_id=session.session_id,
        link_token=session.setup.link_token,
        environment=WebhookEnvironmentValues(call.environment),
    )


def _url(session: Session) -> str | None:
    """Where a server is told of the session; None when it is not."""
    setup = session.setup
    return setup.webhook if setup.hosted is not None or setup.multi_item else None


def _owe(
    call: ClientCall,
    session: Session,
    body: msgspec.Struct,
    *,
    subject: str | None = None,
    delay: int = 0,
) -> None:
    url = _url(session)
    if url is None:
        return
    owe(
        call,
        call.client.client_id,
        None,
        url,
        body,
        subject=subject or session.session_id,
        holds_tokens=True,
        delay=delay,
    )
