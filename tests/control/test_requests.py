"""The log of requests: what was asked and answered, without anything that must not be kept."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.control.plane import LISTING, Planned, over, own_client
from tests.promises.database import query
from tests.support.flows import unknown_token
from tests.support.raw import cli
from tests.support.server import Server

Serve = Callable[..., Server]


def test_a_request_is_told_with_its_answer(plane: Planned) -> None:
    answer = plane.list_institutions()
    [request] = plane.requests(request_id=answer["request_id"])
    assert (request["method"], request["path"]) == ("POST", "/institutions/get")
    assert (request["status"], request["error_code"]) == (200, None)
    assert (request["decision"], request["reason"], request["fault_id"]) == ("allowed", None, None)
    given = {"client_id": plane.client_id, "secret": "…", **LISTING}
    assert request["request"] == given
    assert request["response"] == answer.body
    assert 0 < request["milliseconds"] < 10_000


def test_the_newest_come_first_and_can_be_paged(plane: Planned) -> None:
    ids = [plane.list_institutions()["request_id"] for _ in range(5)][::-1]
    assert [one["request_id"] for one in plane.requests()] == ids
    assert [one["request_id"] for one in plane.requests(count=2, offset=1)] == ids[1:3]


def test_it_can_be_searched(plane: Planned) -> None:
    plane.list_institutions()
    plane.post("/item/get", access_token=unknown_token("access"))
    plane.post("/item/get", access_token="nonsense")
    plane.post("/auth/get", access_token="nonsense")
    assert len(plane.requests(path="/item/get")) == 2
    assert len(plane.requests(error_code="INVALID_ACCESS_TOKEN")) == 3
    assert len(plane.requests(path="/item/get", error_code="INVALID_ACCESS_TOKEN")) == 2
    assert plane.requests(path="/item") == []
    assert plane.requests(request_id="nobody's") == []


def test_it_tells_what_the_gate_decided_and_why(plane: Planned) -> None:
    item = plane.link()
    token = plane.mint(item)
    plane.permit(token, "identity")
    plane.redeem(token, "auth")
    plane.post("/sandbox/item/reset_login", access_token=item.access_token)
    plane.post("/auth/get", access_token=item.access_token)
    plane.exchange(item.public_token)
    plane.post("/item/remove", access_token=item.access_token)
    plane.post("/item/get", access_token=item.access_token)
    refused = [one for one in plane.requests() if one["decision"] == "refused"][::-1]
    assert [(one["path"], one["error_code"], one["reason"]) for one in refused] == [
        ("/processor/auth/get", "INVALID_PRODUCT", "the token is narrowed to identity"),
        ("/auth/get", "ITEM_LOGIN_REQUIRED", "the Item is in ITEM_LOGIN_REQUIRED"),
        (
            "/item/public_token/exchange",
            "INVALID_PUBLIC_TOKEN",
            "the token was used up or rotated",
        ),
        ("/item/get", "ITEM_NOT_FOUND", "the Item was removed"),
    ]


def test_of_anothers_token_it_tells_no_more_than_the_answer(plane: Planned, other: Planned) -> None:
    item = plane.link()
    processor = plane.mint(item)
    told = []
    for token, field in (
        (item.access_token, "access_token"),
        (unknown_token("access"), "access_token"),
        (processor, "processor_token"),
        (unknown_token("processor"), "processor_token"),
    ):
        path = "/item/get" if field == "access_token" else "/processor/account/get"
        other.post(path, **{field: token})
        [request] = other.requests(count=1)
        varying = {"request_id", "answered_at", "milliseconds", "response"}
        told.append({name: one for name, one in request.items() if name not in varying})
    assert told[0] == told[1]
    assert told[2] == told[3]


def test_what_never_came_to_the_gate_is_told(plane: Planned) -> None:
    plane.post("/item/get")
    plane.post("/no/such/path")
    plane.post("/auth/verify")
    codes = [(one["path"], one["error_code"], one["decision"]) for one in plane.requests()]
    assert ("/item/get", "MISSING_FIELDS", None) in codes
    assert ("/no/such/path", "NOT_FOUND", None) in codes


def test_it_is_its_clients_alone(plane: Planned, other: Planned) -> None:
    mine = plane.list_institutions()["request_id"]
    theirs = other.list_institutions()["request_id"]
    assert [one["request_id"] for one in plane.requests()] == [mine]
    assert plane.requests(request_id=theirs) == []


def test_who_does_not_prove_to_be_the_client_adds_nothing(server: Server, plane: Planned) -> None:
    liar = Planned(server.url, plane.client_id, "wrong")
    liar.list_institutions()
    liar.post("/item/get")
    liar.post("/no/such/path")
    httpx.post(f"{server.url}/item/get", content=b"{", trust_env=False)
    assert plane.requests() == []


def test_whatever_they_bring_takes_nobodys_place(server: Server, plane: Planned) -> None:
    mine = plane.list_institutions()["request_id"]
    strange: tuple[object, ...] = ("a\0b", "\ud800", 1, [], {})
    for client_id in strange:
        body = json.dumps({"client_id": client_id, "secret": "wrong"}).encode()
        httpx.post(f"{server.url}/no/such/path", content=body, trust_env=False)
    assert [one["request_id"] for one in plane.requests()] == [mine]


@pytest.mark.parametrize("path", ["/item/get", "/treadle/sandbox/clock", "/no/such/path"])
def test_a_body_where_none_belongs_is_masked(server: Server, plane: Planned, path: str) -> None:
    headers = {"PLAID-CLIENT-ID": plane.client_id, "PLAID-SECRET": plane.secret}
    body = b'{"override_password": "planted-5f2c9d"'
    for content in (body, body + b"}"):
        url = f"{server.url}{path}"
        httpx.request("GET", url, headers=headers, content=content, trust_env=False)
    assert len(plane.requests(path=path)) == 2
    assert "planted-5f2c9d" not in plane.read("requests").raw.decode()


def test_looking_leaves_no_trace(plane: Planned) -> None:
    plane.requests()
    plane.requests(count=1)
    plane.post("/treadle/webhooks/get", after=0)
    assert plane.requests() == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"count": 0}, "INVALID_FIELD"),
        ({"count": 501}, "INVALID_FIELD"),
        ({"count": "many"}, "INVALID_FIELD"),
        ({"count": "-1"}, "INVALID_FIELD"),
        ({"count": "9" * 40}, "INVALID_FIELD"),
        ({"offset": "²"}, "INVALID_FIELD"),
        ({"path": "x" * 201}, "INVALID_FIELD"),
        ({"path": "a\0b"}, "INVALID_FIELD"),
        ({"code": "x"}, "UNKNOWN_FIELDS"),
        ({"secret": "x"}, "UNKNOWN_FIELDS"),
    ],
)
def test_bad_queries_are_refused(plane: Planned, given: dict[str, Any], code: str) -> None:
    answer = plane.read("requests", **given)
    assert (answer.status, answer.code) == (400, code), answer.raw


@pytest.mark.parametrize("asked", ["count=1&count=2", "a=1&" * 40])
def test_queries_that_are_none_are_refused(server: Server, plane: Planned, asked: str) -> None:
    headers = {"PLAID-CLIENT-ID": plane.client_id, "PLAID-SECRET": plane.secret}
    url = f"{server.url}/treadle/sandbox/requests?{asked}"
    answer = httpx.get(url, headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_BODY")


def test_a_get_without_headers_says_what_is_missing(server: Server) -> None:
    url = f"{server.url}/treadle/sandbox/requests"
    for asked, code in (("", "MISSING_FIELDS"), ("?client_id=a&secret=b", "UNKNOWN_FIELDS")):
        answer = httpx.get(url + asked, trust_env=False)
        assert (answer.status_code, answer.json()["error_code"]) == (400, code)
    headers = {"PLAID-CLIENT-ID": "client_sandbox", "PLAID-SECRET": "wrong"}
    answer = httpx.get(url, headers=headers, trust_env=False)
    assert answer.json()["error_code"] == "INVALID_API_KEYS"


def test_large_bodies_are_told_by_their_size(plane: Planned) -> None:
    access = {"access_token": plane.link("transactions").access_token}
    dates = {"start_date": "2020-01-01", "end_date": "2030-01-01"}
    answer = plane.post("/transactions/get", **access, **dates, options={"count": 500})
    plane.post("/item/get", access_token="x" * 20_000)
    assert len(answer.raw) > 16_384
    [request] = plane.requests(path="/transactions/get")
    assert request["response"] == {"left_out": f"{len(answer.raw)} bytes"}


def test_a_long_reason_is_cut(plane: Planned) -> None:
    item = plane.link()
    mint = {"access_token": item.access_token, "account_id": item.checking}
    plane.post("/processor/token/create", **mint, processor="x" * 20_000)
    [request] = plane.requests(path="/processor/token/create")
    assert request["reason"] == f"there is no {'x' * 188}"


def test_only_the_newest_are_kept(serve: Serve, store: list[str]) -> None:
    server = serve("--requests-kept", "20", *store)
    plane, other = own_client(server), own_client(server)
    other.list_institutions()
    ids = []
    for _ in range(3):
        ids += [plane.list_institutions()["request_id"] for _ in range(15)]
        assert len(plane.requests()) <= 20
    assert [one["request_id"] for one in plane.requests()] == ids[:-21:-1]
    rows = query(server, f"SELECT * FROM requests WHERE client_id = '{plane.client_id}'")
    assert len(rows) == 20
    assert len(other.requests()) == 1


def test_it_can_be_turned_off(serve: Serve) -> None:
    server = serve("--requests-kept", "0")
    plane = own_client(server)
    plane.list_institutions()
    assert plane.requests() == []


def test_it_is_written_down_at_the_end(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    plane = own_client(server)
    answer = plane.list_institutions()
    server.restart()
    found = over(server, plane).requests()
    assert [one["request_id"] for one in found] == [answer["request_id"]]


@pytest.mark.slow
def test_what_other_workers_served_is_told_soon(serve: Serve, store: list[str]) -> None:
    server = serve("--workers", "2", *store)
    plane = over(server, own_client(server))
    ids = {plane.list_institutions()["request_id"] for _ in range(30)}
    deadline = time.monotonic() + 10
    while True:
        found = {one["request_id"] for one in plane.requests()}
        if found >= ids or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert found == ids


def test_the_command_shows_them(server: Server, plane: Planned) -> None:
    item = plane.link()
    token = plane.mint(item)
    plane.permit(token, "identity")
    refused = plane.redeem(token, "auth").body["request_id"]
    plane.requests()
    output = cli(server, "requests", "--client-id", plane.client_id)
    head, *lines = output.splitlines()
    assert head.split()[:4] == ["time", "method", "path", "status"]
    # The latest stands last, where the eye is.
    assert "/processor/auth/get" in lines[-1]
    assert f"{refused}  INVALID_PRODUCT (the token is narrowed to identity)" in lines[-1]
    assert token not in output
    found = cli(server, "requests", "--client-id", plane.client_id, "--code", "INVALID_PRODUCT")
    assert len(found.splitlines()) == 2
    one = cli(server, "requests", "--client-id", plane.client_id, "--request-id", refused)
    assert len(one.splitlines()) == 2
    two = cli(server, "requests", "--client-id", plane.client_id, "--count", "2")
    assert len(two.splitlines()) == 3


def test_no_request_forges_a_line_of_the_command(server: Server, plane: Planned) -> None:
    item = plane.link()
    mint = {"access_token": item.access_token, "account_id": item.checking}
    plane.post("/processor/token/create", **mint, processor="a\n\x1b[2J\u202eforged")
    plane.post("/a%0Aforged%1B")
    plane.requests()
    lines = cli(server, "requests", "--client-id", plane.client_id).splitlines()[1:]
    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("forged") for line in lines)


def test_the_command_follows(serve: Serve) -> None:
    server = serve()
    plane = own_client(server)
    first = plane.list_institutions()["request_id"]
    plane.requests()
    command = [sys.executable, "-m", "treadle", "requests", "--follow", "--data", str(server.data)]
    command += ["--client-id", plane.client_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert first in process.stdout.readline()
        more = [plane.list_institutions()["request_id"] for _ in range(3)]
        followed = [process.stdout.readline() for _ in more]
        process.terminate()
    assert [one in line for one, line in zip(more, followed, strict=True)] == [True] * 3
