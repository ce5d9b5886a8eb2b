"""Credentials, headers, paths and methods, on the wire."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from tests.http.lines import CREDENTIALS, Line
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

GET = "/institutions/get"
FIELDS = {"count": 1, "offset": 0, "country_codes": ["US"]}
GOOD = json.dumps(CREDENTIALS | FIELDS).encode()
BARE = json.dumps(FIELDS).encode()
MISSING = "the following required fields are missing: "
NOT_EMPTY = "must be a properly formatted, non-empty string"


def fields(**more: Any) -> bytes:
    return json.dumps(FIELDS | more).encode()


def test_credentials_in_the_body(line: Line) -> None:
    assert line.post(GET, GOOD).code == "OK"


def test_credentials_in_the_headers(line: Line) -> None:
    reply = line.post(GET, BARE, f"PLAID-CLIENT-ID: {CLIENT_ID}", f"PLAID-SECRET: {SECRET}")
    assert reply.code == "OK"


def test_one_in_the_headers_and_one_in_the_body(line: Line) -> None:
    assert line.post(GET, fields(secret=SECRET), f"PLAID-CLIENT-ID: {CLIENT_ID}").code == "OK"
    assert line.post(GET, fields(client_id=CLIENT_ID), f"PLAID-SECRET: {SECRET}").code == "OK"


def test_headers_win(line: Line) -> None:
    right = (f"PLAID-CLIENT-ID: {CLIENT_ID}", f"PLAID-SECRET: {SECRET}")
    assert line.post(GET, fields(client_id="a", secret="b"), *right).code == "OK"
    wrong = (f"PLAID-CLIENT-ID: {CLIENT_ID}", "PLAID-SECRET: b")
    assert line.post(GET, GOOD, *wrong).code == "INVALID_API_KEYS"


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({}, MISSING + "client_id, secret"),
        ({"client_id": CLIENT_ID}, MISSING + "secret"),
        ({"secret": SECRET}, MISSING + "client_id"),
        ({"client_id": None, "secret": SECRET}, f"client_id {NOT_EMPTY}"),
        ({"client_id": CLIENT_ID, "secret": None}, f"secret {NOT_EMPTY}"),
        ({"client_id": "", "secret": SECRET}, f"client_id {NOT_EMPTY}"),
        ({"client_id": CLIENT_ID, "secret": ""}, f"secret {NOT_EMPTY}"),
        ({"client_id": 1, "secret": SECRET}, f"client_id {NOT_EMPTY}"),
        ({"client_id": CLIENT_ID, "secret": ["a"]}, f"secret {NOT_EMPTY}"),
    ],
)
def test_incomplete_credentials(line: Line, credentials: dict[str, Any], message: str) -> None:
    reply = line.post(GET, fields(**credentials))
    assert reply.code == ("MISSING_FIELDS" if message.startswith(MISSING) else "INVALID_FIELD")
    assert reply.message == message


def test_incomplete_credentials_are_named_with_all_else_that_is_missing(line: Line) -> None:
    assert line.post(GET, b"{}").message == (
        MISSING + "client_id, secret, count, offset, country_codes"
    )
    header = f"PLAID-CLIENT-ID: {CLIENT_ID}"
    assert line.post("/item/get", b"{}", header).message == MISSING + "secret, access_token"


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        (CLIENT_ID, "wrong"),
        ("wrong", SECRET),
        (CLIENT_ID.upper(), SECRET),
        (CLIENT_ID, f"{SECRET} "),
        (SECRET, CLIENT_ID),
        ("ä✓", "ä✓"),
        ("a" * 100_000, SECRET),
        ("' OR 1=1 --", SECRET),
    ],
)
def test_wrong_credentials(line: Line, client_id: str, secret: str) -> None:
    reply = line.post(GET, fields(client_id=client_id, secret=secret))
    assert (reply.status, reply.code) == (400, "INVALID_API_KEYS")


@pytest.mark.parametrize("value", ["\xff\xe4", "a\tb", "' --", "a" * 10_000])
def test_odd_credentials_in_headers(line: Line, value: str) -> None:
    reply = line.post(GET, BARE, f"PLAID-CLIENT-ID: {value}", f"PLAID-SECRET: {value}")
    assert (reply.status, reply.code) == (400, "INVALID_API_KEYS")
    line.check_good()


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
def test_header_names_in_any_case(line: Line, change: Any) -> None:
    names = ("plaid-client-id", "plaid-secret", "content-type", "plaid-version")
    values = (CLIENT_ID, SECRET, "application/json", "2020-09-14")
    headers = [f"{change(name)}: {value}" for name, value in zip(names, values, strict=True)]
    assert line.post(GET, BARE, *headers).code == "OK"


def test_the_version(line: Line) -> None:
    assert line.post(GET, GOOD).headers["plaid-version"] == "2020-09-14"
    assert line.post(GET, GOOD, "Plaid-Version: 2020-09-14").code == "OK"
    for version in ("2019-05-29", "2018-05-22", "", "latest", "2020-09-14, 2020-09-14"):
        reply = line.post(GET, GOOD, f"Plaid-Version: {version}")
        assert reply.code == "INVALID_HEADERS"
        assert "Plaid-Version" in reply.message


@pytest.mark.parametrize(
    "value",
    [
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        " application/json ",
    ],
)
def test_content_types_that_are_json(line: Line, value: str) -> None:
    assert line.post(GET, GOOD, f"Content-Type: {value}").code == "OK"


@pytest.mark.parametrize(
    "value",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json+x",
        "multipart/form-data; boundary=a",
        "\xe4",
    ],
)
def test_content_types_that_are_not(line: Line, value: str) -> None:
    assert line.post(GET, GOOD, f"Content-Type: {value}").code == "INVALID_BODY"
    line.check_good()


def test_without_content_type(line: Line) -> None:
    reply = line.post(GET, GOOD, "Content-Type")
    assert reply.code == "INVALID_HEADERS"
    assert "Content-Type" in reply.message
    line.check_good()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/item/get/",
        "/Item/get",
        "//item/get",
        "/item//get",
        "/v1/item/get",
        "/item%2Fget/x",
        "/..%2f..%2fetc%2fpasswd",
        "/%ff",
        "/%00",
        "/" + "a" * 5_000,
    ],
)
def test_paths_that_do_not_exist(line: Line, path: str) -> None:
    reply = line.post(path, GOOD)
    assert (reply.status, reply.code, reply.message) == (404, "NOT_FOUND", "not found")
    line.check_good()


def test_operations_of_the_api_that_are_not_there_yet_say_so(line: Line) -> None:
    reply = line.call("/transfer/create")
    assert reply.code == "NOT_IMPLEMENTED"
    assert "/transfer/create" in reply.message


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods(line: Line, method: str) -> None:
    reply = line.post(GET, GOOD, method=method)
    assert (reply.status, reply.code) == (404, "NOT_FOUND")
    assert not any(name.startswith("access-control") for name in reply.headers)
    line.check_good()


def test_head_has_no_body(line: Line) -> None:
    assert line.post(GET, b"", method="HEAD").status == 404
    line.check_good()


def test_a_query_changes_nothing(line: Line) -> None:
    assert line.post(f"{GET}?client_id=a&count=x", GOOD).code == "OK"


def test_health(line: Line) -> None:
    reply = line.post("/healthz", b"", method="GET")
    assert (reply.status, reply.body) == (200, {"status": "ok"})
    assert line.post("/healthz", GOOD).code == "NOT_FOUND"


def test_request_ids_are_new_each_time(line: Line) -> None:
    ids = [line.post(GET, GOOD if n % 2 else b"{").body["request_id"] for n in range(50)]
    assert len(set(ids)) == 50
    assert all(len(one) == 15 and one.isalnum() for one in ids)


def test_a_connection_serves_many_requests(line: Line) -> None:
    for number in range(200):
        body, code = ((GOOD, "OK"), (b"{}", "MISSING_FIELDS"), (b"[", "INVALID_BODY"))[number % 3]
        assert line.post(GET, body).code == code


def test_eight_connections_at_once(server: Server) -> None:
    codes: list[str] = []

    def work() -> None:
        with Line(server) as line:
            codes.extend(line.post(GET, GOOD).code for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == ["OK"] * 400


def test_an_ordinary_http_library_is_content(server: Server) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        for _ in range(3):
            response = client.post(GET, json=CREDENTIALS | FIELDS)
            assert response.status_code == 200
            assert response.json()["total"] >= 1
            assert response.headers["x-content-type-options"] == "nosniff"


def test_no_prose_about_the_server(line: Line) -> None:
    headers = line.post(GET, GOOD).headers
    assert "server" not in headers
    assert "x-powered-by" not in headers


def test_what_is_no_http_harms_nobody(server: Server, line: Line) -> None:
    for data in (b"\x16\x03\x01\x02\x00\x01\x00", b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 1_000):
        with Line(server) as other:
            other.send(data)
            other.socket.settimeout(0.2)
            try:
                other.socket.recv(1_000)
            except OSError:
                continue
    line.check_good()
    assert "Traceback" not in server.log()


def test_a_path_beyond_ascii(server: Server, line: Line) -> None:
    with Line(server) as other:
        other.send(b"POST /\xc3\xa9 HTTP/1.1\r\nHost: " + other.host.encode() + b"\r\n\r\n")
        answer = other.socket.recv(1_000)
    assert answer.split(b" ")[1] in (b"400", b"404")
    line.check_good()
    assert "Traceback" not in server.log()
