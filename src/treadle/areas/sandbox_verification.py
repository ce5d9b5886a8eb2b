"""The outcome of automatic micro-deposits, decided by a developer in the sandbox."""

from __future__ import annotations

import msgspec

from treadle.bank.rows import guarded_by, update_item
from treadle.bank.updates import SET_ACCOUNT_DATA
from treadle.call import ItemCall
from treadle.gates import ItemGate
from treadle.http import errors
from treadle.operations import operation
from treadle.webhooks import owe
from treadle.wire.common import AccountBaseVerificationStatus
from treadle.wire.sandbox import (
    SandboxItemSetVerificationStatusRequest,
    SandboxItemSetVerificationStatusResponse,
)
from treadle.wire.webhooks import (
    AutomaticallyVerifiedWebhook,
    VerificationExpiredWebhook,
    WebhookEnvironmentValues,
)

# Changes nothing but the Item's revision, so that of two outcomes at the same time one comes first.
_TOUCH_ITEM = update_item()
_WEBHOOKS = {
    AccountBaseVerificationStatus.AUTOMATICALLY_VERIFIED: AutomaticallyVerifiedWebhook,
    AccountBaseVerificationStatus.VERIFICATION_EXPIRED: VerificationExpiredWebhook,
}


@operation("/sandbox/item/set_verification_status", gate=ItemGate(reads_data=True))
async def sandbox_item_set_verification_status(
    call: ItemCall, request: SandboxItemSetVerificationStatusRequest
) -> SandboxItemSetVerificationStatusResponse:
    """Raises ApiError unless the account waits for its micro-deposits."""
    account = await call.account(request.account_id)
    data = account.data
    if data.verification_status != AccountBaseVerificationStatus.PENDING_AUTOMATIC_VERIFICATION:
        raise errors.INVALID_FIELD(
            problem="account_id must be an account that is pending automatic verification"
        )
    status = AccountBaseVerificationStatus(request.verification_status)
    item = call.item
    call.change.write(_TOUCH_ITEM, **guarded_by(item))
    call.change.write(
        SET_ACCOUNT_DATA,
        the_item_id=item.item_id,
        the_client_id=item.client_id,
        the_account_id=account.account_id,
        data=msgspec.json.encode(
            msgspec.structs.replace(data, verification_status=status)
        ).decode(),
    )
    call.record(
        "account.verification_status",
        item_id=item.item_id,
        account_id=account.account_id,
        detail={"verification_status": status},
    )
    if item.webhook:
        body = _WEBHOOKS[status](
            webhook_type="AUTH",
            webhook_code=status.name,
            item_id=item.item_id,
            account_id=account.account_id,
            error=None,
            environment=WebhookEnvironmentValues.SANDBOX,
        )
        owe(call, item.client_id, item.item_id, item.webhook, body)
    return SandboxItemSetVerificationStatusResponse(request_id=call.request_id)
