"""Retiring a pepper: what it still digests is revoked, and each piece is on record."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Column, Select, bindparam, literal, null, update

from treadle.clients import OPERATOR
from treadle.journal.withdrawals import SecretReplaced, TokensEnded
from treadle.rekeying.counting import live_link_tokens, live_secrets, live_tokens
from treadle.store.change import Change, GuardFailed, Record, Store
from treadle.store.link_tables import link_tokens
from treadle.store.statements import Query, Write
from treadle.store.tables import clients, tokens

_BATCH = 100


class _Revoked(msgspec.Struct):
    kind: str
    handle: str
    client_id: str
    item_id: str | None = None
    account_id: str | None = None
    secret_digest: bytes = b""


class _Digested:
    """What is digested in one table, how what lives of it is found and how it is revoked."""

    def __init__(
        self,
        live: Select[Any],
        kind: Any,
        handle: Column[Any],
        *subject: Any,
        **revoked: Any,
    ) -> None:
        """`handle` names a row; `revoked` is what to set in it, `subject` what else to record."""
        table = handle.table
        self._handle = handle
        self._live = live.add_columns(kind, handle, table.c.client_id, *subject)
        # Touches no row when it was used meanwhile, and so is under another pepper now.
        self.revoke = Write(
            update(table)
            .where(handle == bindparam("the_handle"))
            .where(table.c.client_id == bindparam("the_client_id"))
            .where(table.c.pepper_id == bindparam("the_pepper_id"))
            .values(revoked)
        )

    def following(self, after: str, pepper_id: str) -> Query[_Revoked]:
        pepper = self._handle.table.c.pepper_id
        statement = self._live.where(self._handle > after, pepper == pepper_id)
        return Query(statement.order_by(self._handle).limit(_BATCH), _Revoked)


async def revoke_digests(store: Store, pepper_id: str, now: int) -> int:
    """End every token and secret that a pepper has digested; answers how many those were."""
    count = 0
    for digested in (
        _Digested(
            live_tokens(now),
            tokens.c.kind + "_token",
            tokens.c.token_id,
            tokens.c.item_id,
            tokens.c.account_id,
            ended_at=now,
        ),
        _Digested(
            live_secrets(),
            literal("client_secret"),
            clients.c.client_id,
            null(),
            null(),
            clients.c.secret_digest,
            secret_digest=b"",
        ),
        _Digested(
            live_link_tokens(now), literal("link_token"), link_tokens.c.token_id, expires_at=now
        ),
    ):
        count += await _revoke(store, digested, pepper_id, now)
    return count


async def _revoke(store: Store, digested: _Digested, pepper_id: str, now: int) -> int:
    count, after = 0, ""
    while found := await store.all(digested.following(after, pepper_id)):
        change = Change()
        for one in found:
            change.write(
                digested.revoke,
                the_handle=one.handle,
                the_client_id=one.client_id,
                the_pepper_id=pepper_id,
            )
            # No link token lives as long as it takes to restore a backup of it.
            if one.kind == "client_secret":
                change.withdraw(SecretReplaced(one.client_id, one.secret_digest, b"", pepper_id))
            elif one.kind != "link_token":
                kind = one.kind.removesuffix("_token")
                change.withdraw(TokensEnded(one.client_id, now, kind, "token_id", one.handle))
            change.record(_record(one, pepper_id, now))
        try:
            await store.commit(change)
        except GuardFailed:
            # Read again without what has been used.
            continue
        count += len(found)
        after = found[-1].handle
    return count


def _record(revoked: _Revoked, pepper_id: str, now: int) -> Record:
    is_token = revoked.kind != "client_secret"
    return Record(
        at=now,
        client_id=revoked.client_id,
        actor=OPERATOR,
        action=f"{revoked.kind}.revoke",
        item_id=revoked.item_id,
        account_id=revoked.account_id,
        token_id=revoked.handle if is_token else None,
        detail={"retired_pepper": pepper_id},
    )
