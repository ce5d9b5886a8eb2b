"""A client's clock: it stands where it was set, moves when told, and no other moves with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.control.plane import Planned, over, own_client
from tests.promises.database import records
from tests.support.receiver import Receiver
from tests.support.server import Server

NOON = "2026-01-31T12:00:00Z"
Serve = Callable[..., Server]


def shown(answer: Any) -> datetime:
    return datetime.fromisoformat(answer["now"])


def test_a_new_client_follows_the_system(plane: Planned) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    answer = plane.read("clock")
    assert answer["running"] is True
    assert before <= shown(answer) <= datetime.now(UTC)


def test_a_clock_that_was_set_stands_still(plane: Planned) -> None:
    answer = plane.sandbox("clock", now=NOON)
    assert (answer["now"], answer["running"]) == (NOON, False)
    time.sleep(0.01)
    assert plane.read("clock")["now"] == NOON
    public = plane.post("/sandbox/public_token/create", **creation())["public_token"]
    access = plane.exchange(public)["access_token"]
    assert plane.post("/item/get", access_token=access)["item"]["created_at"] == NOON


def creation() -> dict[str, Any]:
    return {"institution_id": "ins_109508", "initial_products": ["auth"]}


@pytest.mark.parametrize(
    ("now", "shows"),
    [
        ("2026-01-31T12:00:00", NOON),
        ("2026-01-31T13:00:00+01:00", NOON),
        ("2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.123000Z"),
        ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
        ("2199-12-31T23:59:59Z", "2199-12-31T23:59:59Z"),
    ],
)
def test_instants_are_understood(plane: Planned, now: str, shows: str) -> None:
    assert plane.sandbox("clock", now=now)["now"] == shows
    assert plane.read("clock")["now"] == shows
    assert plane.list_institutions().code == "OK"


def test_it_moves_by_what_it_is_told(plane: Planned) -> None:
    plane.sandbox("clock", now=NOON)
    assert plane.sandbox("clock/advance", seconds=61)["now"] == "2026-01-31T12:01:01Z"
    assert plane.sandbox("clock/advance", days=1, seconds=1)["now"] == "2026-02-01T12:01:02Z"
    assert plane.sandbox("clock/advance", hours=2, minutes=3)["now"] == "2026-02-01T14:04:02Z"
    assert plane.read("clock")["now"] == "2026-02-01T14:04:02Z"


def test_a_running_clock_that_is_moved_stands_still_there(plane: Planned) -> None:
    answer = plane.sandbox("clock/advance", days=1)
    assert answer["running"] is False
    assert timedelta(hours=23) < shown(answer) - datetime.now(UTC) <= timedelta(days=1)
    assert plane.read("clock")["now"] == answer["now"]


def test_it_follows_the_system_again(plane: Planned) -> None:
    plane.sandbox("clock", now=NOON)
    answers = [plane.sandbox("clock/run"), plane.read("clock")]
    assert all(answer["running"] for answer in answers)
    assert all(abs(shown(answer) - datetime.now(UTC)) < timedelta(seconds=30) for answer in answers)


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("clock", {}, "MISSING_FIELDS"),
        ("clock", {"now": None}, "INVALID_FIELD"),
        ("clock", {"now": 1}, "INVALID_FIELD"),
        ("clock", {"now": "yesterday"}, "INVALID_FIELD"),
        ("clock", {"now": "2026-01-31"}, "INVALID_FIELD"),
        ("clock", {"now": "1999-12-31T23:59:59Z"}, "INVALID_FIELD"),
        ("clock", {"now": "2200-01-01T00:00:01Z"}, "INVALID_FIELD"),
        ("clock", {"now": "0001-01-01T00:00:00+14:00"}, "INVALID_FIELD"),
        ("clock", {"now": "9999-12-31T23:59:59-14:00"}, "INVALID_FIELD"),
        ("clock", {"now": NOON, "zone": "UTC"}, "UNKNOWN_FIELDS"),
        ("clock/advance", {}, "INVALID_FIELD"),
        ("clock/advance", {"seconds": 0, "minutes": 0, "hours": 0, "days": 0}, "INVALID_FIELD"),
        ("clock/advance", {"seconds": -1}, "INVALID_FIELD"),
        ("clock/advance", {"seconds": 1.5}, "INVALID_FIELD"),
        ("clock/advance", {"seconds": 10**12}, "INVALID_FIELD"),
        ("clock/advance", {"days": 100_000}, "INVALID_FIELD"),
        ("clock/advance", {"days": 10**20}, "INVALID_FIELD"),
        ("clock/advance", {"minutes": -1}, "INVALID_FIELD"),
        ("clock/advance", {"hours": 10**7}, "INVALID_FIELD"),
        ("clock/advance", {"weeks": 1}, "UNKNOWN_FIELDS"),
        ("clock/run", {"now": NOON}, "UNKNOWN_FIELDS"),
    ],
)
def test_bad_input_moves_nothing(
    plane: Planned, path: str, fields: dict[str, Any], code: str
) -> None:
    plane.sandbox("clock", now=NOON)
    answer = plane.sandbox(path, **fields)
    assert (answer.status, answer.code) == (400, code), answer.raw
    assert plane.read("clock")["now"] == NOON


def test_public_tokens_expire_by_it(plane: Planned) -> None:
    plane.sandbox("clock", now=NOON)
    early, late = plane.public_token(), plane.public_token()
    plane.sandbox("clock/advance", seconds=29 * 60 + 59)
    assert plane.exchange(early).code == "OK"
    plane.sandbox("clock/advance", seconds=1)
    assert plane.exchange(late).code == "INVALID_PUBLIC_TOKEN"


def test_logins_expire_by_it(plane: Planned) -> None:
    plane.sandbox("clock", now=NOON)
    access = {"access_token": plane.link().access_token}
    plane.sandbox("clock/advance", days=29)
    assert plane.post("/auth/get", **access).code == "OK"
    plane.sandbox("clock/advance", days=1)
    assert plane.post("/auth/get", **access).code == "ITEM_LOGIN_REQUIRED"


def test_an_items_transactions_live_by_it(plane: Planned) -> None:
    plane.sandbox("clock", now=NOON)
    access = {"access_token": plane.link("transactions").access_token}

    def newest() -> str:
        answer = plane.post(
            "/transactions/get", **access, start_date="2025-01-01", end_date="2030-01-01"
        )
        newest: str = max(one["date"] for one in answer["transactions"])
        return newest

    before = newest()
    assert before <= "2026-01-31"
    plane.sandbox("clock/advance", days=20)
    assert before < newest() <= "2026-02-20"


def test_a_partner_finds_the_item_by_its_owners_clock(server: Server, plane: Planned) -> None:
    partner = own_client(server, processors=["dwolla"])
    plane.sandbox("clock", now=NOON)
    token = plane.mint(plane.link())
    assert partner.redeem(token, "auth").code == "OK"
    # The partner's clock says nothing of the Item's login.
    partner.sandbox("clock", now="2030-01-01T00:00:00Z")
    assert partner.redeem(token, "auth").code == "OK"
    partner.sandbox("clock/run")
    plane.sandbox("clock/advance", days=30)
    assert partner.redeem(token, "auth").code == "ITEM_LOGIN_REQUIRED"


def goes_back(plane: Planned, *, to: str = "2026-01-31T11:59:59Z") -> bool:
    answer = plane.sandbox("clock", now=to)
    assert answer.code in ("OK", "INVALID_FIELD")
    assert answer.code == "OK" or "must not lead back" in answer.body["error_message"]
    return answer.code == "OK"


def test_with_an_item_it_goes_forwards_alone(plane: Planned) -> None:
    assert goes_back(plane, to="2026-02-28T00:00:00Z")
    assert goes_back(plane, to=NOON)
    access = {"access_token": plane.link().access_token}
    assert not goes_back(plane)
    assert plane.read("clock")["now"] == NOON
    # Where it is it may be set, and further on.
    assert plane.sandbox("clock", now=NOON).code == "OK"
    assert plane.sandbox("clock/advance", seconds=1).code == "OK"
    assert not goes_back(plane, to=NOON)
    plane.post("/item/remove", **access)
    assert goes_back(plane)


def test_nor_back_to_the_systems(plane: Planned, other: Planned) -> None:
    plane.sandbox("clock/advance", days=1)
    plane.link()
    ahead = plane.read("clock").body["now"]
    answer = plane.sandbox("clock/run")
    assert (answer.status, answer.code) == (400, "INVALID_FIELD")
    assert (plane.read("clock")["now"], plane.read("clock")["running"]) == (ahead, False)
    other.link()
    other.sandbox("clock/advance", minutes=0, seconds=1)
    time.sleep(1.1)
    assert other.sandbox("clock/run")["running"] is True


def test_a_clock_that_was_stopped_can_be_set_where_it_is(plane: Planned) -> None:
    """What it shows is cut to milliseconds, and is still where it is."""
    plane.link()
    shown = plane.sandbox("clock/advance", days=1)["now"]
    assert goes_back(plane, to=shown)
    assert plane.read("clock")["now"] == shown


def test_while_a_webhook_is_owed_it_goes_forwards_alone(plane: Planned) -> None:
    plane.sandbox("clock", now=NOON)
    with Receiver(lambda received: 500) as receiver:
        access = {"access_token": plane.link(webhook=receiver.url).access_token}
        plane.post("/sandbox/item/reset_login", **access)
        receiver.wait(1)
        plane.post("/item/remove", **access)
        assert not goes_back(plane)
        receiver.answer = lambda received: 200
        plane.sandbox("clock/advance", seconds=31)
        receiver.wait(2)
    deadline = time.monotonic() + 10
    while not goes_back(plane) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert goes_back(plane)


def test_webhooks_wait_by_it(plane: Planned) -> None:
    plane.sandbox("clock", now=NOON)
    with Receiver(lambda received: 500) as receiver:
        access = {"access_token": plane.link(webhook=receiver.url).access_token}
        plane.post("/sandbox/item/reset_login", **access)
        receiver.wait(1)
        time.sleep(1.5)
        assert len(receiver.received) == 1
        receiver.answer = lambda received: 200
        plane.sandbox("clock/advance", seconds=31)
        receiver.wait(2)
        assert receiver.received[0].event_id == receiver.received[1].event_id


def test_nobody_elses_clock_moves(plane: Planned, other: Planned) -> None:
    other.sandbox("clock", now="2027-05-05T05:05:05Z")
    plane.sandbox("clock", now=NOON)
    plane.sandbox("clock/advance", days=400)
    assert other.read("clock")["now"] == "2027-05-05T05:05:05Z"
    assert plane.sandbox("clock/run")["running"]
    assert other.read("clock")["running"] is False


def test_each_move_is_recorded(server: Server, plane: Planned) -> None:
    plane.sandbox("clock", now=NOON)
    plane.sandbox("clock/advance", days=1)
    plane.sandbox("clock/run")
    found = records(server, plane.client_id)[1:]
    assert [one["action"] for one in found] == ["clock.set", "clock.set", "clock.run"]


def test_moves_at_the_same_time_all_count(plane: Planned) -> None:
    plane.sandbox("clock", now=NOON)
    moves = [("/treadle/sandbox/clock/advance", {"days": 1})] * 12
    codes = [answer.code for answer in plane.volley(moves)]
    assert set(codes) <= {"OK", "RATE_LIMIT"}
    moved = datetime.fromisoformat(plane.read("clock")["now"]) - datetime.fromisoformat(NOON)
    assert moved.days == codes.count("OK") > 0


@pytest.mark.slow
def test_every_worker_sees_it_at_once(serve: Serve, store: list[str]) -> None:
    server = serve("--workers", "2", *store)
    plane = over(server, own_client(server))
    plane.sandbox("clock", now=NOON)
    for _ in range(40):
        moved = plane.sandbox("clock/advance", days=1)["now"]
        assert {plane.read("clock")["now"] for _ in range(3)} == {moved}


def test_it_is_kept(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    plane = own_client(server)
    plane.sandbox("clock", now=NOON)
    server.restart()
    assert over(server, plane).read("clock")["now"] == NOON


def test_the_server_can_have_a_clock_for_all_who_set_none(serve: Serve) -> None:
    server = serve("--clock", NOON)
    plane, other = own_client(server), own_client(server)
    answer = plane.read("clock")
    assert (answer["now"], answer["running"]) == (NOON, False)
    assert plane.sandbox("clock/advance", days=1)["now"] == "2026-02-01T12:00:00Z"
    assert plane.sandbox("clock/run")["running"] is True
    assert abs(shown(plane.read("clock")) - datetime.now(UTC)) < timedelta(seconds=30)
    assert other.read("clock")["now"] == NOON
