"""The outcome of automatic micro-deposits, decided by a developer in the sandbox."""

from __future__ import annotations

from treadle.bank.verification import settle_deposits
from treadle.call import ItemCall
from treadle.gates import ItemGate
from treadle.http import errors
from treadle.operations import operation
from treadle.wire.common import AccountBaseVerificationStatus as Status
from treadle.wire.sandbox import (
    SandboxItemSetVerificationStatusRequest,
    SandboxItemSetVerificationStatusResponse,
)


@operation("/sandbox/item/set_verification_status", gate=ItemGate(reads_data=True))
async def sandbox_item_set_verification_status(
    call: ItemCall, request: SandboxItemSetVerificationStatusRequest
) -> SandboxItemSetVerificationStatusResponse:
    """Raises ApiError unless the account waits for its micro-deposits."""
    account = await call.account(request.account_id)
    if account.data.verification_status != Status.PENDING_AUTOMATIC_VERIFICATION:
        raise errors.INVALID_FIELD(
            problem="account_id must be an account that is pending automatic verification"
        )
    status = Status(request.verification_status)
    settle_deposits(call, call.item, account, status)
    return SandboxItemSetVerificationStatusResponse(request_id=call.request_id)
