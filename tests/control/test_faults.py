"""Faults: what is asked for goes wrong, as often as asked, where asked, and nowhere else."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.control.plane import LISTING, Planned, over, own_client
from tests.promises.database import query, records
from tests.support.flows import unknown_token
from tests.support.receiver import Receiver
from tests.support.server import Server
from treadle.faults.documented import documented_errors

Serve = Callable[..., Server]

# The code of each operation's rate limit, written down here once more on purpose.
RATE_LIMITS = {
    "/accounts/get": "ACCOUNTS_LIMIT",
    "/accounts/balance/get": "ACCOUNTS_BALANCE_GET_LIMIT",
    "/auth/get": "AUTH_LIMIT",
    "/identity/get": "IDENTITY_LIMIT",
    "/item/get": "ITEM_GET_LIMIT",
    "/transactions/sync": "TRANSACTIONS_SYNC_LIMIT",
    "/item/webhook/update": "RATE_LIMIT",
}


def codes(plane: Planned, count: int) -> list[str]:
    return [plane.list_institutions().code for _ in range(count)]


def test_an_error_strikes_as_often_as_asked(plane: Planned) -> None:
    fault = plane.fault("error", error_code="PLANNED_MAINTENANCE", times=2)
    answer = plane.list_institutions()
    assert (answer.status, answer.code) == (503, "PLANNED_MAINTENANCE")
    assert answer.body["error_type"] == "API_ERROR"
    [seen] = plane.faults()
    assert seen == fault | {"seen": 1, "hits": 1}
    assert codes(plane, 3) == ["PLANNED_MAINTENANCE", "OK", "OK"]
    # It is gone with its last time.
    assert plane.faults() == []


def test_without_a_number_it_strikes_until_it_is_removed(plane: Planned) -> None:
    fault = plane.fault("error", error_code="INTERNAL_SERVER_ERROR")
    assert codes(plane, 4) == ["INTERNAL_SERVER_ERROR"] * 4
    assert plane.sandbox("faults/remove", fault_id=fault["fault_id"]).code == "OK"
    assert codes(plane, 2) == ["OK", "OK"]
    assert plane.sandbox("faults/remove", fault_id=fault["fault_id"]).code == "INVALID_FIELD"


def test_all_can_be_cleared(plane: Planned) -> None:
    plane.fault("latency", seconds=0.001)
    plane.fault("error", error_code="INVALID_MFA")
    assert plane.sandbox("faults/clear").code == "OK"
    assert plane.faults() == []
    assert codes(plane, 1) == ["OK"]
    assert plane.sandbox("faults/clear").code == "OK"


@pytest.mark.slow
def test_every_documented_error_can_be_had(plane: Planned) -> None:
    assert len(documented_errors()) > 150
    for (error_type, code), kind in documented_errors().items():
        plane.fault("error", error_type=error_type, error_code=code, times=1)
        answer = plane.list_institutions()
        got = (answer.status, answer.body["error_type"], answer.body["error_code"])
        assert got == (kind.status, error_type, code)
        assert answer.body["error_message"] == kind.message
        assert "{" not in kind.message
    assert plane.list_institutions().code == "OK"


@pytest.mark.parametrize(
    ("code", "status", "error_type"),
    [
        ("ITEM_LOGIN_REQUIRED", 400, "ITEM_ERROR"),
        ("INSTITUTION_DOWN", 400, "INSTITUTION_ERROR"),
        ("NO_LONGER_AVAILABLE", 404, "INVALID_REQUEST"),
        ("PLANNED_MAINTENANCE", 503, "API_ERROR"),
        ("AUTH_LIMIT", 429, "RATE_LIMIT_EXCEEDED"),
        ("ADDENDUM_NOT_SIGNED", 403, "SIGNAL_ERROR"),
        ("QUESTIONNAIRE_NOT_COMPLETE", 412, "PARTNER_ERROR"),
        ("OAUTH_STATE_ID_ALREADY_PROCESSED", 208, "OAUTH_ERROR"),
        ("PRODUCT_NOT_READY", 400, "ITEM_ERROR"),
    ],
)
def test_errors_look_as_documented(plane: Planned, code: str, status: int, error_type: str) -> None:
    plane.fault("error", error_code=code, times=1)
    answer = plane.list_institutions()
    assert (answer.status, answer.body["error_type"]) == (status, error_type)
    assert answer.body["error_code"] == code


def test_a_message_of_ones_own(plane: Planned) -> None:
    plane.fault("error", error_code="INVALID_FIELD", error_message="{braces} stay", times=1)
    assert plane.list_institutions().body["error_message"] == "{braces} stay"


@pytest.mark.parametrize("path", RATE_LIMITS)
def test_each_operation_has_its_rate_limit(plane: Planned, path: str) -> None:
    access = {"access_token": plane.link("auth", "identity", "transactions").access_token}
    plane.fault("rate_limit", path=path, times=1)
    answer = plane.post(path, **access)
    assert (answer.status, answer.code) == (429, RATE_LIMITS[path])


def test_a_fault_is_for_what_it_names(plane: Planned) -> None:
    first, second = plane.link(), plane.link()
    plane.fault("error", error_code="INVALID_MFA", path="/item/get", item_id=first.item_id)
    assert plane.post("/item/get", access_token=first.access_token).code == "INVALID_MFA"
    assert plane.post("/item/get", access_token=second.access_token).code == "OK"
    assert plane.post("/accounts/get", access_token=first.access_token).code == "OK"
    assert plane.list_institutions().code == "OK"


def test_an_item_is_met_under_each_kind_of_token(plane: Planned) -> None:
    item, other = plane.link(), plane.link()
    token = plane.mint(item)
    public = plane.post("/item/public_token/create", access_token=item.access_token)
    plane.fault("error", error_code="ITEM_LOCKED", item_id=item.item_id)
    assert plane.redeem(token).code == "ITEM_LOCKED"
    assert plane.permit(token, "auth").code == "ITEM_LOCKED"
    assert plane.exchange(public["public_token"]).code == "ITEM_LOCKED"
    assert plane.redeem(plane.mint(other)).code == "OK"


def test_an_institution_is_met_in_items_and_in_requests(plane: Planned) -> None:
    item = plane.link()
    plane.fault("error", error_code="INSTITUTION_DOWN", institution_id="ins_109508")
    assert plane.post("/item/get", access_token=item.access_token).code == "INSTITUTION_DOWN"
    create = {"initial_products": ["auth"]}
    path = "/sandbox/public_token/create"
    answer = plane.post(path, **create, institution_id="ins_109508")
    assert answer.code == "INSTITUTION_DOWN"
    assert plane.post(path, **create, institution_id="ins_109509").code == "OK"


def test_a_token_is_met_alone_and_is_not_kept(server: Server, plane: Planned) -> None:
    item = plane.link()
    first, second = plane.mint(item), plane.mint(item)
    fault = plane.fault("error", error_code="INVALID_MFA", token=first)
    assert fault["has_token"] is True
    assert plane.redeem(first).code == "INVALID_MFA"
    assert plane.redeem(second).code == "OK"
    rows = query(server, f"SELECT * FROM faults WHERE client_id = '{plane.client_id}'")
    assert len(rows) == 1
    for place in (str(rows), plane.read("faults").raw.decode()):
        assert first not in place
        assert first.rpartition("-")[2] not in place


def test_the_first_that_strikes_decides(plane: Planned) -> None:
    plane.fault("error", error_code="INVALID_MFA", times=1)
    plane.fault("error", error_code="ITEM_LOCKED", times=1)
    assert codes(plane, 3) == ["INVALID_MFA", "ITEM_LOCKED", "OK"]


def test_a_refused_call_is_not_struck(plane: Planned) -> None:
    fault = plane.fault("error", error_code="INVALID_MFA", times=1)
    answer = plane.post("/item/get", access_token=unknown_token("access"))
    assert answer.code == "INVALID_ACCESS_TOKEN"
    assert plane.post("/item/get").code == "MISSING_FIELDS"
    assert plane.faults() == [fault]
    assert codes(plane, 1) == ["INVALID_MFA"]


def test_before_nothing_is_done(plane: Planned) -> None:
    item = plane.link()
    plane.fault("error", error_code="INTERNAL_SERVER_ERROR", path="/item/remove", times=1)
    remove = {"access_token": item.access_token}
    assert plane.post("/item/remove", **remove).code == "INTERNAL_SERVER_ERROR"
    assert plane.post("/item/get", **remove).code == "OK"


@pytest.mark.parametrize("effect", ["drop", "error"])
def test_after_it_is_done_and_the_answer_is_lost(plane: Planned, effect: str) -> None:
    item = plane.link()
    further = {"error_code": "INTERNAL_SERVER_ERROR"} if effect == "error" else {}
    plane.fault(effect, when="after", path="/item/remove", times=1, **further)
    remove = {"access_token": item.access_token}
    if effect == "error":
        assert plane.post("/item/remove", **remove).code == "INTERNAL_SERVER_ERROR"
    else:
        with pytest.raises(http.client.RemoteDisconnected):
            plane.post("/item/remove", **remove)
    assert plane.post("/item/get", **remove).code == "ITEM_NOT_FOUND"
    assert plane.faults() == []


def test_after_is_for_calls_that_succeed(plane: Planned) -> None:
    item = plane.link()
    fault = plane.fault("drop", when="after", path="/auth/get")
    options = {"account_ids": ["K" * 37]}
    answer = plane.post("/auth/get", access_token=item.access_token, options=options)
    assert answer.code == "INVALID_ACCOUNT_ID"
    assert plane.faults() == [fault]


def test_a_connection_is_dropped_and_the_next_one_works(server: Server, plane: Planned) -> None:
    plane.fault("drop", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        plane.list_institutions()
    assert codes(plane, 1) == ["OK"]
    [request] = plane.requests(error_code="CONNECTION_DROPPED")
    assert (request["status"], request["path"]) == (0, "/institutions/get")
    server_log = server.log()
    assert " 000 CONNECTION_DROPPED " in server_log
    assert "Traceback" not in server_log


def test_latency_keeps_only_its_own_calls_waiting(plane: Planned) -> None:
    plane.sandbox("seed", seed="loom")
    plane.fault("latency", seconds=0.6, path="/institutions/get")
    started = time.monotonic()
    answers = plane.volley([("/institutions/get", LISTING)] * 6)
    assert {answer.code for answer in answers} == {"OK"}
    assert 0.6 <= time.monotonic() - started < 3
    started = time.monotonic()
    plane.post("/categories/get")
    assert time.monotonic() - started < 0.5


def test_an_error_can_come_late(plane: Planned) -> None:
    plane.fault("error", error_code="INVALID_MFA", seconds=0.3, times=1)
    started = time.monotonic()
    assert codes(plane, 1) == ["INVALID_MFA"]
    assert time.monotonic() - started >= 0.3


def test_a_probability_strikes_some(plane: Planned) -> None:
    plane.fault("error", error_code="INVALID_MFA", probability=0.5)
    struck = codes(plane, 60).count("INVALID_MFA")
    # Off by chance once in a hundred million runs.
    assert 8 <= struck <= 52
    [fault] = plane.faults()
    assert (fault["seen"], fault["hits"]) == (60, struck)


@pytest.mark.parametrize(("probability", "struck"), [(0.0, 0), (1.0, 20)])
def test_certainties_are_certain(plane: Planned, probability: float, struck: int) -> None:
    plane.fault("error", error_code="INVALID_MFA", probability=probability)
    assert codes(plane, 20).count("INVALID_MFA") == struck


def test_one_seed_strikes_the_same_calls(serve: Serve, store: list[str]) -> None:
    runs = []
    for options in ([], store):
        plane = Planned(serve(*options).url)
        plane.sandbox("seed", seed="loom")
        plane.fault("error", error_code="INVALID_MFA", probability=0.3)
        runs.append(codes(plane, 30))
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"OK", "INVALID_MFA"}


def test_strikes_draw_no_ids(plane: Planned) -> None:
    plane.sandbox("seed", seed="loom")
    plane.fault("error", error_code="INVALID_MFA", probability=0.5)
    counter = plane.read("seed")["counter"]
    codes(plane, 10)
    assert plane.read("seed")["counter"] == counter


def test_at_the_same_time_it_strikes_no_more_often(plane: Planned) -> None:
    plane.fault("error", error_code="INVALID_MFA", times=5)
    answers = plane.volley([("/institutions/get", LISTING)] * 20)
    found = [answer.code for answer in answers]
    assert (found.count("INVALID_MFA"), found.count("OK")) == (5, 15)


@pytest.mark.slow
def test_with_two_workers_it_strikes_no_more_often(serve: Serve, store: list[str]) -> None:
    server = serve("--workers", "2", *store)
    plane = over(server, own_client(server))
    # Two calls that count as one show when the fault's last strike is next.
    for _ in range(50):
        plane.fault("error", error_code="INVALID_MFA", times=2)
    answers = plane.volley([("/institutions/get", LISTING)] * 120)
    found = [answer.code for answer in answers]
    assert (found.count("INVALID_MFA"), found.count("OK")) == (100, 20)
    assert plane.faults() == []


def test_it_is_kept(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    plane = own_client(server)
    fault = plane.fault("error", error_code="INVALID_MFA", path="/institutions/get", times=1)
    server.restart()
    plane = over(server, plane)
    assert plane.faults() == [fault]
    assert codes(plane, 2) == ["INVALID_MFA", "OK"]


def test_nobody_else_is_struck(server: Server, plane: Planned, other: Planned) -> None:
    partner = own_client(server, processors=["dwolla"])
    item = plane.link()
    token = plane.mint(item)
    fault = plane.fault("error", error_code="INVALID_MFA", item_id=item.item_id)
    assert codes(other, 1) == ["OK"]
    # A partner's call is the partner's own, also where it reads the Item.
    assert partner.redeem(token).code == "OK"
    assert other.faults() == []
    assert other.sandbox("faults/remove", fault_id=fault["fault_id"]).code == "INVALID_FIELD"
    other.sandbox("faults/clear")
    assert plane.faults() == [fault]


def test_the_control_plane_is_never_struck(plane: Planned) -> None:
    plane.fault("error", error_code="INVALID_MFA")
    assert plane.read("clock").code == "OK"
    assert plane.sandbox("faults/clear").code == "OK"


def test_each_change_is_recorded(server: Server, plane: Planned) -> None:
    fault = plane.fault("latency", seconds=0.01)
    plane.sandbox("faults/remove", fault_id=fault["fault_id"])
    plane.sandbox("faults/clear")
    found = [one["action"] for one in records(server, plane.client_id)]
    assert found == ["client.create", "fault.add", "fault.remove", "fault.clear"]


def test_there_is_a_limit(plane: Planned) -> None:
    for _ in range(100):
        last = plane.fault("latency", seconds=0.001, path="/item/get")
    full = plane.sandbox("faults", effect="drop")
    assert (full.status, full.code) == (400, "SANDBOX_LIMIT_REACHED")
    plane.sandbox("faults/remove", fault_id=last["fault_id"])
    plane.fault("latency", seconds=0.001, path="/item/get")
    assert len(plane.faults()) == 100


ERROR = {"effect": "error", "error_code": "INVALID_MFA"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "MISSING_FIELDS"),
        ({"effect": "explode"}, "INVALID_FIELD"),
        ({"effect": "error"}, "INVALID_FIELD"),
        ({"effect": "error", "error_code": "NO_SUCH_CODE"}, "INVALID_FIELD"),
        ({**ERROR, "error_type": "API_ERROR"}, "INVALID_FIELD"),
        ({**ERROR, "error_message": "x" * 1_001}, "INVALID_FIELD"),
        ({"effect": "drop", "error_code": "INVALID_MFA"}, "INVALID_FIELD"),
        ({"effect": "latency"}, "INVALID_FIELD"),
        ({"effect": "latency", "seconds": 61}, "INVALID_FIELD"),
        ({"effect": "latency", "seconds": -1}, "INVALID_FIELD"),
        ({**ERROR, "path": "/no/such/path"}, "INVALID_FIELD"),
        ({**ERROR, "path": "/treadle/sandbox/faults"}, "INVALID_FIELD"),
        ({**ERROR, "path": ""}, "INVALID_FIELD"),
        ({**ERROR, "token": "secret"}, "INVALID_FIELD"),
        ({**ERROR, "token": "access-production-" + "0" * 36}, "INVALID_FIELD"),
        ({**ERROR, "times": 0}, "INVALID_FIELD"),
        ({**ERROR, "times": 1.5}, "INVALID_FIELD"),
        ({**ERROR, "probability": 1.1}, "INVALID_FIELD"),
        ({**ERROR, "probability": "often"}, "INVALID_FIELD"),
        ({**ERROR, "when": "later"}, "INVALID_FIELD"),
        ({**ERROR, "webhook_code": "ERROR"}, "INVALID_FIELD"),
        ({**ERROR, "status": 500}, "UNKNOWN_FIELDS"),
        ({"effect": "webhook_delay"}, "INVALID_FIELD"),
        ({"effect": "webhook_reorder"}, "INVALID_FIELD"),
        ({"effect": "webhook_withhold", "path": "/item/get"}, "INVALID_FIELD"),
        ({"effect": "webhook_withhold", "when": "after"}, "INVALID_FIELD"),
        ({"effect": "webhook_duplicate", "seconds": 1}, "INVALID_FIELD"),
    ],
)
def test_bad_input_adds_nothing(plane: Planned, fields: dict[str, Any], code: str) -> None:
    answer = plane.sandbox("faults", **fields)
    assert (answer.status, answer.code) == (400, code), answer.raw
    assert plane.faults() == []


def reset_login(plane: Planned, receiver: Receiver) -> str:
    """Have a webhook owed; answers its Item."""
    item = plane.link(webhook=receiver.url)
    plane.post("/sandbox/item/reset_login", access_token=item.access_token)
    return item.item_id


def received(receiver: Receiver) -> list[str]:
    return [one.event_id for one in receiver.received]


def test_a_webhook_comes_twice(plane: Planned) -> None:
    with Receiver() as receiver:
        plane.fault("webhook_duplicate", times=1)
        reset_login(plane, receiver)
        receiver.wait(2)
        one, again = receiver.received
        assert one.event_id == again.event_id
        assert one.body == again.body
        reset_login(plane, receiver)
        receiver.wait(3)
        time.sleep(0.5)
        assert len(receiver.received) == 3


def test_a_webhook_is_withheld(server: Server, plane: Planned) -> None:
    with Receiver() as receiver:
        plane.fault("webhook_withhold", webhook_code="ERROR", times=1)
        withheld = reset_login(plane, receiver)
        sent = reset_login(plane, receiver)
        receiver.wait(1)
        time.sleep(1.5)
        assert len(receiver.received) == 1
    sql = f"SELECT item_id, state FROM outbox WHERE client_id = '{plane.client_id}'"
    states = {row["item_id"]: row["state"] for row in query(server, sql)}
    assert states == {withheld: "withheld", sent: "delivered"}


def test_a_webhook_comes_late_by_its_clients_clock(plane: Planned) -> None:
    plane.sandbox("clock", now="2026-01-31T12:00:00Z")
    with Receiver() as receiver:
        plane.fault("webhook_delay", seconds=3600, times=1)
        reset_login(plane, receiver)
        time.sleep(1.5)
        plane.sandbox("clock/advance", seconds=3599)
        time.sleep(1.5)
        assert receiver.received == []
        plane.sandbox("clock/advance", seconds=1)
        receiver.wait(1)


def test_a_webhook_is_overtaken(plane: Planned) -> None:
    with Receiver() as receiver:
        item = plane.link(webhook=receiver.url)
        access = {"access_token": item.access_token}
        plane.fault("webhook_reorder", item_id=item.item_id, seconds=1.5, times=1)
        plane.post("/sandbox/item/reset_login", **access)
        deadline = time.monotonic() + 5
        while plane.faults() and time.monotonic() < deadline:
            time.sleep(0.05)
        plane.post("/item/webhook/update", **access, webhook=receiver.url)
        receiver.wait(2)
        found = [b"WEBHOOK_UPDATE_ACKNOWLEDGED" in one.body for one in receiver.received]
        assert found == [True, False]


def test_another_webhook_is_left_alone(plane: Planned, other: Planned) -> None:
    with Receiver() as receiver:
        fault = plane.fault("webhook_withhold", webhook_code="PENDING_DISCONNECT")
        plane.fault("webhook_withhold", item_id="another")
        reset_login(plane, receiver)
        reset_login(other, receiver)
        receiver.wait(2)
        assert fault in plane.faults()
