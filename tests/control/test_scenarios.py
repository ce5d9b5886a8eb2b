"""What goes wrong between a bank and an app, on demand."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from tests.control.plane import Planned, own_client
from tests.support.raw import Linked
from tests.support.receiver import Receiver
from tests.support.server import Server

SYNC = "/transactions/sync"


@pytest.fixture
def linked(plane: Planned) -> Linked:
    linked = plane.link("transactions")
    assert plane.post(SYNC, access_token=linked.access_token).code == "OK"
    return linked


def pages(plane: Planned, linked: Linked, count: int, cursor: str | None = None) -> list[Any]:
    """A loop over pages to its end."""
    found: list[Any] = []
    while not found or found[-1]["has_more"]:
        cursor = found[-1]["next_cursor"] if found else cursor
        found.append(
            plane.post(SYNC, access_token=linked.access_token, cursor=cursor, count=count).body
        )
    return found


def ids(found: list[Any], kind: str) -> list[str]:
    return [one["transaction_id"] for page in found for one in page[kind]]


def test_a_correction_while_paging_must_begin_anew(plane: Planned, linked: Linked) -> None:
    plane.fault("correct_transaction", when="after", path=SYNC, times=1)
    first = plane.post(SYNC, access_token=linked.access_token, count=5)
    assert first["has_more"]
    cursor = first["next_cursor"]
    again = plane.post(SYNC, access_token=linked.access_token, cursor=cursor, count=5)
    assert again.code == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
    whole = pages(plane, linked, 5)
    assert set(ids([first.body], "added")) < set(ids(whole, "added"))
    names = [one["name"] for page in whole for one in page["added"]]
    assert sum(name.endswith(" (corrected)") for name in names) == 1


def test_a_replacement_is_told_on_pages_far_apart(plane: Planned, linked: Linked) -> None:
    before = pages(plane, linked, 500)
    plane.fault("replace_transaction", when="after", path=SYNC, times=1)
    pages(plane, linked, 500, before[-1]["next_cursor"])
    after = pages(plane, linked, 5, before[-1]["next_cursor"])
    assert len(after) > 3
    [new], [gone] = ids(after, "added"), ids(after, "removed")
    assert ids(after[:1], "added") == [new]
    assert ids(after[-1:], "removed") == [gone]
    assert after[0]["added"][0]["pending_transaction_id"] == gone
    # Who applies every page has what a new reader is told.
    kept = ({*ids(before, "added")} | {new}) - {gone}
    assert kept == set(ids(pages(plane, linked, 500), "added"))


def test_an_item_goes_between_two_pages(plane: Planned, linked: Linked) -> None:
    plane.fault("remove_item", when="after", path=SYNC, times=1)
    first = plane.post(SYNC, access_token=linked.access_token, count=5)
    again = plane.post(SYNC, access_token=linked.access_token, cursor=first["next_cursor"], count=5)
    assert again.code == "ITEM_NOT_FOUND"


def test_a_partner_cannot_harm_what_is_not_its_own(server: Server) -> None:
    app, partner = own_client(server), own_client(server, processors=["dwolla"])
    linked = app.link("transactions")
    token = app.mint(linked)
    read = "/processor/transactions/sync"
    for effect in ("correct_transaction", "replace_transaction", "remove_item"):
        partner.fault(effect, when="after", path=read, times=1)
    before = app.post(SYNC, access_token=linked.access_token, count=500)
    for _ in range(4):
        assert partner.post(read, processor_token=token).code == "OK"
    cursor = before["next_cursor"]
    after = app.post(SYNC, access_token=linked.access_token, cursor=cursor)
    assert (after["added"], after["modified"], after["removed"]) == ([], [], [])


def test_a_webhook_comes_before_the_answer(plane: Planned, linked: Linked) -> None:
    update = "/item/webhook/update"
    plane.fault("latency", when="after", path=update, seconds=1.5, times=1)
    with Receiver() as receiver, ThreadPoolExecutor(1) as thread:
        asked = thread.submit(
            plane.post, update, access_token=linked.access_token, webhook=receiver.url
        )
        [told] = receiver.wait(1)
        assert not asked.done()
        came = time.monotonic()
        assert asked.result().code == "OK"
        assert time.monotonic() - came > 0.5
        assert json.loads(told.body)["webhook_code"] == "WEBHOOK_UPDATE_ACKNOWLEDGED"


def test_the_key_is_replaced_between_two_webhooks(plane: Planned, linked: Linked) -> None:
    plane.fault("webhook_new_key", times=1)
    with Receiver() as receiver:
        for _ in range(2):
            plane.post(
                "/item/webhook/update", access_token=linked.access_token, webhook=receiver.url
            )
        first, second = (
            jwt.get_unverified_header(one.signature)["kid"] for one in receiver.wait(2)
        )
        assert first == second
        plane.fault("webhook_new_key", times=1)
        plane.post("/item/webhook/update", access_token=linked.access_token, webhook=receiver.url)
        third = jwt.get_unverified_header(receiver.wait(3)[-1].signature)["kid"]
    assert third != first
    keys = [
        plane.post("/webhook_verification_key/get", key_id=kid)["key"] for kid in (first, third)
    ]
    assert keys[0]["expired_at"] is not None
    assert keys[1]["expired_at"] is None


@pytest.mark.parametrize("effect", ["correct_transaction", "replace_transaction", "remove_item"])
def test_they_happen_after_an_answer(plane: Planned, effect: str) -> None:
    assert plane.sandbox("faults", effect=effect).code == "INVALID_FIELD"
