"""Making tokens: only the digest is stored, the text goes to the caller and nowhere else."""

from __future__ import annotations

from typing import Literal

from treadle.call import ClientCall
from treadle.clock import MINUTE
from treadle.tokens.rows import INSERT_TOKEN

Kind = Literal["public", "access", "processor"]


PUBLIC_TOKEN_LIFE = 30 * MINUTE


def mint_public(call: ClientCall, item_id: str) -> tuple[str, int]:
    """A public token and the instant at which it expires: documented as 30 minutes."""
    expires_at = call.now + PUBLIC_TOKEN_LIFE
    return mint(call, "public", item_id, expires_at=expires_at), expires_at


def mint(
    call: ClientCall,
    kind: Kind,
    item_id: str,
    *,
    account_id: str | None = None,
    processor: str | None = None,
    expires_at: int | None = None,
) -> str:
    """Add a new token to the call's Change; answers its text."""
    text = call.ids.token(kind, call.environment)
    token_id = call.ids.ordered_uuid(f"{kind}_token", call.now)
    call.hold_item(item_id)
    call.change.write(
        INSERT_TOKEN,
        digest=call.services.keys.digest(text),
        token_id=token_id,
        pepper_id=call.services.keys.pepper_id,
        kind=kind,
        client_id=call.client.client_id,
        item_id=item_id,
        account_id=account_id,
        processor=processor,
        webhook=None,
        created_at=call.now,
        expires_at=expires_at,
        ended_at=None,
        synced=0,
        limits=None,
        calls_left=None,
        calls=0,
        last_used_at=None,
    )
    detail = {} if processor is None else {"processor": processor}
    call.record(
        f"{kind}_token.create",
        item_id=item_id,
        account_id=account_id,
        token_id=token_id,
        detail=detail,
    )
    return text
