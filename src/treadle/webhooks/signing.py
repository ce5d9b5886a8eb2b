"""The signature of a webhook: a JSON Web Token over the hash of the body, signed with ES256."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

SIGNATURE_HEADER = "Plaid-Verification"
# The same at each attempt. A header of Treadle's own.
EVENT_ID_HEADER = "Treadle-Event-Id"
_COORDINATE_BYTES = 32


def new_private_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def public_point(key: EllipticCurvePrivateKey) -> tuple[str, str]:
    """The coordinates of the public key, as a JSON Web Key has them."""
    numbers = key.public_key().public_numbers()
    return _encode_number(numbers.x), _encode_number(numbers.y)


def sign(key: EllipticCurvePrivateKey, kid: str, body: bytes, issued_at: int) -> str:
    """The value of the header for exactly these bytes; `issued_at` is a second of the wall."""
    signed = signing_input({"alg": "ES256", "kid": kid, "typ": "JWT"}, body, issued_at)
    r, s = decode_dss_signature(key.sign(signed.encode(), ECDSA(SHA256())))
    signature = r.to_bytes(_COORDINATE_BYTES) + s.to_bytes(_COORDINATE_BYTES)
    return f"{signed}.{encode_bytes(signature)}"


def signing_input(header: dict[str, str], body: bytes, issued_at: int) -> str:
    """What of a token is signed: its header and its claims."""
    claims = {"iat": issued_at, "request_body_sha256": hashlib.sha256(body).hexdigest()}
    return ".".join(encode_bytes(msgspec.json.encode(part)) for part in (header, claims))


def encode_bytes(data: bytes) -> str:
    """Base64 for URLs, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _encode_number(number: int) -> str:
    return encode_bytes(number.to_bytes(_COORDINATE_BYTES))
