"""Who may drive a session: a frame that holds its secret, or the page of a bank that it led to.

Neither has a client's credentials. The session that the secret belongs to says whose client it is.
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from treadle.call import ClientCall, OpenCall
from treadle.clients import CLIENT
from treadle.http.errors import INVALID_FIELD, INVALID_LINK_TOKEN
from treadle.link.refusals import INCORRECT_OAUTH_NONCE
from treadle.link.rows import (
    HOSTED_TOKEN,
    OAUTH_SESSION,
    SESSION,
    TOKEN,
    LinkToken,
    TokenSession,
)
from treadle.link.session import Session
from treadle.store.statements import Query
from treadle.tokens.finding import find_by_digest
from treadle.tokens.format import Shape, inspect

R = TypeVar("R")

_STATE = "oauth_state_id"


class SessionCall(ClientCall):
    """A call about one session."""

    def __init__(self, call: ClientCall, session: Session) -> None:
        self._continue(call)
        self.session = session


class StartCall(ClientCall):
    """A call that opens Link."""

    def __init__(self, call: ClientCall, token: LinkToken, left: TokenSession | None) -> None:
        self._continue(call)
        self.token = token
        # The session that was left for a bank's page, and is now returned to.
        self.left = left


class StartGate:
    """Who has a link token, the address of a page of Link's own, or comes back from a bank."""

    needs_client = False

    async def open(self, call: OpenCall, request: Any, path: str) -> StartCall:
        left = None
        if request.received_redirect_uri is not None:
            left = await find(call, OAUTH_SESSION, _visit_of(request.received_redirect_uri))
            if left is None:
                raise INCORRECT_OAUTH_NONCE()
        if request.hosted_id is not None:
            token = await find(call, HOSTED_TOKEN, request.hosted_id)
        elif request.link_token is not None:
            token = await find_token(call, request.link_token)
        else:
            token = None if left is None else left.token
        if token is None:
            raise INVALID_LINK_TOKEN()
        if left is not None and left.token.token_id != token.token_id:
            raise INCORRECT_OAUTH_NONCE()
        return StartCall(await as_client(call, token.client_id), token, left)


def _visit_of(redirect_uri: str) -> str:
    """The visit to a bank that the address of a page tells of. Raises ApiError."""
    try:
        parts = urlsplit(redirect_uri)
        told = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        told = []
    if len(told) != 1 or told[0][0] != _STATE or parts.fragment:
        problem = f"receivedRedirectUri must be a URL with the one query parameter {_STATE}"
        raise INVALID_FIELD(problem=problem)
    return told[0][1]


class SessionGate:
    """The frame that a session was begun by."""

    needs_client = False

    async def open(self, call: OpenCall, request: Any, path: str) -> SessionCall:
        found = await find(call, SESSION, request.session_key)
        if found is None:
            raise INVALID_LINK_TOKEN()
        client_call = await as_client(call, found.token.client_id)
        return SessionCall(client_call, Session(client_call, found.token, found.row))


class BankGate:
    """The page of a bank that a session has sent its user to."""

    needs_client = False

    async def open(self, call: OpenCall, request: Any, path: str) -> SessionCall:
        found = await find(call, OAUTH_SESSION, request.oauth_state_id)
        if found is None:
            raise INCORRECT_OAUTH_NONCE()
        client_call = await as_client(call, found.token.client_id)
        return SessionCall(client_call, Session(client_call, found.token, found.row))


async def as_client(call: OpenCall, client_id: str) -> ClientCall:
    """The call as one of the client that a secret belongs to, in that client's world."""
    client = await call.first(CLIENT, client_id=client_id)
    if client is None or client.removed_at is not None:
        raise INVALID_LINK_TOKEN()
    now = call.services.worlds.now(client)
    return ClientCall(call.services, call.request_id, now, client)


async def find_token(call: OpenCall, text: str) -> LinkToken | None:
    if inspect(text, "link", call.environment) is not Shape.PLAUSIBLE:
        return None
    return await find(call, TOKEN, text)


async def find(call: OpenCall, query: Query[R], secret: str) -> R | None:
    found = await find_by_digest(call, query, secret)
    return None if found is None else found[0]
