"""Deleting what Link no longer needs: the texts of tokens whose life is over, and old sessions.

The time is the database's, so that a client whose clock stands still keeps nothing for ever.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from treadle.clock import DAY, MINUTE
from treadle.store.change import Change, Store
from treadle.store.database_clock import database_now
from treadle.store.link_tables import link_results, link_sessions, link_tokens
from treadle.store.statements import Query, Write
from treadle.store.tables import outbox

# As long as a public token lives.
_TEXT_LIFE = 30 * MINUTE
# Longer than any link token lives; its sessions can be asked for until then.
_SESSION_LIFE = 30 * DAY
_BATCH = 50

DELETE_TEXTS = Write(
    delete(link_results).where(link_results.c.recorded_at < database_now() - _TEXT_LIFE)
)
# What is left of such a webhook is its body without the tokens.
FORGET_BODIES = Write(
    update(outbox)
    .where(outbox.c.sealed_body.is_not(None))
    .where(outbox.c.recorded_at < database_now() - _TEXT_LIFE)
    .values(sealed_body=None)
)
OLD_TOKENS = Query(
    select(link_tokens.c.client_id, link_tokens.c.token_id)
    .where(link_tokens.c.recorded_at < database_now() - _SESSION_LIFE)
    .order_by(link_tokens.c.recorded_at)
    .limit(_BATCH),
    lambda client_id, token_id: (client_id, token_id),
)
_DELETE_TOKEN = [
    Write(
        delete(table)
        .where(table.c.client_id == bindparam("the_client_id"))
        .where(table.c.token_id == bindparam("the_token_id"))
    )
    for table in (link_sessions, link_tokens)
]


async def delete_old(store: Store) -> None:
    """A few at a time; what is left comes the next time."""
    change = Change()
    change.write(DELETE_TEXTS, rows=None)
    change.write(FORGET_BODIES, rows=None)
    for client_id, token_id in await store.all(OLD_TOKENS):
        for write in _DELETE_TOKEN:
            change.write(write, rows=None, the_client_id=client_id, the_token_id=token_id)
    await store.commit(change)
