"""A receiver's verification of a webhook, with an independent library and the official SDK.

It follows the documented procedure: look at the header, refuse any other algorithm, fetch the key,
verify, refuse what is older than five minutes, compare the hash of the body.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

import jwt
from plaid.api import plaid_api

from tests.support.flows import call

MAX_AGE_SECONDS = 300


class Rejected(Exception):
    """A webhook that a careful receiver does not believe."""


FetchKey = Callable[[str], dict[str, Any]]


def fetching(api: plaid_api.PlaidApi) -> FetchKey:
    """Fetches keys through the SDK."""

    def fetch(kid: str) -> dict[str, Any]:
        key: dict[str, Any] = call(api, "webhook_verification_key_get", key_id=kid)["key"]
        return key

    return fetch


def verify(signature: str | None, body: bytes, fetch: FetchKey) -> dict[str, Any]:
    """The claims of a genuine webhook. Raises Rejected."""
    if signature is None:
        raise Rejected("no signature")
    try:
        header = jwt.get_unverified_header(signature)
    except jwt.InvalidTokenError as error:
        raise Rejected(str(error)) from None
    if header["alg"] != "ES256":
        raise Rejected("algorithm")
    key = fetch(header["kid"])
    if key["expired_at"] is not None:
        raise Rejected("expired key")
    members = {name: key[name] for name in ("alg", "crv", "kid", "kty", "use", "x", "y")}
    try:
        claims: dict[str, Any] = jwt.decode(signature, jwt.PyJWK(members), algorithms=["ES256"])
    except jwt.InvalidTokenError as error:
        raise Rejected(str(error)) from None
    if claims["iat"] < time.time() - MAX_AGE_SECONDS:
        raise Rejected("too old")
    if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), claims["request_body_sha256"]):
        raise Rejected("another body")
    assert header["typ"] == "JWT"
    return claims
