"""Webhooks of a served program, verified with the official SDK and an independent library."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import jwt
import pytest
from plaid.api import plaid_api

from tests.support.flows import Refusal, call, link, mint, refused
from tests.support.raw import cli, new_client
from tests.support.receiver import Received, Receiver
from tests.support.sdk import plaid_client
from tests.support.server import Server
from tests.support.verification import Rejected, fetching, verify

UNKNOWN = Refusal(
    "INVALID_INPUT",
    "INVALID_WEBHOOK_VERIFICATION_KEY_ID",
    "invalid key_id; key ids belong to one environment",
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def fire(api: plaid_api.PlaidApi, receiver: Receiver) -> Received:
    """A webhook of an Item that was just made."""
    before = len(receiver.received)
    item = link(api)
    call(api, "item_webhook_update", access_token=item.access_token, webhook=receiver.url)
    return receiver.wait(before + 1)[-1]


def kid_of(received: Received) -> str:
    kid: str = jwt.get_unverified_header(received.signature)["kid"]
    return kid


def test_a_webhook_is_genuine(server: Server, receiver: Receiver) -> None:
    api = plaid_client(server)
    received = fire(api, receiver)
    claims = verify(received.signature, received.body, fetching(api))
    assert set(claims) == {"iat", "request_body_sha256"}
    assert abs(claims["iat"] - time.time()) < 60
    body = json.loads(received.body)
    assert body["webhook_code"] == "WEBHOOK_UPDATE_ACKNOWLEDGED"
    assert body["new_webhook_url"] == receiver.url
    with pytest.raises(Rejected, match="another body"):
        verify(received.signature, received.body + b" ", fetching(api))


def test_a_key_has_its_nine_members(server: Server, receiver: Receiver) -> None:
    api = plaid_client(server)
    kid = kid_of(fire(api, receiver))
    key = call(api, "webhook_verification_key_get", key_id=kid)["key"]
    fixed = {"alg": "ES256", "crv": "P-256", "kty": "EC", "use": "sig", "kid": kid}
    assert fixed.items() <= key.items()
    assert set(key) == {*fixed, "x", "y", "created_at", "expired_at"}
    assert isinstance(key["created_at"], int)
    assert key["expired_at"] is None


def test_partners_verify_with_keys_of_their_own(server: Server, receiver: Receiver) -> None:
    api = plaid_client(server)
    partner = plaid_client(server, *new_client(server, "--processors", "dwolla"))
    token = mint(api, link(api))
    call(partner, "processor_token_webhook_update", processor_token=token, webhook=receiver.url)
    [received] = receiver.wait(1)
    assert json.loads(received.body)["webhook_type"] == "PROCESSOR_TOKEN"
    assert verify(received.signature, received.body, fetching(partner))


@pytest.mark.parametrize("kid", ["6c5516e1-92dc-479e-a8ff-5a51992e0001", "nobody's", ""])
def test_an_unknown_key_is_refused(server: Server, kid: str) -> None:
    refused(plaid_client(server), "webhook_verification_key_get", UNKNOWN, key_id=kid)


def test_a_key_can_be_replaced(
    serve: Callable[..., Server], store: list[str], receiver: Receiver
) -> None:
    server = serve(*store)
    api = plaid_client(server)
    first = fire(api, receiver)
    # The running server signs with the new key at once, and the old one verifies for a while.
    rotated = cli(server, "webhook", "rotate-key").split()[-1]
    second = fire(api, receiver)
    assert [kid_of(first) == rotated, kid_of(second) == rotated] == [False, True]
    for received in (first, second):
        assert verify(received.signature, received.body, fetching(api))
    cli(server, "webhook", "rotate-key", "--expire-now")
    assert verify(first.signature, first.body, fetching(api))
    with pytest.raises(Rejected, match="expired key"):
        verify(second.signature, second.body, fetching(api))
    third = fire(api, receiver)
    assert len({kid_of(first), kid_of(second), kid_of(third)}) == 3


def test_keys_belong_to_one_environment(
    serve: Callable[..., Server], store: list[str], receiver: Receiver
) -> None:
    server = serve(*store)
    foreign = cli(server, "webhook", "rotate-key", "--environment", "production").split()[-1]
    api = plaid_client(server)
    refused(api, "webhook_verification_key_get", UNKNOWN, key_id=foreign)
    assert kid_of(fire(api, receiver)) != foreign
