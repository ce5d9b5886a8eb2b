"""Events as they are told: to an Item's webhook, or to that of a partner's token."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import bindparam, select, update

from treadle.bank.rows import Item
from treadle.call import ClientCall
from treadle.ids import Ids
from treadle.store.statements import Query, Write
from treadle.store.tables import items
from treadle.tokens.rows import Listener
from treadle.webhooks.outbox import owe
from treadle.wire.webhooks import WebhookEnvironmentValues


class LastWebhook(msgspec.Struct):
    """The latest webhook that an Item's receiver was owed."""

    # An instant of the client's clock.
    sent_at: int
    code_sent: str


_the_item = (
    items.c.item_id == bindparam("the_item_id"),
    items.c.client_id == bindparam("the_client_id"),
)
_SET_LAST_WEBHOOK = Write(
    update(items).where(*_the_item).values(last_webhook=bindparam("last_webhook"))
)
LAST_WEBHOOK = Query(
    select(items.c.last_webhook)
    .where(items.c.item_id == bindparam("item_id"))
    .where(items.c.client_id == bindparam("client_id"))
    .where(items.c.last_webhook.is_not(None)),
    msgspec.json.Decoder(LastWebhook).decode,
)


def tell_item(
    call: ClientCall,
    item: Item,
    event: type[msgspec.Struct],
    webhook_type: str,
    webhook_code: str,
    *,
    url: str | None = None,
    ids: Ids | None = None,
    **fields: Any,
) -> None:
    """Owe an event to the Item's webhook, or to a new one; without any, nothing is told."""
    receiver = url or item.webhook
    if not receiver:
        return
    body = event(
        webhook_type=webhook_type,
        webhook_code=webhook_code,
        item_id=item.item_id,
        environment=WebhookEnvironmentValues(call.environment),
        **fields,
    )
    owe(call, item.client_id, item.item_id, receiver, body, ids=ids)
    call.change.write(
        _SET_LAST_WEBHOOK,
        the_item_id=item.item_id,
        the_client_id=item.client_id,
        last_webhook=msgspec.json.encode(LastWebhook(call.now, webhook_code)).decode(),
    )


def tell_partner(
    call: ClientCall,
    listener: Listener,
    event: type[msgspec.Struct],
    webhook_type: str,
    webhook_code: str,
    *,
    ids: Ids | None = None,
    **fields: Any,
) -> None:
    """Owe an event to a processor token's webhook. It names the account, and never the Item."""
    if listener.is_over(call.now):
        return
    body = event(
        webhook_type=webhook_type,
        webhook_code=webhook_code,
        account_id=listener.account_id,
        environment=WebhookEnvironmentValues(call.environment),
        **fields,
    )
    owe(
        call,
        listener.client_id,
        listener.item_id,
        listener.webhook,
        body,
        subject=listener.token_id,
        ids=ids,
    )
