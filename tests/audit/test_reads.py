"""What partners read is on record, in both modes, and where it cannot be, nothing is read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.control.plane import Planned, over, own_client
from tests.promises.database import Row, address, audit, chain, execute, verify_chains
from tests.support.raw import Linked, cli
from tests.support.server import Server
from tests.waking.listening import until

pytestmark = pytest.mark.slow

Serve = Callable[..., Server]

MODES = pytest.mark.parametrize("mode", ["batched", "strict"])
# In a chain that is not written, nothing is added.
LOCK_SQLITE = """CREATE TRIGGER locked BEFORE INSERT ON audit
    WHEN NEW.entry LIKE '%processor_token.use%' BEGIN SELECT RAISE(ABORT, 'locked'); END"""
LOCK_POSTGRES = """ALTER TABLE audit ADD CONSTRAINT locked
    CHECK (entry NOT LIKE '%processor_token.use%') NOT VALID"""


def delegate(server: Server) -> tuple[Planned, Planned, Linked, str]:
    """A developer, a partner, what the one has linked and a token for the other."""
    developer, partner = own_client(server), own_client(server, processors=["dwolla"])
    linked = developer.link()
    return developer, partner, linked, developer.mint(linked)


def uses(server: Server, client_id: str) -> list[Row]:
    return [one for one in chain(server, client_id) if one["action"] == "processor_token.use"]


def calls(server: Server, client_id: str) -> list[dict[str, Any]]:
    return [call for use in uses(server, client_id) for call in use["detail"]["calls"]]


def wait_for_calls(server: Server, client_id: str, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 5
    while len(found := calls(server, client_id)) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def lock(server: Server) -> None:
    execute(server, LOCK_SQLITE if address(server) is None else LOCK_POSTGRES)


def unlock(server: Server) -> None:
    sqlite = "DROP TRIGGER locked"
    execute(
        server, sqlite if address(server) is None else "ALTER TABLE audit DROP CONSTRAINT locked"
    )


def test_every_read_is_in_the_chain_of_whose_data_it_is(serve: Serve, store: list[str]) -> None:
    server = serve("--audit-reads", "batched", *store)
    developer, partner, linked, token = delegate(server)
    other = developer.mint(linked)
    answers = [
        ("/processor/auth/get", partner.redeem(token, "auth")),
        ("/processor/balance/get", partner.redeem(token, "balance")),
        ("/processor/account/get", developer.redeem(token)),
        ("/processor/auth/get", partner.redeem(other, "auth")),
    ]
    assert partner.redeem(token, "nothing").status == 404
    assert partner.redeem(developer.mint(linked, "astra"), "auth").code != "OK"
    expected = {(path, answer["request_id"]) for path, answer in answers}
    found = wait_for_calls(server, developer.client_id, len(expected))
    assert {(call["operation"], call["request_id"]) for call in found} == expected
    assert len(found) == len(expected)
    recorded = uses(server, developer.client_id)
    assert {use["actor"] for use in recorded} == {partner.client_id, developer.client_id}
    assert len({call["token_id"] for call in found}) == 2
    made = [one for one in chain(server, developer.client_id) if one.get("account_id")]
    places = {one["token_id"]: (one["item_id"], one["account_id"]) for one in made}
    for call in found:
        assert places[call["token_id"]] == (linked.item_id, linked.checking)
    for use in recorded:
        assert use["at"] == use["detail"]["calls"][0]["at"]
        assert token[-36:] not in str(use)
    assert uses(server, partner.client_id) == []


class Reader(threading.Thread):
    """Reads over and over, until nobody answers any more."""

    def __init__(self, server: Server, partner: Planned, token: str) -> None:
        super().__init__()
        self.partner = over(server, partner)
        self.token = token
        self.answered: list[str] = []

    def run(self) -> None:
        while True:
            try:
                answer = self.partner.redeem(self.token, "auth")
            except OSError:
                return
            self.answered.append(answer["request_id"])


def read_until(server: Server, end: Callable[[], None]) -> tuple[str, set[str]]:
    """Whose data was read, and the calls that were answered before the server came to its end."""
    developer, partner, _, token = delegate(server)
    readers = [Reader(server, partner, token) for _ in range(4)]
    for reader in readers:
        reader.start()
    until(lambda: sum(len(reader.answered) for reader in readers) > 200, "partners read")
    end()
    for reader in readers:
        reader.join()
    answered = {request_id for reader in readers for request_id in reader.answered}
    return developer.client_id, answered


def test_a_stop_keeps_what_was_read_last(serve: Serve, store: list[str]) -> None:
    server = serve("--audit-reads", "batched", "--workers", "2", *store)
    client_id, answered = read_until(server, server.stop)
    assert answered <= {call["request_id"] for call in calls(server, client_id)}
    verify_chains(*audit(server))
    assert client_id in cli(server, "audit", "verify")


def test_strict_reads_are_on_record_before_the_answer(serve: Serve, store: list[str]) -> None:
    server = serve("--audit-reads", "strict", "--workers", "2", *store)
    client_id, answered = read_until(server, server.kill)
    assert answered <= {call["request_id"] for call in calls(server, client_id)}
    # Reads that meet share a batch, and so an entry.
    assert len(uses(server, client_id)) < len(calls(server, client_id))
    verify_chains(*audit(server))


@MODES
def test_what_cannot_be_put_on_record(serve: Serve, store: list[str], mode: str) -> None:
    server = serve("--audit-reads", mode, *store)
    developer, partner, _, token = delegate(server)
    lock(server)
    answer = partner.redeem(token, "auth")
    assert answer.code == ("INTERNAL_SERVER_ERROR" if mode == "strict" else "OK")
    assert (b"numbers" in answer.raw) == (mode == "batched")
    # What is not for partners goes on.
    assert developer.list_institutions().code == "OK"
    time.sleep(0.3)
    # What was answered could not be put on record, so nothing more is answered.
    refused = partner.redeem(token, "auth")
    assert refused.code == ("INTERNAL_SERVER_ERROR" if mode == "strict" else "RATE_LIMIT")
    assert b"numbers" not in refused.raw
    assert calls(server, developer.client_id) == []
    unlock(server)
    # Longer than it rests between two attempts.
    time.sleep(0.8)
    answers = [answer, partner.redeem(token, "auth")]
    expected = {one["request_id"] for one in answers if one.code == "OK"}
    found = wait_for_calls(server, developer.client_id, len(expected))
    assert {call["request_id"] for call in found} == expected
    assert "on record" in server.log() or "failed" in server.log()
    verify_chains(*audit(server))
