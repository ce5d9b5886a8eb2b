"""Revoking processor tokens, and telling the partners who hold them."""

from __future__ import annotations

from typing import Any

import msgspec

from treadle.call import ClientCall
from treadle.journal.withdrawals import TokensEnded
from treadle.tokens.delegated import COUNT_REVOCATION, Choice
from treadle.webhooks.events import tell_partner
from treadle.wire.webhooks import WebhookEnvironmentValues

# So many rows that ending them would hold others up.
_MANY = 50


class ProcessorTokenRevoked(msgspec.Struct, kw_only=True):
    """A webhook of Treadle's own: a partner's token has ended."""

    webhook_type: str
    webhook_code: str
    account_id: str
    error: None
    environment: WebhookEnvironmentValues


async def end_tokens(
    call: ClientCall,
    choice: Choice,
    rows: dict[str, Any],
    subject: dict[str, Any],
    *,
    notify: bool,
    reason: str = "revoked",
) -> int:
    """Add to the call's Change the end of some tokens of its owner; answers how many there are.

    `rows` are the parameters of the choice, `subject` is what the record says of it. With none to
    end, nothing is added.
    """
    # Whose tokens they are, though a partner may be the one who ends its own.
    client_id = call.owner.client_id
    of_client = {"client_id": client_id, **rows}
    count = await call.first(choice.count, **of_client) or 0
    if not count:
        return 0
    listeners = await call.all(choice.listeners, **of_client) if notify else []
    call.change.write(COUNT_REVOCATION, the_client_id=client_id)
    # Of two callers that end the same one, one has ended it; of many, some may have gone before.
    call.change.write(choice.end, rows=choice.rows, the_end=call.now, **of_client)
    call.change.write(choice.forget, rows=None, **of_client)
    call.change.heavy |= count > _MANY
    # The choice has one parameter.
    [(by, value)] = rows.items()
    call.change.withdraw(TokensEnded(call.client.client_id, call.now, "processor", by, value))
    detail = {"tokens": count, "reason": reason, **subject.get("detail", {})}
    call.record("processor_token.revoke", client_id, **{**subject, "detail": detail})
    for listener in listeners:
        tell_partner(
            call, listener, ProcessorTokenRevoked, "PROCESSOR_TOKEN", "TOKEN_REVOKED", error=None
        )
    return count
