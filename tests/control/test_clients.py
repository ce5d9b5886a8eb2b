"""Further clients: each is a world of its own, and its maker's to delete."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.control.plane import Planned, own_client
from tests.promises.database import execute, query, records
from tests.support.server import Server

Fill = Callable[[Server, str, int], None]


def test_a_client_that_was_made_works_at_once(server: Server, plane: Planned) -> None:
    made = plane.sandbox("clients", name="Worker 1", processors=["dwolla", "dwolla", "alpaca"])
    assert re.fullmatch("[0-9a-f]{24}", made["client"]["client_id"])
    assert re.fullmatch("[0-9a-f]{30}", made["secret"])
    assert made["client"]["name"] == "Worker 1"
    assert made["client"]["processors"] == ["dwolla", "alpaca"]
    worker = Planned(server.url, made["client"]["client_id"], made["secret"])
    assert worker.list_institutions().code == "OK"
    # It is a partner for the tokens of others.
    assert worker.redeem(plane.mint(plane.link(), "alpaca")).code == "OK"
    assert plane.read("clients")["clients"] == [made["client"]]


def test_the_secret_is_told_once_and_kept_nowhere(server: Server, plane: Planned) -> None:
    made = plane.sandbox("clients")
    assert made["secret"] not in plane.read("clients").raw.decode()
    rows = query(server, f"SELECT * FROM clients WHERE made_by = '{plane.client_id}'")
    assert len(rows) == 1
    assert made["secret"] not in str(rows)


def test_a_deleted_client_is_gone_with_all_it_had(server: Server, plane: Planned) -> None:
    made = plane.sandbox("clients", processors=[])
    worker = Planned(server.url, made["client"]["client_id"], made["secret"])
    token = worker.mint(worker.link())
    worker.fault("latency", seconds=0.001)
    own = worker.sandbox("clients", name="Made by the worker")["client"]
    assert worker.requests()
    answer = plane.sandbox("clients/delete", made_client_id=worker.client_id)
    assert answer.code == "OK"
    assert worker.list_institutions().code == "INVALID_API_KEYS"
    assert worker.redeem(token).code == "INVALID_API_KEYS"
    for table in ("faults", "requests", "accounts"):
        found = query(server, f"SELECT * FROM {table} WHERE client_id = '{worker.client_id}'")
        assert found == [], table
    # What it had made is its maker's now.
    assert plane.read("clients")["clients"] == [own]
    assert plane.sandbox("clients/delete", made_client_id=own["client_id"]).code == "OK"


def test_making_and_deleting_are_recorded(server: Server, plane: Planned) -> None:
    made = plane.sandbox("clients")["client"]["client_id"]
    plane.sandbox("clients/delete", made_client_id=made)
    found = [(one["action"], one["actor"]) for one in records(server, made)]
    assert found == [("client.create", plane.client_id), ("client.remove", plane.client_id)]


def test_another_client_sees_and_deletes_none_of_them(plane: Planned, other: Planned) -> None:
    made = plane.sandbox("clients")["client"]["client_id"]
    assert other.read("clients")["clients"] == []
    answers = [
        other.sandbox("clients/delete", made_client_id=one)
        for one in (made, plane.client_id, other.client_id, "client_sandbox", "nobody")
    ]
    assert {answer.code for answer in answers} == {"INVALID_FIELD"}
    assert len({answer.body["error_message"] for answer in answers}) == 1
    assert [one["client_id"] for one in plane.read("clients")["clients"]] == [made]


def test_an_id_is_given_once(plane: Planned, other: Planned) -> None:
    name = f"chosen_{plane.client_id[-20:]}"
    assert plane.sandbox("clients", new_client_id=name)["client"]["client_id"] == name
    assert other.sandbox("clients", new_client_id=name).code == "INVALID_FIELD"
    plane.sandbox("clients/delete", made_client_id=name)
    again = plane.sandbox("clients", new_client_id=name)
    assert again.body["error_message"] == "new_client_id must be an id that no client has or had"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": ""}, "INVALID_FIELD"),
        ({"name": "x" * 101}, "INVALID_FIELD"),
        ({"name": 1}, "INVALID_FIELD"),
        ({"processors": ["nobody"]}, "INVALID_FIELD"),
        ({"processors": "dwolla"}, "INVALID_FIELD"),
        ({"processors": [None]}, "INVALID_FIELD"),
        ({"new_client_id": ""}, "INVALID_FIELD"),
        ({"new_client_id": "a b"}, "INVALID_FIELD"),
        ({"new_client_id": "a\n"}, "INVALID_FIELD"),
        ({"new_client_id": "x" * 65}, "INVALID_FIELD"),
        ({"new_client_id": "operator"}, "INVALID_FIELD"),
        ({"webhook": "https://shop.example"}, "UNKNOWN_FIELDS"),
    ],
)
def test_bad_input_makes_nothing(plane: Planned, fields: dict[str, object], code: str) -> None:
    answer = plane.sandbox("clients", **fields)
    assert (answer.status, answer.code) == (400, code)
    assert plane.read("clients")["clients"] == []


@pytest.fixture
def fill(store: list[str]) -> Fill:
    """A function that adds so many clients that another one has made."""
    columns = "client_id, name, secret_digest, pepper_id, processors, counter, created_at, made_by"
    digest = "''" if store else "X''"

    def add(server: Server, maker: str, count: int) -> None:
        execute(
            server,
            f"INSERT INTO clients ({columns}) WITH RECURSIVE numbers (number) AS "
            f"(SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {count}) "
            f"SELECT '{maker}-' || number, 'n', {digest}, '1', '[]', 0, 0, '{maker}' FROM numbers",
        )

    return add


def test_each_may_make_so_many(serve: Callable[..., Server], store: list[str], fill: Fill) -> None:
    server = serve(*store)
    plane, other = own_client(server), own_client(server)
    fill(server, plane.client_id, 999)
    last = plane.sandbox("clients")["client"]["client_id"]
    full = plane.sandbox("clients")
    assert (full.status, full.code) == (400, "SANDBOX_LIMIT_REACHED")
    # That is nobody else's limit.
    assert other.sandbox("clients").code == "OK"
    plane.sandbox("clients/delete", made_client_id=last)
    assert plane.sandbox("clients").code == "OK"


def test_there_are_no_more_than_so_many(
    serve: Callable[..., Server], store: list[str], fill: Fill
) -> None:
    server = serve(*store)
    plane = own_client(server)
    for maker in range(9):
        fill(server, f"maker-{maker}", 1_000)
    fill(server, "maker-9", 998)
    assert plane.sandbox("clients").code == "OK"
    assert plane.sandbox("clients").code == "SANDBOX_LIMIT_REACHED"
    assert plane.read("clients").code == "OK"
