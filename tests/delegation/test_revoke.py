"""Revoked is revoked: for the next call, on every worker, and after a crash."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from tests.control.plane import Planned, own_client
from tests.delegation.conftest import DWOLLA, PAYNOTE, UNKNOWN, Developer, developer_on
from tests.promises.database import records
from tests.support.raw import Answer
from tests.support.receiver import Receiver
from tests.support.server import Server

REDEEMS = ("account", "auth", "identity", "balance")


@pytest.mark.parametrize("by_handle", [False, True], ids=["by text", "by handle"])
def test_one_token_ends_and_no_other(
    developer: Developer, partner: Planned, by_handle: bool
) -> None:
    linked = developer.link("auth", "identity")
    ended, left = developer.mint(linked), developer.mint(linked)
    name = {"token_id": developer.handle(ended)} if by_handle else {"processor_token": ended}
    answer = developer.delegate("revoke", **name)
    assert (answer["revoked"], answer["revision"]) == (1, 1)
    for client in (developer, partner):
        assert {client.redeem(ended, what).code for what in REDEEMS} == {UNKNOWN}
        assert {client.redeem(left, what).code for what in REDEEMS} == {"OK"}
    assert developer.permit(ended, "auth").code == UNKNOWN
    answer = developer.post("/processor/token/permissions/get", processor_token=ended)
    assert answer.code == UNKNOWN
    hook = {"processor_token": ended, "webhook": "https://shop.example/hook"}
    assert developer.post("/processor/token/webhook/update", **hook).code == UNKNOWN
    assert {one["state"] for one in developer.listed()} == {"revoked", "active"}


def test_a_revoked_token_looks_like_none_at_all(developer: Developer, partner: Planned) -> None:
    token = developer.mint(developer.link())
    developer.delegate("revoke", processor_token=token)
    never_made = token[:-8] + "00000000"
    seen, unknown = partner.redeem(token), partner.redeem(never_made)
    assert _without_id(seen) == _without_id(unknown)


def _without_id(answer: Answer) -> dict[str, object]:
    return {name: value for name, value in answer.body.items() if name != "request_id"}


def test_all_of_a_partner_end(developer: Developer) -> None:
    items = [developer.link(), developer.link()]
    theirs = [developer.mint(linked, DWOLLA) for linked in items]
    others = [developer.mint(linked, PAYNOTE) for linked in items]
    assert developer.delegate("revoke", processor=DWOLLA)["revoked"] == 2
    assert {developer.redeem(token).code for token in theirs} == {UNKNOWN}
    assert {developer.redeem(token).code for token in others} == {"OK"}
    # A new one is a new grant.
    assert developer.redeem(developer.mint(items[0], DWOLLA)).code == "OK"


def test_all_of_an_item_end(developer: Developer) -> None:
    first, second = developer.link(), developer.link()
    theirs = [developer.mint(first, name) for name in (DWOLLA, PAYNOTE)]
    other = developer.mint(second)
    assert developer.delegate("revoke", item_id=first.item_id)["revoked"] == 2
    assert {developer.redeem(token).code for token in theirs} == {UNKNOWN}
    assert developer.redeem(other).code == "OK"
    # The developer's own access goes on.
    assert developer.post("/auth/get", access_token=first.access_token).code == "OK"


def test_the_revision_rises_with_each_revocation(developer: Developer) -> None:
    linked = developer.link()
    tokens = [developer.mint(linked) for _ in range(3)]
    answers = [developer.delegate("revoke", processor_token=token) for token in tokens]
    assert [answer["revision"] for answer in answers] == [1, 2, 3]
    again = developer.delegate("revoke", processor_token=tokens[0])
    assert (again["revoked"], again["revision"]) == (0, 3)


def test_each_is_on_record(developer: Developer, server: Server) -> None:
    linked = developer.link()
    token = developer.mint(linked)
    handle = developer.handle(token)
    developer.delegate("revoke", processor_token=token)
    last = records(server, developer.client_id)[-1]
    assert (last["action"], last["token_id"]) == ("processor_token.revoke", handle)
    assert last["detail"] == {"tokens": 1, "reason": "revoked"}


def test_of_many_callers_one_has_ended_it(developer: Developer, server: Server) -> None:
    token = developer.mint(developer.link())
    request = ("/treadle/processor_token/revoke", {"processor_token": token})
    answers = developer.volley([request] * 16)
    assert Counter(answer["revoked"] for answer in answers) == {1: 1, 0: 15}
    actions = [record["action"] for record in records(server, developer.client_id)]
    assert actions.count("processor_token.revoke") == 1


def test_mistakes_end_nothing(developer: Developer, stranger: Developer) -> None:
    linked = developer.link()
    token = developer.mint(linked)
    handle = developer.handle(token)
    for client, fields, code in (
        (developer, {}, "INVALID_FIELD"),
        (developer, {"processor_token": token, "token_id": handle}, "INVALID_FIELD"),
        (developer, {"processor": "nobody"}, "INVALID_FIELD"),
        (developer, {"item_id": "nobodys"}, "INVALID_FIELD"),
        (developer, {"token_id": "nobodys"}, "INVALID_FIELD"),
        (developer, {"processor_token": token[:-1]}, UNKNOWN),
        (developer, {"processor_token": token, "oops": True}, "UNKNOWN_FIELDS"),
        (stranger, {"processor_token": token}, UNKNOWN),
        (stranger, {"token_id": handle}, "INVALID_FIELD"),
        (stranger, {"item_id": linked.item_id}, "INVALID_FIELD"),
    ):
        assert client.delegate("revoke", **fields).code == code
    assert stranger.delegate("revoke", processor=DWOLLA)["revoked"] == 0
    assert developer.redeem(token).code == "OK"


def test_partners_are_told_when_that_is_wanted(developer: Developer, partner: Planned) -> None:
    linked = developer.link()
    tokens = [developer.mint(linked), developer.mint(linked), developer.mint(linked)]
    with Receiver() as receiver:
        for token in tokens[:2]:
            partner.post(
                "/processor/token/webhook/update", processor_token=token, webhook=receiver.url
            )
        receiver.wait(2)
        developer.delegate("revoke", processor_token=tokens[0])
        developer.delegate("revoke", item_id=linked.item_id, notify=True)
        receiver.wait(3)
    assert json.loads(receiver.received[2].body) == {
        "webhook_type": "PROCESSOR_TOKEN",
        "webhook_code": "TOKEN_REVOKED",
        "account_id": linked.checking,
        "error": None,
        "environment": "sandbox",
    }


@pytest.mark.slow
def test_no_worker_accepts_it_afterwards(store: list[str], serve: Callable[..., Server]) -> None:
    server = serve("--workers", "2", *store)
    developer = developer_on(server, keep_alive=False)
    partner = own_client(server, keep_alive=False, processors=[DWOLLA])
    linked = developer.link()
    for _ in range(40):
        token = developer.mint(linked)
        assert {partner.redeem(token, "auth").code for _ in range(4)} == {"OK"}
        assert developer.delegate("revoke", processor_token=token)["revoked"] == 1
        assert {partner.redeem(token, "auth").code for _ in range(6)} == {UNKNOWN}


def test_a_crash_brings_none_back(store: list[str], serve: Callable[..., Server]) -> None:
    server = serve(*store)
    developer = developer_on(server, keep_alive=False)
    token = developer.mint(developer.link())
    assert developer.delegate("revoke", processor_token=token)["revoked"] == 1
    server.kill()
    server.start()
    assert developer.redeem(token, "auth").code == UNKNOWN
