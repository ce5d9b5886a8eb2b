"""Making Stripe bank account tokens, against Stripe's mock server and a strict peer of ours."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import os
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.partners.conftest import TokenServer
from tests.partners.stripe_peer import Answer, Seen, StripePeer, Trouble
from tests.partners.stripe_peer import error as error_answer
from treadle.partners.stripe import (
    TEST_ACCOUNT,
    BankAccount,
    StripeNotEnabled,
    StripeRefused,
    StripeTokens,
    StripeUnavailable,
    key_environment,
)

ACCOUNT = BankAccount(
    country="US",
    currency="usd",
    account_number=TEST_ACCOUNT[0],
    routing_number=TEST_ACCOUNT[1],
    account_holder_name="Alberta Bobbeth Charleson",
    account_holder_type="individual",
    account_type="checking",
)
HIDDEN = (*TEST_ACCOUNT, "51TreadleContractKey", "Charleson")
LATE = 2.0


def tokens(url: str, **settings: Any) -> StripeTokens:
    return StripeTokens(url, **{"timeout_seconds": 10.0, **settings})


def create(
    made_by: StripeTokens, key: str, account: BankAccount = ACCOUNT, again: str = "k"
) -> str:
    return asyncio.run(made_by.create(key, account, again))


def assert_nothing_shown(text: str) -> None:
    for secret in HIDDEN:
        assert secret not in text


@pytest.fixture(autouse=True)
def nothing_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[None]:
    """Fail any test here that logs or prints the key, the numbers or the holder's name."""
    caplog.set_level(logging.DEBUG)
    for name in ("stripe", "urllib3", "requests", "asyncio"):
        caplog.set_level(logging.DEBUG, name)
    yield
    shown = capfd.readouterr()
    assert_nothing_shown(shown.out + shown.err)
    for when in ("setup", "call"):
        for record in caplog.get_records(when):
            assert_nothing_shown(record.getMessage() + repr(record.__dict__))


def failure(made_by: StripeTokens, key: str, account: BankAccount = ACCOUNT) -> Exception:
    """Return what creating raises, once seen to show nothing it should not."""
    with pytest.raises((StripeRefused, StripeNotEnabled, StripeUnavailable)) as caught:
        create(made_by, key, account)
    error: BaseException | None = caught.value
    assert_nothing_shown("".join(traceback.format_exception(caught.value)))
    while error is not None:
        assert_nothing_shown(f"{error!s} {error!r} {error.args!r} {vars(error)!r}")
        error = error.__cause__ or error.__context__
    return caught.value


# The contract, the same with Stripe's own mock server and with the peer of ours.


@pytest.mark.parametrize("account_type", ["checking", "savings"])
@pytest.mark.parametrize("holder_type", ["individual", "company"])
def test_contract_token_for_each_kind_of_account(
    token_server: TokenServer, holder_type: Any, account_type: Any
) -> None:
    account = dataclasses.replace(
        ACCOUNT, account_holder_type=holder_type, account_type=account_type
    )
    made_by = tokens(token_server.url)
    if token_server.bank_tokens:
        assert create(made_by, token_server.secret_key, account).startswith("btok_")
    else:
        # Stock fixtures: the form is accepted, and the answer is always a card's token.
        with pytest.raises(StripeUnavailable, match="not a bank account token"):
            create(made_by, token_server.secret_key, account)


@pytest.mark.parametrize(
    "wrong",
    [{"account_holder_type": "nobody"}, {"account_type": "loan"}],
    ids=["holder type", "account type"],
)
def test_contract_refusal(token_server: TokenServer, wrong: dict[str, Any]) -> None:
    account = dataclasses.replace(ACCOUNT, **wrong)
    error = failure(tokens(token_server.url), token_server.secret_key, account)
    assert isinstance(error, StripeRefused)
    assert error.message


def test_contract_key_rejected(token_server: TokenServer) -> None:
    error = failure(tokens(token_server.url), "51TreadleContractKey")
    assert isinstance(error, StripeNotEnabled)


# The peer of ours: what is sent, and every way Stripe can answer.


