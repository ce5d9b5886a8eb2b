"""What a client is told of the tokens that it has made."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.control.plane import Planned, own_client
from tests.delegation.conftest import DWOLLA, PAYNOTE, Developer, developer_on
from tests.support.server import Server

SECONDS = 8.0


def test_it_tells_what_became_of_each_token(developer: Developer, partner: Planned) -> None:
    developer.sandbox("clock", now="2030-01-31T12:00:00Z")
    linked = developer.link("auth", "identity")
    used, unused = developer.mint(linked), developer.mint(linked, PAYNOTE)
    developer.permit(used, "auth")
    developer.sandbox("clock/advance", hours=1)
    for _ in range(3):
        assert partner.redeem(used, "auth").code == "OK"
    assert partner.redeem(used, "identity").code == "INVALID_PRODUCT"
    answer = developer.delegate("list")
    by_processor = {one["processor"]: one for one in answer["processor_tokens"]}
    first, second = by_processor[DWOLLA], by_processor[PAYNOTE]
    no_limits = dict.fromkeys(("expires_at", "calls", "calls_left", "transactions_from", "fields"))
    assert first == {
        "token_id": first["token_id"],
        "item_id": linked.item_id,
        "account_id": linked.checking,
        "processor": DWOLLA,
        "products": ["auth"],
        "state": "active",
        "created_at": "2030-01-31T12:00:00Z",
        "calls": 3,
        "last_used_at": "2030-01-31T13:00:00Z",
        "limits": no_limits,
    }
    assert (second["products"], second["calls"], second["last_used_at"]) == ([], 0, None)
    assert answer["next_cursor"] is None
    for text in (used, unused):
        assert text.rpartition("-")[2] not in answer.raw.decode()


def test_it_is_of_an_item_or_of_a_processor(developer: Developer) -> None:
    items = [developer.link(), developer.link()]
    for linked in items:
        developer.mint(linked, DWOLLA)
        developer.mint(linked, PAYNOTE)
    of_first = developer.listed(item_id=items[0].item_id)
    assert {one["item_id"] for one in of_first} == {items[0].item_id}
    assert {one["processor"] for one in of_first} == {DWOLLA, PAYNOTE}
    of_one = developer.listed(processor=PAYNOTE)
    assert [one["processor"] for one in of_one] == [PAYNOTE, PAYNOTE]
    assert {one["item_id"] for one in of_one} == {linked.item_id for linked in items}
    assert developer.listed(item_id="nobodys") == []


def test_it_is_paged(developer: Developer) -> None:
    linked = developer.link()
    for _ in range(5):
        developer.mint(linked)
    found: list[str] = []
    cursor = None
    while True:
        answer = developer.delegate("list", count=2, cursor=cursor)
        found += [one["token_id"] for one in answer["processor_tokens"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 5
    assert found == [one["token_id"] for one in developer.listed()]
    for count in (0, 501):
        assert developer.delegate("list", count=count).code == "INVALID_FIELD"


def test_it_tells_nothing_of_other_clients(developer: Developer, stranger: Developer) -> None:
    linked = developer.link()
    token = developer.mint(linked)
    assert stranger.listed() == []
    assert stranger.listed(item_id=linked.item_id) == []
    assert stranger.delegate("limits/get", processor_token=token).code == "INVALID_PROCESSOR_TOKEN"
    handle = developer.handle(token)
    assert stranger.delegate("limits/get", token_id=handle).code == "INVALID_FIELD"


def test_removed_items_and_accounts_show(developer: Developer) -> None:
    linked = developer.link()
    developer.mint(linked)
    developer.post("/item/remove", access_token=linked.access_token)
    assert [one["state"] for one in developer.listed()] == ["item_removed"]


def test_what_other_workers_count_arrives(store: list[str], serve: Callable[..., Server]) -> None:
    server = serve("--workers", "2", *store)
    developer = developer_on(server, keep_alive=False)
    partner = own_client(server, keep_alive=False, processors=[DWOLLA])
    token = developer.mint(developer.link())
    for _ in range(20):
        assert partner.redeem(token, "auth").code == "OK"
    deadline = time.monotonic() + SECONDS
    while (calls := developer.listed()[0]["calls"]) != 20:
        assert time.monotonic() < deadline, f"{calls} of 20 calls after {SECONDS:g} s"
        time.sleep(0.1)


def test_a_stop_loses_no_count(store: list[str], serve: Callable[..., Server]) -> None:
    server = serve(*store)
    developer = developer_on(server, keep_alive=False)
    token = developer.mint(developer.link())
    for _ in range(7):
        assert developer.redeem(token, "auth").code == "OK"
    server.restart()
    assert developer.listed()[0]["calls"] == 7
