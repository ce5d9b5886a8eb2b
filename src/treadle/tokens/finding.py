"""Finding a row by the digest of a secret, under any pepper that lives.

Meanwhile the row may be moved to another digest, or the key file may gain a pepper: neither hides a
row that is there.
"""

from __future__ import annotations

import contextlib
from typing import Any, TypeVar

from treadle.call import ClientCall, OpenCall
from treadle.store.change import Change, GuardFailed, Record
from treadle.store.statements import Query
from treadle.tokens.rows import MOVE_TOKEN, Token

R = TypeVar("R")


async def find_by_digest(
    call: OpenCall, query: Query[R], secret: str, **parameters: Any
) -> tuple[R, bytes] | None:
    """The row of a secret, and the digest that it was found by."""
    keys = call.services.keys
    while True:
        digests = keys.digests(secret)
        # Twice where there are several, for between two reads the row may move from one that is
        # yet to be looked at to one that was.
        for digest in digests if len(digests) == 1 else digests * 2:
            row = await call.first(query, digest=digest, **parameters)
            if row is not None:
                return row, digest
        keys.renew()
        if keys.digests(secret) == digests:
            return None


async def leave_former_pepper(call: ClientCall, token: Token, text: str, digest: bytes) -> None:
    """Digest a token anew when a former pepper has digested it; it goes on as it is.

    This is a Change of its own, so that no other fails when two calls with the token meet.
    """
    keys = call.services.keys
    if not keys.is_former_digest(text, digest):
        return
    change = Change()
    change.write(
        MOVE_TOKEN,
        the_token_id=token.token_id,
        the_client_id=token.client_id,
        seen_digest=digest,
        digest=keys.digest(text),
        pepper_id=keys.pepper_id,
    )
    change.record(
        Record(
            at=call.now,
            client_id=token.client_id,
            actor=call.actor,
            action="token.move_to_pepper",
            token_id=token.token_id,
            detail={"pepper": keys.pepper_id},
        )
    )
    with contextlib.suppress(GuardFailed):
        await call.services.store.commit(change)