def test_what_is_sent(stripe_peer: StripePeer) -> None:
    create(tokens(stripe_peer.url), stripe_peer.secret_key, again="once")
    (seen,) = stripe_peer.seen
    assert seen.form == {
        "bank_account[country]": "US",
        "bank_account[currency]": "usd",
        "bank_account[account_number]": "000123456789",
        "bank_account[routing_number]": "110000000",
        "bank_account[account_holder_name]": "Alberta Bobbeth Charleson",
        "bank_account[account_holder_type]": "individual",
        "bank_account[account_type]": "checking",
    }
    assert seen.headers["idempotency-key"] == "once"
    assert seen.headers["stripe-version"]
    assert "telemetry_id" not in seen.headers["x-stripe-client-user-agent"]


def test_same_idempotency_key_same_token(stripe_peer: StripePeer) -> None:
    made_by = tokens(stripe_peer.url)
    first = create(made_by, stripe_peer.secret_key, again="one")
    assert create(made_by, stripe_peer.secret_key, again="one") == first
    assert create(made_by, stripe_peer.secret_key, again="two") != first


def test_idempotency_key_of_another_request_is_no_refusal_of_the_account(
    stripe_peer: StripePeer,
) -> None:
    made_by = tokens(stripe_peer.url)
    create(made_by, stripe_peer.secret_key)
    other = dataclasses.replace(ACCOUNT, account_type="savings")
    assert isinstance(failure(made_by, stripe_peer.secret_key, other), StripeUnavailable)


def test_many_at_once(stripe_peer: StripePeer) -> None:
    made_by = tokens(stripe_peer.url, concurrency=3)

    async def run() -> list[str]:
        calls = (made_by.create(stripe_peer.secret_key, ACCOUNT, f"k{n}") for n in range(20))
        return await asyncio.gather(*calls)

    assert len(set(asyncio.run(run()))) == 20


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, StripeRefused),
        (402, StripeRefused),
        (404, StripeRefused),
        (401, StripeNotEnabled),
        (403, StripeNotEnabled),
        (409, StripeUnavailable),
        (429, StripeUnavailable),
        (500, StripeUnavailable),
        (503, StripeUnavailable),
    ],
)
def test_error_answers(stripe_peer: StripePeer, status: int, kind: type[Exception]) -> None:
    text = "Routing number must have 9 digits"
    stripe_peer.play = lambda seen: error_answer(status, text, code="routing_number_invalid")
    error = failure(tokens(stripe_peer.url), stripe_peer.secret_key)
    assert type(error) is kind
    if isinstance(error, StripeRefused):
        assert error.message == str(error) == text
    assert len(stripe_peer.seen) == 1


def test_rate_limit_as_a_400(stripe_peer: StripePeer) -> None:
    stripe_peer.play = lambda seen: error_answer(400, "Slow down", code="rate_limit")
    error = failure(tokens(stripe_peer.url), stripe_peer.secret_key)
    assert isinstance(error, StripeUnavailable)


def test_no_retry_even_when_asked_to(stripe_peer: StripePeer) -> None:
    def play(seen: Seen) -> Answer:
        answer = error_answer(500, "Again, please")
        answer.headers["Stripe-Should-Retry"] = "true"
        return answer

    stripe_peer.play = play
    assert isinstance(failure(tokens(stripe_peer.url), stripe_peer.secret_key), StripeUnavailable)
    assert len(stripe_peer.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 429, 500])
def test_error_text_that_repeats_everything_sent(stripe_peer: StripePeer, status: int) -> None:
    sent = " ".join((*TEST_ACCOUNT, stripe_peer.secret_key))
    stripe_peer.play = lambda seen: error_answer(status, f"No good: {sent}!")
    error = failure(tokens(stripe_peer.url), stripe_peer.secret_key)
    if isinstance(error, StripeRefused):
        assert error.message == "No good: [redacted] [redacted] [redacted]!"


JUNK = {
    "empty": b"",
    "text": b"what?",
    "not utf-8": b"\xff\xfe\x00",
    "cut off": b'{"id": "btok_1", "object": "tok',
    "html": b"<html><body>Bad gateway</body></html>",
    "null": b"null",
    "number": b"7",
    "list": b"[]",
    "object": b"{}",
    "error text": b'{"error": "no"}',
    "error null": b'{"error": null}',
    "error list": b'{"error": [1]}',
    "message number": b'{"error": {"message": 5}}',
}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 500])
@pytest.mark.parametrize("body", list(JUNK.values()), ids=list(JUNK))
def test_junk(stripe_peer: StripePeer, status: int, body: bytes) -> None:
    kind = "text/html" if body.startswith(b"<") else "application/json"
    stripe_peer.play = lambda seen: Answer(status, body, kind)
    error = failure(tokens(stripe_peer.url), stripe_peer.secret_key)
    assert type(error) is StripeUnavailable


