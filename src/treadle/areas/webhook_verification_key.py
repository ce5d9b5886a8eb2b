"""The public keys with which receivers verify webhooks."""

from __future__ import annotations

from treadle.call import ClientCall
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import operation
from treadle.wire.webhook_verification_key import (
    JWKPublicKey,
    WebhookVerificationKeyGetRequest,
    WebhookVerificationKeyGetResponse,
)


@operation("/webhook_verification_key/get", gate=ClientGate())
async def webhook_verification_key_get(
    call: ClientCall, request: WebhookVerificationKeyGetRequest
) -> WebhookVerificationKeyGetResponse:
    key = await call.services.signer.find(request.key_id)
    if key is None:
        raise errors.INVALID_WEBHOOK_VERIFICATION_KEY_ID()
    return WebhookVerificationKeyGetResponse(
        key=JWKPublicKey(
            alg="ES256",
            crv="P-256",
            kid=key.kid,
            kty="EC",
            use="sig",
            x=key.x,
            y=key.y,
            created_at=key.created_at,
            expired_at=key.expired_at,
        ),
        request_id=call.request_id,
    )
