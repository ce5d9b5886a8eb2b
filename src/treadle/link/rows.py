"""Link tokens, sessions and their results, as they are stored.

A link token is found by its digest, and so is a session by the secret that its frame holds; the
client found there scopes everything that follows.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Table, bindparam, func, insert, select, update

from treadle.keys import Keys
from treadle.link.setup import Setup
from treadle.link.state import State
from treadle.store.database_clock import database_now
from treadle.store.link_tables import link_results, link_sessions, link_tokens
from treadle.store.statements import Query, Write

_encode = msgspec.json.encode
_decode_setup = msgspec.json.Decoder(Setup).decode
_decode_state = msgspec.json.Decoder(State).decode

# So many sessions of one token; a user opens Link a few times.
MOST_SESSIONS = 100


class LinkToken(msgspec.Struct):
    token_id: str
    client_id: str
    sealed_setup: bytes
    item_id: str | None
    plan: bytes | None
    created_at: int
    expires_at: int

    def setup(self, keys: Keys) -> Setup:
        return _decode_setup(keys.unseal(self.sealed_setup, setup_place(self.token_id)))


class SessionRow(msgspec.Struct):
    session_id: str
    sealed_state: bytes
    started_at: int
    finished_at: int | None
    key_digest: bytes
    revision: int

    def state(self, keys: Keys) -> State:
        return _decode_state(keys.unseal(self.sealed_state, state_place(self.session_id)))


class TokenSession(msgspec.Struct):
    """A session with the token it was opened by."""

    token: LinkToken
    row: SessionRow


def setup_place(token_id: str) -> str:
    """What binds a sealed setup to its row."""
    return f"link_tokens/setup/{token_id}"


def plan_place(token_id: str) -> str:
    return f"link_tokens/plan/{token_id}"


def state_place(session_id: str) -> str:
    return f"link_sessions/state/{session_id}"


def result_place(session_id: str, position: int) -> str:
    return f"link_results/public_token/{session_id}:{position}"


def seal_setup(keys: Keys, token_id: str, setup: Setup) -> bytes:
    return keys.seal(_encode(setup), setup_place(token_id))


def seal_state(keys: Keys, session_id: str, state: State) -> bytes:
    return keys.seal(_encode(state), state_place(session_id))


_TOKEN_COLUMNS = (
    link_tokens.c.token_id,
    link_tokens.c.client_id,
    link_tokens.c.setup,
    link_tokens.c.item_id,
    link_tokens.c.plan,
    link_tokens.c.created_at,
    link_tokens.c.expires_at,
)
_SESSION_COLUMNS = (
    link_sessions.c.session_id,
    link_sessions.c.state,
    link_sessions.c.started_at,
    link_sessions.c.finished_at,
    link_sessions.c.key_digest,
    link_sessions.c.revision,
)


def _token_session(*row: object) -> TokenSession:
    end = len(_TOKEN_COLUMNS)
    return TokenSession(LinkToken(*row[:end]), SessionRow(*row[end:]))  # type: ignore[arg-type]


_sessions = select(*_TOKEN_COLUMNS, *_SESSION_COLUMNS).select_from(
    link_sessions.join(link_tokens, link_tokens.c.token_id == link_sessions.c.token_id)
)

TOKEN = Query(select(*_TOKEN_COLUMNS).where(link_tokens.c.digest == bindparam("digest")), LinkToken)
HOSTED_TOKEN = Query(
    select(*_TOKEN_COLUMNS).where(link_tokens.c.hosted_digest == bindparam("digest")), LinkToken
)
SESSION = Query(_sessions.where(link_sessions.c.key_digest == bindparam("digest")), _token_session)
OAUTH_SESSION = Query(
    _sessions.where(link_sessions.c.oauth_digest == bindparam("digest")), _token_session
)
# The same for a caller who is known.
SESSION_OF_CLIENT = Query(
    _sessions.where(link_sessions.c.session_id == bindparam("session_id")).where(
        link_sessions.c.client_id == bindparam("client_id")
    ),
    _token_session,
)

SESSIONS_OF_TOKEN = Query(
    select(*_SESSION_COLUMNS)
    .where(link_sessions.c.token_id == bindparam("token_id"))
    .where(link_sessions.c.client_id == bindparam("client_id"))
    .order_by(link_sessions.c.started_at, link_sessions.c.session_id)
    .limit(MOST_SESSIONS),
    SessionRow,
)
COUNT_SESSIONS = Query(
    select(func.count())
    .select_from(link_sessions)
    .where(link_sessions.c.token_id == bindparam("token_id"))
    .where(link_sessions.c.client_id == bindparam("client_id")),
    int,
)
RESULTS_OF_SESSION = Query(
    select(link_results.c.position, link_results.c.public_token)
    .where(link_results.c.session_id == bindparam("session_id"))
    .where(link_results.c.client_id == bindparam("client_id"))
    .where(link_results.c.expires_at > bindparam("now")),
    lambda position, sealed: (position, sealed),
)


def _insert_now(table: Table) -> Write:
    """The insert of a row that says when it was written."""
    named: dict[str, Any] = {column.name: bindparam(column.name) for column in table.columns}
    return Write(insert(table).values(named | {"recorded_at": database_now()}))


INSERT_TOKEN = _insert_now(link_tokens)
INSERT_SESSION = Write.insert(link_sessions)
INSERT_RESULT = _insert_now(link_results)

# Touches no row when another step came first.
MOVE_SESSION = Write(
    update(link_sessions)
    .where(link_sessions.c.session_id == bindparam("the_session_id"))
    .where(link_sessions.c.client_id == bindparam("the_client_id"))
    .where(link_sessions.c.revision == bindparam("seen_revision"))
    .values(
        state=bindparam("state"),
        key_digest=bindparam("key_digest"),
        oauth_digest=bindparam("oauth_digest"),
        finished_at=bindparam("finished_at"),
        revision=link_sessions.c.revision + 1,
    )
)
SET_PLAN = Write(
    update(link_tokens)
    .where(link_tokens.c.token_id == bindparam("the_token_id"))
    .where(link_tokens.c.client_id == bindparam("the_client_id"))
    .values(plan=bindparam("plan"))
)
