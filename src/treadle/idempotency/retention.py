"""Deleting answers whose time is over, and the keys themselves long after."""

from __future__ import annotations

import asyncio

from treadle.idempotency.rows import DELETE_KEY, FORGET_ANSWER, OLD_ANSWERS, OLD_KEYS
from treadle.store.change import Change, Store


async def delete_old(store: Store) -> None:
    for old, write in ((OLD_ANSWERS, FORGET_ANSWER), (OLD_KEYS, DELETE_KEY)):
        while found := await store.all(old):
            change = Change()
            for key in found:
                # Another process may be at the same.
                change.write(
                    write, rows=None, the_client_id=key.client_id, the_key_digest=key.key_digest
                )
            await store.commit(change)
            await asyncio.sleep(0)