@pytest.mark.parametrize(
    "wrong",
    [
        {"object": "bank_account"},
        {"object": None},
        {"id": "tok_1NcardToken"},
        {"id": "btok_"},
        {"id": "btok_1\n"},
        {"id": "btok_" + "a" * 1000},
        {"id": 5},
        {"id": None},
    ],
    ids=str,
)
def test_wrong_object(stripe_peer: StripePeer, wrong: dict[str, Any]) -> None:
    body = json.dumps({"id": "btok_1", "object": "token", "type": "bank_account", **wrong})
    stripe_peer.play = lambda seen: Answer(200, body.encode())
    error = failure(tokens(stripe_peer.url), stripe_peer.secret_key)
    assert type(error) is StripeUnavailable


@pytest.mark.parametrize("status", [302, 307, 308])
def test_redirect_is_not_followed(stripe_peer: StripePeer, status: int) -> None:
    stripe_peer.play = lambda seen: Answer(
        status, b"", headers={"Location": f"{stripe_peer.url}/v1/tokens"}
    )
    error = failure(tokens(stripe_peer.url), stripe_peer.secret_key)
    assert type(error) is StripeUnavailable
    assert len(stripe_peer.seen) == 1


@pytest.mark.parametrize("play", ["silent", "trickle head", "trickle body"])
def test_slow_answer_holds_neither_the_caller_nor_the_thread(
    stripe_peer: StripePeer, play: Trouble
) -> None:
    made_by = tokens(stripe_peer.url, concurrency=1)
    create(made_by, stripe_peer.secret_key)
    made_by = tokens(stripe_peer.url, timeout_seconds=0.5, concurrency=1)
    stripe_peer.play = play
    start = time.monotonic()
    error = failure(made_by, stripe_peer.secret_key)
    assert type(error) is StripeUnavailable
    assert 0.4 < time.monotonic() - start < LATE
    stripe_peer.play = None
    assert create(made_by, stripe_peer.secret_key).startswith("btok_")


def test_wait_for_a_thread_counts(stripe_peer: StripePeer) -> None:
    made_by = tokens(stripe_peer.url, timeout_seconds=0.5, concurrency=1)
    stripe_peer.play = "silent"

    async def run() -> list[Any]:
        calls = (made_by.create(stripe_peer.secret_key, ACCOUNT, f"k{n}") for n in range(5))
        return await asyncio.gather(*calls, return_exceptions=True)

    start = time.monotonic()
    assert {type(error) for error in asyncio.run(run())} == {StripeUnavailable}
    assert time.monotonic() - start < LATE
    assert len(stripe_peer.seen) < 5


