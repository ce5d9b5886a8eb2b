"""`treadle listen` and `treadle webhook …`, run as programs beside a server."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import plaid
import pytest

from tests.support import preloaded
from tests.support.process import die_with_parent
from tests.support.raw import Api, new_client
from tests.support.receiver import Received, Receiver
from tests.support.sdk import plaid_client
from tests.support.server import Server
from tests.support.verification import Rejected, fetching, verify

_SECONDS = 20


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


class Lines:
    """What a program prints, line by line, as it does."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def next(self) -> str:
        return self._lines.get(timeout=_SECONDS)


@contextmanager
def listening(server: Server, *arguments: str) -> Iterator[Lines]:
    command = [sys.executable, "-m", "treadle", "listen", "--url", server.url, *arguments]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=die_with_parent(),
    )
    lines = Lines(process)
    try:
        assert lines.next().startswith(f"Listening to {server.url}")
        yield lines
    finally:
        process.terminate()
        process.wait(_SECONDS)


def update(api: Api, access_token: str, url: str) -> None:
    assert api.post("/item/webhook/update", access_token=access_token, webhook=url).code == "OK"


def test_listen_tells_of_each_attempt(server: Server, receiver: Receiver) -> None:
    keys = new_client(server)
    api = Api(server.url, *keys)
    linked = api.link()
    stranger = Api(server.url)
    with listening(server, "--client-id", keys[0], "--secret", keys[1]) as lines:
        update(stranger, stranger.link().access_token, receiver.url)
        update(api, linked.access_token, receiver.url)
        line = lines.next()
        receiver.answer = lambda received: 503
        update(api, linked.access_token, receiver.url)
        other = lines.next()
    name = "ITEM:WEBHOOK_UPDATE_ACKNOWLEDGED"
    assert f"Z  {name}  item {linked.item_id}  attempt 1  200" in line
    assert f"Z  {name}  item {linked.item_id}  attempt 1  503" in other
    # No colour where no terminal is.
    assert "\x1b" not in line + other


def test_listen_forwards_what_was_meant_for_others(server: Server, receiver: Receiver) -> None:
    """Also what waits behind a webhook that its own receiver did not take."""
    keys = new_client(server)
    api = Api(server.url, *keys)
    linked = api.link()
    arguments = ["--client-id", keys[0], "--secret", keys[1], "--forward-to", receiver.url]
    with listening(server, *arguments) as lines:
        for _ in range(3):
            update(api, linked.access_token, "http://127.0.0.1:1/hook")
        received = receiver.wait(3)
        told = [lines.next() for _ in range(4)]
    fetch = fetching(plaid_client(server, *keys))
    for one in received:
        assert verify(one.signature, one.body, fetch)
        assert json.loads(one.body)["new_webhook_url"] == "http://127.0.0.1:1/hook"
    assert len({one.event_id for one in received}) == 3
    assert sum("forwarded  200" in line for line in told) == 3
    assert sum("attempt 1  connection_failed" in line for line in told) == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--secret", "wrong"], "invalid client_id or secret provided"),
        (["--url", "http://127.0.0.1:1"], "refused"),
    ],
)
def test_listen_says_what_is_wrong(server: Server, arguments: list[str], text: str) -> None:
    outcome = preloaded.run("listen", "--url", server.url, *arguments)
    assert outcome.returncode == 1
    assert text in outcome.stderr.lower()
    assert "Traceback" not in outcome.stderr


def attack(server: Server, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    arguments = ["webhook", "attack", url, "--data", str(server.data), *options]
    if "--database" in server.args:
        arguments += ["--database", server.args[server.args.index("--database") + 1]]
    return preloaded.run(*arguments)


def careful(server: Server) -> Callable[[Received], int]:
    """A receiver that verifies as documented."""
    fetch = fetching(plaid_client(server))

    def answer(received: Received) -> int:
        try:
            verify(received.headers.get("Plaid-Verification"), received.body, fetch)
        except (Rejected, plaid.ApiException):
            # The API knows no such key.
            return 401
        return 200

    return answer


def test_an_attack_on_a_careful_receiver_fails(server: Server, receiver: Receiver) -> None:
    receiver.answer = careful(server)
    outcome = attack(server, receiver.url)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    lines = outcome.stdout.splitlines()
    assert len(lines) == len(receiver.received) == 9
    assert [line.split()[0] for line in (lines[0], lines[-1])] == ["genuine", "genuine,"]
    assert sum(line.rstrip().endswith("refused") for line in lines) == 7
    # The last one is the first one once more.
    first, last = receiver.received[0], receiver.received[-1]
    assert (first.body, first.signature, first.event_id) == (
        last.body,
        last.signature,
        last.event_id,
    )


def test_an_attack_on_a_careless_receiver_succeeds(server: Server, receiver: Receiver) -> None:
    outcome = attack(server, receiver.url)
    assert outcome.returncode == 1
    assert outcome.stdout.count("ACCEPTED") == 7


def test_an_attack_that_proves_nothing_says_so(server: Server, receiver: Receiver) -> None:
    receiver.answer = lambda received: 500
    outcome = attack(server, receiver.url)
    assert outcome.returncode == 2
    assert "genuine one was not accepted" in outcome.stderr


@pytest.mark.parametrize("url", ["http://192.0.2.1/hook", "http://[2001:db8::1]/hook"])
def test_an_attack_stays_on_this_machine(server: Server, url: str) -> None:
    outcome = attack(server, url)
    assert outcome.returncode == 2
    assert "is not on this machine" in outcome.stderr


def test_webhooks_can_be_listed(server: Server, receiver: Receiver) -> None:
    keys = new_client(server)
    api = Api(server.url, *keys)
    linked = api.link()
    for _ in range(3):
        update(api, linked.access_token, receiver.url)
    receiver.wait(3)
    arguments = ["webhook", "list", "--client-id", keys[0], "--count", "2"]
    arguments += ["--data", str(server.data)]
    if "--database" in server.args:
        arguments += ["--database", server.args[server.args.index("--database") + 1]]
    lines = preloaded.run(*arguments).stdout.splitlines()
    assert len(lines) == 2
    assert all(f"ITEM:WEBHOOK_UPDATE_ACKNOWLEDGED  item {linked.item_id}" in one for one in lines)
