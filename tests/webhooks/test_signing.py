"""Signatures and the keys behind them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.databases import make_keys, rows
from tests.support.verification import Rejected
from tests.support.verification import verify as verify_independently
from treadle.clock import wall_second
from treadle.key_files import KeyFileError
from treadle.store.change import GuardFailed, Store
from treadle.store.opening import open_store
from treadle.webhooks.attack import shots
from treadle.webhooks.signing import new_private_key, public_point, sign
from treadle.webhooks.signing_keys import Signer, SigningKey
from treadle.webhooks.verification import VerificationFailed, verify

DAY = 86_400
START = 1_800_000_000
KEY = new_private_key()


def jwk(**changes: Any) -> dict[str, Any]:
    x, y = public_point(KEY)
    fixed = {"alg": "ES256", "crv": "P-256", "kty": "EC", "use": "sig", "kid": "kid"}
    return fixed | {"x": x, "y": y, "created_at": START, "expired_at": None} | changes


@given(body=st.binary(max_size=2_000), issued_at=st.integers(1, 4_000_000_000))
def test_a_signature_is_what_the_documentation_says(body: bytes, issued_at: int) -> None:
    signature = sign(KEY, "kid", body, issued_at)
    header = jwt.get_unverified_header(signature)
    assert header == {"alg": "ES256", "kid": "kid", "typ": "JWT"}
    members = {name: jwk()[name] for name in ("alg", "crv", "kty", "x", "y")}
    options: Any = {"verify_iat": False}
    claims = jwt.decode(signature, jwt.PyJWK(members), algorithms=["ES256"], options=options)
    digest = hashlib.sha256(body).hexdigest()
    assert claims == {"iat": issued_at, "request_body_sha256": digest}


def test_our_verification_and_an_independent_one_agree() -> None:
    """On a genuine webhook and on every forged one that `treadle webhook attack` sends."""
    now = wall_second()
    for shot in shots(KEY, "kid", json.dumps({"a": 1}, indent=2).encode(), now):
        known: dict[str, dict[str, Any]] = {"kid": jwk()}

        def fetch(kid: str, known: dict[str, dict[str, Any]] = known) -> dict[str, Any]:
            if kid not in known:
                raise Rejected("unknown key")
            return known[kid]

        if not shot.forged:
            verify(shot.signature or "", shot.body, known.get, now)
            verify_independently(shot.signature, shot.body, fetch)
            continue
        with pytest.raises(VerificationFailed):
            verify(shot.signature or "", shot.body, known.get, now)
        with pytest.raises(Rejected):
            verify_independently(shot.signature, shot.body, fetch)


@given(st.text(max_size=200))
def test_nonsense_is_no_signature(text: str) -> None:
    with pytest.raises(VerificationFailed):
        verify(text, b"", {"kid": jwk()}.get, START)


def test_an_expired_key_verifies_nothing() -> None:
    signature = sign(KEY, "kid", b"", START)
    verify(signature, b"", {"kid": jwk()}.get, START)
    with pytest.raises(VerificationFailed, match="expired"):
        verify(signature, b"", {"kid": jwk(expired_at=START)}.get, START)


class Time:
    def __init__(self) -> None:
        self.second = START

    def __call__(self) -> int:
        return self.second


Use = Callable[[Store, Signer, Time], Awaitable[None]]


@pytest.fixture
def with_signer(url: str) -> Callable[[Use], None]:
    """Runs a test's coroutine with a signer whose time the test sets."""

    def run(use: Use) -> None:
        async def inside() -> None:
            store = await open_store(url, make_keys())
            time = Time()
            try:
                await use(store, Signer(store, make_keys(), "sandbox", 30, time), time)
            finally:
                await store.close()

        asyncio.run(inside())

    return run


def test_a_key_is_replaced_when_it_is_old(with_signer: Callable[[Use], None]) -> None:
    async def use(store: Store, signer: Signer, time: Time) -> None:
        first = await signer.newest()
        time.second += 30 * DAY - 1
        assert (await signer.newest()).kid == first.kid
        time.second += 1
        second = await signer.newest()
        assert (second.generation, second.created_at) == (2, time.second)
        # The first verifies for another hour; only then does it show an expiry.
        time.second += 3_599
        assert await expiry(signer, first) is None
        time.second += 1
        assert await expiry(signer, first) == START + 30 * DAY + 3_600
        assert await expiry(signer, second) is None

    with_signer(use)


async def expiry(signer: Signer, key: SigningKey) -> int | None:
    found = await signer.find(key.kid)
    assert found is not None
    return found.expired_at


def test_many_that_need_a_first_key_make_one(url: str) -> None:
    async def run() -> set[str]:
        stores = [await open_store(url, make_keys()) for _ in range(4)]
        signers = [Signer(store, make_keys(), "sandbox", 30) for store in stores]
        keys = await asyncio.gather(*(signer.newest() for signer in signers * 5))
        for store in stores:
            await store.close()
        return {key.kid for key in keys}

    kids = asyncio.run(run())
    assert len(kids) == 1
    assert [row["kid"] for row in rows(url, "SELECT kid FROM webhook_keys")] == list(kids)


def test_keys_replaced_at_once_are_generations_of_their_own(
    with_signer: Callable[[Use], None],
) -> None:
    async def use(store: Store, signer: Signer, time: Time) -> None:
        await signer.newest()
        outcomes = await asyncio.gather(
            *(signer.rotate() for _ in range(3)), return_exceptions=True
        )
        replaced = sum(isinstance(one, SigningKey) for one in outcomes)
        assert replaced + sum(isinstance(one, GuardFailed) for one in outcomes) == 3
        # Each that says it did made a generation of its own.
        assert (await signer.newest()).generation == 1 + replaced

    with_signer(use)


def test_a_private_key_opens_in_its_own_row_alone(with_signer: Callable[[Use], None]) -> None:
    async def use(store: Store, signer: Signer, time: Time) -> None:
        first = await signer.newest()
        second = await signer.rotate()
        signer.open(second)
        moved = SigningKey(
            second.environment,
            second.generation,
            second.kid,
            first.private_key,
            second.x,
            second.y,
            second.created_at,
            None,
        )
        with pytest.raises(KeyFileError, match="does not belong"):
            Signer(store, make_keys(), "sandbox", 30).open(moved)

    with_signer(use)


def test_the_database_holds_no_private_key_in_clear(
    with_signer: Callable[[Use], None],
) -> None:
    async def use(store: Store, signer: Signer, time: Time) -> None:
        key = await signer.newest()
        secret = signer.open(key).private_numbers().private_value.to_bytes(32)
        assert secret not in key.private_key

    with_signer(use)
