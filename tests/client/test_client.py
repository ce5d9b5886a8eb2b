"""`treadle.client`: what its methods answer, and how they fail."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plaid.model.institutions_get_request import InstitutionsGetRequest
from plaid.models import CountryCode

from tests.client.conftest import link_token
from tests.control.plane import LISTING
from tests.support.process import free_port
from tests.support.receiver import Receiver
from tests.support.sdk import CLIENT_ID, SECRET
from treadle.client import Refused, Treadle, Unreachable
from treadle.faults.rules import Effect, Moment
from treadle.wire.operations import OPERATIONS

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def link(treadle: Treadle, **options: Any) -> str:
    public_token = treadle.call(
        "/sandbox/public_token/create",
        institution_id="ins_109508",
        initial_products=["auth"],
        options=options,
    )["public_token"]
    access_token: str = treadle.call("/item/public_token/exchange", public_token=public_token)[
        "access_token"
    ]
    return access_token


def test_the_clock(treadle: Treadle) -> None:
    assert treadle.clock.get().running
    assert abs(treadle.clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    answer = treadle.clock.set(NOON)
    assert (answer.now, answer.running) == (NOON, False)
    assert treadle.clock.now() == NOON
    assert treadle.clock.advance(days=1, minutes=1).now == NOON + timedelta(days=1, minutes=1)
    assert treadle.clock.set("2026-02-02T13:00:00+01:00").now == NOON + timedelta(days=2)
    assert treadle.clock.run().running


def test_the_seed(treadle: Treadle) -> None:
    answer = treadle.seed.set("loom")
    assert (answer.seed, answer.seeded) == ("loom", True)
    assert treadle.seed.get().seed == "loom"
    assert treadle.seed.set(None).seeded is False


def test_faults(treadle: Treadle) -> None:
    first = treadle.faults.add("error", error_code="INVALID_MFA", when="after", times=2)
    assert (first.effect, first.when, first.times) == (Effect.ERROR, Moment.AFTER, 2)
    second = treadle.faults.add(Effect.LATENCY, seconds=0.5, path="/auth/get", probability=0.25)
    assert (second.seconds, second.path, second.probability) == (0.5, "/auth/get", 0.25)
    assert list(treadle.faults.list()) == [first, second]
    treadle.faults.remove(first.fault_id)
    assert list(treadle.faults.list()) == [second]
    treadle.faults.clear()
    assert list(treadle.faults.list()) == []


def test_clients(treadle: Treadle) -> None:
    made = treadle.clients.create(name="Shop", processors=["dwolla"])
    assert (made.client.name, made.client.processors) == ("Shop", ["dwolla"])
    assert list(treadle.clients.list()) == [made.client]
    with Treadle(treadle.base_url, made.client.client_id, made.secret) as shop:
        assert shop.call("/institutions/get", **LISTING)["institutions"]
        treadle.clients.delete(made.client.client_id)
        with pytest.raises(Refused, match="INVALID_API_KEYS"):
            shop.clock.get()
    assert list(treadle.clients.list()) == []


def test_requests(treadle: Treadle) -> None:
    treadle.call("/institutions/get", **LISTING)
    with pytest.raises(Refused) as refused:
        treadle.call("/auth/get", access_token="nonsense")
    newest, oldest = treadle.requests.list()
    assert (newest.path, newest.status, newest.decision) == ("/auth/get", 400, "refused")
    assert (oldest.path, oldest.status, oldest.decision) == ("/institutions/get", 200, "allowed")
    assert list(treadle.requests.list(error_code="INVALID_ACCESS_TOKEN")) == [newest]
    assert list(treadle.requests.list(count=1, offset=1)) == [oldest]
    assert treadle.requests.get(refused.value.request_id) == newest
    with pytest.raises(LookupError, match="no request nobodys"):
        treadle.requests.get("nobodys")


def test_webhooks(treadle: Treadle) -> None:
    with Receiver() as receiver:
        access_token = link(treadle, webhook=receiver.url)
        treadle.call("/sandbox/item/reset_login", access_token=access_token)
        receiver.wait(1)
        attempts = []
        after: int | None = 0
        while not attempts:
            answer = treadle.webhooks.list(after=after, wait_seconds=5)
            attempts, after = answer.attempts, answer.next
    assert [(one.url, one.number, one.state, one.status) for one in attempts] == [
        (receiver.url, 1, "delivered", 200)
    ]
    everything = treadle.webhooks.list()
    assert [one.webhook.event_id for one in everything.owed] == [attempts[0].event_id]
    assert treadle.webhooks.list(after=everything.next).owed == []


def test_link(treadle: Treadle) -> None:
    begun = treadle.link.start(link_token(treadle))
    assert begun.pane is not None
    left = treadle.link.act(begun.link_session_id, "exit")
    assert (left.pane, left.public_token) == (None, None)
    assert treadle.link.state(begun.link_session_id).exit == left.exit
    ended = treadle.link.run(link_token(treadle), account_masks=["0000"])
    assert ended.events[-1].event_name == "HANDOFF"
    item = treadle.call("/item/public_token/exchange", public_token=ended.public_token)
    [account] = treadle.call("/accounts/get", access_token=item["access_token"])["accounts"]
    assert account["mask"] == "0000"


def test_the_api_is_described(treadle: Treadle) -> None:
    assert {one.name for one in treadle.coverage().operations} == {
        one.name for one in OPERATIONS.values()
    }
    assert "/treadle/sandbox/clock" in treadle.openapi().paths


def test_a_refusal_tells_all(treadle: Treadle) -> None:
    with pytest.raises(Refused) as caught:
        treadle.clock.advance()
    refused = caught.value
    assert (refused.error_type, refused.error_code) == ("INVALID_REQUEST", "INVALID_FIELD")
    assert refused.error_message == "seconds, minutes, hours and days must not all be zero"
    assert refused.status == 400
    assert treadle.requests.get(refused.request_id).error_code == "INVALID_FIELD"
    for told in (refused.error_code, refused.error_message, refused.request_id, "400"):
        assert told in str(refused)
    assert str(pickle.loads(pickle.dumps(refused))) == str(refused)


def test_the_sdk_comes_with_address_and_keys(treadle: Treadle) -> None:
    request = InstitutionsGetRequest(count=1, offset=0, country_codes=[CountryCode("US")])
    request_id = treadle.plaid().institutions_get(request).request_id
    assert treadle.requests.get(request_id).path == "/institutions/get"


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plaid", None)
    with (
        Treadle("http://127.0.0.1:1", CLIENT_ID, SECRET) as treadle,
        pytest.raises(ImportError, match="pip install plaid-python"),
    ):
        treadle.plaid()


def test_its_looks_tell_no_secret() -> None:
    with Treadle("http://127.0.0.1:1/", CLIENT_ID, SECRET) as treadle:
        assert repr(treadle) == "Treadle('http://127.0.0.1:1', client_id='client_sandbox')"


def test_nobody_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with (
        Treadle(url, CLIENT_ID, SECRET) as treadle,
        pytest.raises(Unreachable, match=f"{url} does not answer"),
    ):
        treadle.clock.get()


def test_somebody_else_there() -> None:
    with (
        Receiver() as receiver,
        Treadle(receiver.url, CLIENT_ID, SECRET) as treadle,
        pytest.raises(Unreachable, match="no Treadle server"),
    ):
        treadle.clock.get()


def test_it_does_not_wait_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with (
            Treadle(url, CLIENT_ID, SECRET, timeout_seconds=0.2) as treadle,
            pytest.raises(Unreachable, match="timed out"),
        ):
            treadle.clock.get()
    assert time.monotonic() - began < 5


def test_it_does_not_load_the_server() -> None:
    program = (
        "import sys, treadle.client\n"
        "heavy = {'sqlalchemy', 'uvicorn', 'plaid', 'treadle.call', 'treadle.wire.operations'}\n"
        "sys.exit(heavy & sys.modules.keys() or None)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