def test_cancelled_call_frees_its_thread(stripe_peer: StripePeer) -> None:
    made_by = tokens(stripe_peer.url, concurrency=1)
    stripe_peer.play = "trickle body"

    async def run() -> str:
        call = asyncio.create_task(made_by.create(stripe_peer.secret_key, ACCOUNT, "a"))
        assert await asyncio.to_thread(stripe_peer.asked.wait, 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        stripe_peer.play = None
        return await made_by.create(stripe_peer.secret_key, ACCOUNT, "b")

    start = time.monotonic()
    assert asyncio.run(run()).startswith("btok_")
    assert time.monotonic() - start < LATE


def test_hang_up(stripe_peer: StripePeer) -> None:
    stripe_peer.play = "hang up"
    error = failure(tokens(stripe_peer.url), stripe_peer.secret_key)
    assert type(error) is StripeUnavailable
    assert len(stripe_peer.seen) == 1


def test_connection_refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        error = failure(tokens(url), "sk_test_51TreadleContractKey")
    assert type(error) is StripeUnavailable


def test_tls_peer_that_says_nothing() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        start = time.monotonic()
        error = failure(tokens(url, timeout_seconds=0.5), "sk_test_51TreadleContractKey")
    assert type(error) is StripeUnavailable
    assert time.monotonic() - start < LATE


@pytest.mark.parametrize("tail", ["\n", "\r\nX: y", " ", "\u0142", "\x00"], ids=ascii)
def test_key_that_is_no_header_value(stripe_peer: StripePeer, tail: str) -> None:
    error = failure(tokens(stripe_peer.url), stripe_peer.secret_key + tail)
    assert type(error) is StripeNotEnabled
    assert not stripe_peer.seen


@pytest.mark.parametrize("again", ["", "a\nb", "a" * 256])
def test_idempotency_key_that_is_no_header_value(stripe_peer: StripePeer, again: str) -> None:
    with pytest.raises(ValueError, match="idempotency key"):
        create(tokens(stripe_peer.url), stripe_peer.secret_key, again=again)


def test_netrc_does_not_replace_the_key(
    stripe_peer: StripePeer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert create(tokens(stripe_peer.url), stripe_peer.secret_key).startswith("btok_")


# The library kept quiet.

QUIET = """
import asyncio, logging, sys
logging.basicConfig(level=logging.DEBUG)
from treadle.partners.stripe import BankAccount, StripeTokens
assert "stripe" not in sys.modules and "requests" not in sys.modules
numbers = ("000123456789", "110000000")
account = BankAccount("US", "usd", *numbers, "Charleson", "individual", "savings")
print(asyncio.run(StripeTokens(sys.argv[1]).create(sys.argv[2], account, "k")))
"""


@pytest.mark.parametrize("level", ["debug", "info"])
def test_library_is_lazy_and_silent(stripe_peer: StripePeer, tmp_path: Path, level: str) -> None:
    path = os.pathsep.join(filter(None, sys.path))
    env = {**os.environ, "STRIPE_LOG": level, "PYTHONPATH": path, "XDG_CONFIG_HOME": str(tmp_path)}
    command = [sys.executable, "-c", QUIET, stripe_peer.url, stripe_peer.secret_key]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("btok_")
    assert_nothing_shown(done.stdout + done.stderr)
    assert "Post details" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_repr_shows_no_numbers() -> None:
    assert_nothing_shown(f"{ACCOUNT!r} {ACCOUNT!s}")
    assert "savings" in repr(dataclasses.replace(ACCOUNT, account_type="savings"))


@pytest.mark.parametrize(
    ("key", "environment"),
    [
        ("sk_test_1", "sandbox"),
        ("rk_test_1", "sandbox"),
        ("sk_live_1", "production"),
        ("rk_live_1", "production"),
        ("pk_test_1", None),
        ("pk_live_1", None),
        ("sk_1", None),
        (" sk_test_1", None),
        ("SK_TEST_1", None),
        ("", None),
    ],
)
def test_key_environment(key: str, environment: str | None) -> None:
    assert key_environment(key) == environment


# The peer's own teeth.

FORM = {
    "country": "US",
    "currency": "usd",
    "account_number": TEST_ACCOUNT[0],
    "routing_number": TEST_ACCOUNT[1],
}


def ask_peer(peer: StripePeer, params: dict[str, Any], key: str | None = None) -> Any:
    client = stripe.StripeClient(
        key or peer.secret_key, base_addresses={"api": peer.url}, max_network_retries=0
    )
    made: Any = client.v1.tokens.create
    return made(params)


def test_peer_takes_what_the_library_types(stripe_peer: StripePeer) -> None:
    assert ask_peer(stripe_peer, {"bank_account": FORM}).id.startswith("btok_")


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"bank_account": {**FORM, "nickname": "x"}}, r"unknown parameter: bank_account\[nickname"),
        ({"bank_account": {**FORM, "country": {"a": "b"}}}, "unknown parameter"),
        ({"bank_account": FORM, "metadata": {"a": "b"}}, "unknown parameter"),
        ({"bank_account": FORM, "owner": "x"}, "unknown parameter: owner"),
        ({"bank_account": {**FORM, "account_type": "loan"}}, "must be one of"),
        ({"bank_account": {"country": "US"}}, r"Missing required param: bank_account\[account_num"),
        ({}, "Missing required param"),
    ],
)
def test_peer_refuses(stripe_peer: StripePeer, params: dict[str, Any], text: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=text):
        ask_peer(stripe_peer, params)


def test_peer_checks_the_key(stripe_peer: StripePeer) -> None:
    with pytest.raises(stripe.AuthenticationError):
        ask_peer(stripe_peer, {"bank_account": FORM}, "sk_test_other")
