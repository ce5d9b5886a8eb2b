"""Verifying a webhook the way its receiver should, step by step as the API documents it."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_MAX_AGE_SECONDS = 300
_COORDINATE_BYTES = 32

# From a key's id to the key that the server answers; None when it knows none.
FindKey = Callable[[str], dict[str, Any] | None]


class VerificationFailed(Exception):
    """A webhook that must not be believed; the message says why."""


class _Header(msgspec.Struct):
    alg: str
    kid: str


class _Claims(msgspec.Struct):
    iat: int
    request_body_sha256: str


def verify(signature: str, body: bytes, find_key: FindKey, now: int) -> None:
    """Raises VerificationFailed unless the server signed exactly this body a moment ago."""
    signed, _, tail = signature.rpartition(".")
    head, _, payload = signed.partition(".")
    try:
        header = msgspec.json.decode(_decode(head), type=_Header)
        claims = msgspec.json.decode(_decode(payload), type=_Claims)
        raw = _decode(tail)
    except ValueError:
        raise VerificationFailed("the signature is no signed token") from None
    if header.alg != "ES256":
        raise VerificationFailed(f"the signature's algorithm is {header.alg}, not ES256")
    key = find_key(header.kid)
    if key is None:
        raise VerificationFailed("the server knows no key of this id")
    if key["expired_at"] is not None:
        raise VerificationFailed("the key has expired")
    if len(raw) != 2 * _COORDINATE_BYTES or not _is_signed_by(key, raw, signed.encode()):
        raise VerificationFailed("the signature is not the server's")
    if claims.iat < now - _MAX_AGE_SECONDS:
        raise VerificationFailed("the signature is older than five minutes")
    digest = hashlib.sha256(body).hexdigest()
    if not hmac.compare_digest(digest, claims.request_body_sha256):
        raise VerificationFailed("the signature is for another body")


def _is_signed_by(key: dict[str, Any], raw: bytes, signed: bytes) -> bool:
    r, s = raw[:_COORDINATE_BYTES], raw[_COORDINATE_BYTES:]
    try:
        _public_key(key).verify(
            encode_dss_signature(int.from_bytes(r), int.from_bytes(s)), signed, ECDSA(SHA256())
        )
    except InvalidSignature:
        return False
    return True


def _public_key(key: dict[str, Any]) -> EllipticCurvePublicKey:
    x, y = (int.from_bytes(_decode(key[name])) for name in ("x", "y"))
    return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
