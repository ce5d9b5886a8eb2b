"""Forged webhooks, to find out whether an endpoint of one's own refuses them."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from treadle.clock import wall_second
from treadle.ids import Ids
from treadle.webhooks.egress import Egress, Rule
from treadle.webhooks.outbox import encode_body
from treadle.webhooks.sending import Outcome, Sender
from treadle.webhooks.signing import (
    EVENT_ID_HEADER,
    SIGNATURE_HEADER,
    encode_bytes,
    new_private_key,
    sign,
    signing_input,
)
from treadle.webhooks.signing_keys import Signer
from treadle.wire.webhooks import WebhookEnvironmentValues, WebhookUpdateAcknowledgedWebhook

_STALE_SECONDS = 600
_TIMEOUT_SECONDS = 10.0


def _new_id() -> str:
    return Ids(None, "", 0).uuid("event")


class Shot(msgspec.Struct, frozen=True):
    """One webhook to send."""

    name: str
    body: bytes
    signature: str | None
    forged: bool = True
    # Whether it is one that was sent before, which is no forgery: webhooks may come twice.
    again: bool = False
    event_id: str = msgspec.field(default_factory=_new_id)


async def fire(
    signer: Signer, environment: str, url: str, item_id: str, rule: Rule
) -> list[tuple[Shot, Outcome]]:
    """Send them one after the other; only the first when the rule refuses the receiver."""
    key = await signer.newest()
    body = encode_body(
        WebhookUpdateAcknowledgedWebhook(
            webhook_type="ITEM",
            webhook_code="WEBHOOK_UPDATE_ACKNOWLEDGED",
            item_id=item_id,
            new_webhook_url=url,
            error=None,
            environment=WebhookEnvironmentValues(environment),
        )
    )
    sender = Sender(Egress(rule), _TIMEOUT_SECONDS)
    results = []
    for shot in shots(signer.open(key), key.kid, body.encode(), wall_second()):
        headers = {"Content-Type": "application/json", EVENT_ID_HEADER: shot.event_id}
        if shot.signature is not None:
            headers[SIGNATURE_HEADER] = shot.signature
        outcome = await sender.post(url, shot.body, headers)
        results.append((shot, outcome))
        if outcome.hopeless:
            break
    sender.close()
    return results


def shots(key: EllipticCurvePrivateKey, kid: str, body: bytes, now: int) -> list[Shot]:
    """What to send, in order: a genuine webhook, forged ones, and the genuine one once more.

    `key` is the one in force, so that the endpoint finds it under its id.
    """
    genuine = Shot("genuine", body, sign(key, kid, body, now), forged=False)
    stranger = new_private_key()
    return [
        genuine,
        Shot("unsigned", body, None),
        Shot("signed for another body", body, sign(key, kid, body + b"\n", now)),
        Shot("signed ten minutes ago", body, sign(key, kid, body, now - _STALE_SECONDS)),
        Shot("signed with a stranger's key", body, sign(stranger, kid, body, now)),
        Shot("key that the server does not know", body, sign(stranger, _new_id(), body, now)),
        Shot('algorithm "none"', body, _unsigned(kid, body, now)),
        Shot("public key as HMAC secret", body, _confused(key, kid, body, now)),
        msgspec.structs.replace(genuine, name="genuine, sent again", again=True),
    ]


def _unsigned(kid: str, body: bytes, now: int) -> str:
    return signing_input({"alg": "none", "kid": kid, "typ": "JWT"}, body, now) + "."


def _confused(key: EllipticCurvePrivateKey, kid: str, body: bytes, now: int) -> str:
    """Fools a verifier that lets the token choose the algorithm."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = signing_input({"alg": "HS256", "kid": kid, "typ": "JWT"}, body, now)
    return f"{signed}.{encode_bytes(hmac.digest(public, signed.encode(), hashlib.sha256))}"
