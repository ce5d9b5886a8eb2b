"""The end of automatic or manual micro-deposits."""

from __future__ import annotations

import msgspec

from treadle.bank.model import AccountData
from treadle.bank.rows import Account, Item, guarded_by, update_item
from treadle.bank.updates import SET_ACCOUNT_DATA
from treadle.call import ClientCall
from treadle.ids import Ids
from treadle.webhooks.events import tell_item
from treadle.wire.common import AccountBaseVerificationStatus as Status
from treadle.wire.webhooks import AutomaticallyVerifiedWebhook, VerificationExpiredWebhook

# Changes nothing but the Item's revision, so that of two outcomes at the same time one comes first.
_TOUCH_ITEM = update_item()
_EVENTS = {
    Status.AUTOMATICALLY_VERIFIED: AutomaticallyVerifiedWebhook,
    Status.VERIFICATION_EXPIRED: VerificationExpiredWebhook,
}


def settle_deposits(
    call: ClientCall, item: Item, account: Account, status: Status, ids: Ids | None = None
) -> None:
    """Add to the call's Change what became of an account's deposits, and that it is told."""
    data = msgspec.structs.replace(account.data, verification_status=status)
    keep_verification(call, item, account.account_id, data)
    tell_item(
        call,
        item,
        _EVENTS[status],
        "AUTH",
        status.name,
        ids=ids,
        account_id=account.account_id,
        error=None,
    )


def keep_verification(call: ClientCall, item: Item, account_id: str, data: AccountData) -> None:
    """Add to the call's Change what is known now of whether an account's numbers are right."""
    call.change.write(_TOUCH_ITEM, **guarded_by(item))
    item.revision += 1
    call.change.write(
        SET_ACCOUNT_DATA,
        the_item_id=item.item_id,
        the_client_id=item.client_id,
        the_account_id=account_id,
        data=msgspec.json.encode(data).decode(),
    )
    call.record(
        "account.verification_status",
        owner=item.client_id,
        item_id=item.item_id,
        account_id=account_id,
        detail={"verification_status": data.verification_status},
    )
