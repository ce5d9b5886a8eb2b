"""Ending tokens. Removing the Item is one guarded update, and all that descends from it is dead."""

from __future__ import annotations

from sqlalchemy import bindparam, update

from treadle.bank.rows import guarded_by, update_item
from treadle.bank.updates import DELETE_BANK_DATA
from treadle.call import ItemCall, PublicTokenCall
from treadle.idempotency.rows import FORGET_OF_ITEM
from treadle.journal.withdrawals import ItemRemoved, TokensEnded
from treadle.signal.rows import DELETE_EVALUATIONS
from treadle.store.statements import Write
from treadle.store.tables import stripe_tokens, tokens
from treadle.tokens.rows import END_TOKEN

_REMOVE_ITEM = update_item(
    removed_at=bindparam("removed_at"), webhook=None, login=None, wakes_at=None
)
_MARK_STRIPE_TOKENS = Write(
    update(stripe_tokens)
    .where(stripe_tokens.c.item_id == bindparam("the_item_id"))
    .where(stripe_tokens.c.client_id == bindparam("the_client_id"))
    .values(item_removed_at=bindparam("removed_at"))
)
_END_ACCESS_TOKENS = Write(
    update(tokens)
    .where(tokens.c.item_id == bindparam("the_item_id"))
    .where(tokens.c.client_id == bindparam("the_client_id"))
    .where(tokens.c.kind == "access")
    .where(tokens.c.ended_at.is_(None))
    .values(ended_at=bindparam("ended_at"))
)


def remove_item(call: ItemCall, reason: dict[str, str]) -> None:
    """Remove the Item and its bank data.

    Its tokens need no touching: none is valid without its Item. A Stripe token that Stripe holds
    already cannot be called back from there, so its record is marked.
    """
    item = call.item
    call.change.write(_REMOVE_ITEM, removed_at=call.now, **guarded_by(item))
    for delete in (*DELETE_BANK_DATA, DELETE_EVALUATIONS):
        call.change.write(delete, rows=None, item_id=item.item_id, client_id=item.client_id)
    call.change.write(
        FORGET_OF_ITEM, rows=None, the_item_id=item.item_id, the_client_id=item.client_id
    )
    call.change.write(
        _MARK_STRIPE_TOKENS,
        rows=None,
        the_item_id=item.item_id,
        the_client_id=item.client_id,
        removed_at=call.now,
    )
    call.change.withdraw(ItemRemoved(item.client_id, call.now, item.item_id))
    call.record("item.remove", item_id=item.item_id, detail=dict(reason))


def end_public_token(call: PublicTokenCall) -> None:
    """Use up the public token: of two exchanges at the same time, one finds it ended."""
    token = call.grant.token
    call.change.write(
        END_TOKEN,
        the_token_id=token.token_id,
        the_client_id=token.client_id,
        ended_at=call.now,
    )
    call.record("public_token.exchange", item_id=call.grant.item.item_id, token_id=token.token_id)


def end_access_tokens(call: ItemCall) -> None:
    """End every access token of the Item; its processor tokens live on.

    The one that was presented comes first and is the guard: of two calls that present it at the
    same time, one finds it ended.
    """
    call.change.write(
        END_TOKEN,
        the_token_id=call.token_id,
        the_client_id=call.item.client_id,
        ended_at=call.now,
    )
    call.change.write(
        _END_ACCESS_TOKENS,
        rows=None,
        the_item_id=call.item.item_id,
        the_client_id=call.item.client_id,
        ended_at=call.now,
    )
    call.change.withdraw(
        TokensEnded(call.item.client_id, call.now, "access", "item_id", call.item.item_id)
    )
    call.record("access_token.rotate", item_id=call.item.item_id, token_id=call.token_id)
