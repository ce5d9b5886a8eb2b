"""Whatever the body: an error in the API's shape, never a 500, and the connection lives on."""

from __future__ import annotations

import json

import pytest

from tests.http.lines import CREDENTIALS, Line
from tests.support.server import Server

GET = "/item/get"
PLAIN = json.dumps(CREDENTIALS)[1:-1]
UNKNOWN_TOKEN = "access-sandbox-00000000-0000-4000-8000-000000000000"


def with_token(text: str) -> bytes:
    """A request whose access token is this JSON text."""
    return f'{{{PLAIN}, "access_token": {text}}}'.encode()


def deep(depth: int) -> str:
    return "[" * depth + "]" * depth


BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "INVALID_BODY"),
    "blank": (b" \r\n", "INVALID_BODY"),
    "null": (b"null", "MISSING_FIELDS"),
    "object": (b"{}", "MISSING_FIELDS"),
    "array": (b"[]", "INVALID_BODY"),
    "number": (b"1", "INVALID_BODY"),
    "string": (b'"a"', "INVALID_BODY"),
    "true": (b"true", "INVALID_BODY"),
    "broken": (with_token('"a"')[:-1], "INVALID_BODY"),
    "two": (with_token('"a"') * 2, "INVALID_BODY"),
    "form": (b"client_id=a&secret=b", "INVALID_BODY"),
    "bad UTF-8": (with_token('"a"').replace(b"a", b"\xff"), "INVALID_BODY"),
    "bad UTF-8 in the token": (with_token('"a\u00ff"').decode().encode("latin-1"), "INVALID_BODY"),
    "UTF-16": (with_token('"a"').decode().encode("utf-16"), "INVALID_BODY"),
    "byte order mark": (b"\xef\xbb\xbf" + with_token('"a"'), "INVALID_BODY"),
    "NaN": (with_token("NaN"), "INVALID_BODY"),
    "infinity": (with_token("-Infinity"), "INVALID_BODY"),
    "NUL": (with_token(r'"a\u0000b"'), "INVALID_FIELD"),
    "raw NUL": (with_token('"a\x00b"'), "INVALID_BODY"),
    "NUL in the client id": (
        rb'{"client_id": "a\u0000", "secret": "b", "access_token": "c"}',
        "INVALID_FIELD",
    ),
    "NUL in the secret": (
        rb'{"client_id": "a", "secret": "\u0000", "access_token": "c"}',
        "INVALID_FIELD",
    ),
    "NUL in a name": (with_token('"a"')[:-1] + rb', "\u0000": 1}', "UNKNOWN_FIELDS"),
    "lone surrogate": (with_token(r'"\ud800"'), "INVALID_BODY"),
    "lone surrogate in a name": (with_token('"a"')[:-1] + rb', "\udc00": 1}', "INVALID_BODY"),
    "surrogate pair": (with_token(r'"\ud83d\ude00"'), "INVALID_ACCESS_TOKEN"),
    "repeated": (with_token('"a"')[:-1] + b', "access_token": "b"}', "INVALID_BODY"),
    "repeated, escaped": (with_token('"a"')[:-1] + rb', "\u0061ccess_token": "b"}', "INVALID_BODY"),
    "repeated credentials": (with_token('"a"')[:-1] + b', "client_id": "b"}', "INVALID_BODY"),
    "deep": (with_token(deep(10_000)), "INVALID_BODY"),
    "deep objects": (with_token('{"a":' * 10_000 + "1" + "}" * 10_000), "INVALID_BODY"),
    "deep and alone": (deep(10_000).encode(), "INVALID_BODY"),
    "less deep": (with_token(deep(50)), "INVALID_FIELD"),
    "too large": (with_token('"' + "a" * 10_485_760 + '"'), "INVALID_BODY"),
    "just too large": (with_token('"' + "a" * 1_048_576 + '"'), "INVALID_BODY"),
    "large": (with_token('"' + "a" * 1_000_000 + '"'), "INVALID_ACCESS_TOKEN"),
    "too many names": (
        ("{" + ",".join(f'"name{n}": 1' for n in range(50_000)) + "}").encode(),
        "MISSING_FIELDS",
    ),
    "number for text": (with_token("1"), "INVALID_FIELD"),
    "array for text": (with_token('["a"]'), "INVALID_FIELD"),
    "null for text": (with_token("null"), "INVALID_FIELD"),
    "long number": (with_token("9" * 400), "INVALID_FIELD"),
    "longer number": (with_token("9" * 5_000), "INVALID_BODY"),
}


@pytest.mark.parametrize("name", BODIES)
def test_the_error_has_the_shape_of_the_api(line: Line, name: str) -> None:
    body, code = BODIES[name]
    reply = line.post(GET, body)
    assert reply.status == 400, reply.raw
    assert reply.code == code, reply.raw
    line.check_good()


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 30, "9" * 400, "1.5", "-1"])
@pytest.mark.parametrize("name", ["count", "offset"])
def test_numbers_beyond_the_range(line: Line, name: str, number: str) -> None:
    fields = {"count": "1", "offset": "0"} | {name: number}
    numbers = ", ".join(f'"{key}": {value}' for key, value in fields.items())
    reply = line.post(
        "/institutions/get", f'{{{PLAIN}, {numbers}, "country_codes": ["US"]}}'.encode()
    )
    if name == "offset" and number.isdigit() and reply.status == 200:
        # The API sets no limit to an offset: nothing is that far.
        assert reply.body["institutions"] == []
    else:
        assert reply.status == 400, reply.raw
        assert reply.code in ("INVALID_FIELD", "INVALID_BODY"), reply.raw
    line.check_good()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"  \t\n"])
def test_space_around_the_body_is_nothing(line: Line, end: bytes) -> None:
    reply = line.post(GET, end + with_token(f'"{UNKNOWN_TOKEN}"') + end)
    assert reply.code == "INVALID_ACCESS_TOKEN"


@pytest.mark.parametrize("name", ["too large", "just too large"])
def test_what_is_too_large_is_told_the_limit(line: Line, name: str) -> None:
    assert line.post(GET, BODIES[name][0]).message == "body is larger than 1048576 bytes"


def test_chunked_bodies(line: Line) -> None:
    body = with_token('"a"')
    head = f"POST {GET} HTTP/1.1\r\nHost: {line.host}\r\nContent-Type: application/json\r\n"
    head += "Transfer-Encoding: chunked\r\n\r\n"
    for size in (1, 7, len(body)):
        parts = [body[start : start + size] for start in range(0, len(body), size)]
        line.send(head.encode())
        for part in parts:
            line.send(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        line.send(b"0\r\n\r\n")
        assert line.read().code == "INVALID_ACCESS_TOKEN"
    line.check_good()


def test_a_chunked_body_that_is_too_large(line: Line) -> None:
    head = f"POST {GET} HTTP/1.1\r\nHost: {line.host}\r\nContent-Type: application/json\r\n"
    line.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    for _ in range(160):
        line.send(chunk)
    line.send(b"0\r\n\r\n")
    assert line.read().code == "INVALID_BODY"
    line.check_good()


def test_a_body_that_arrives_byte_by_byte(line: Line) -> None:
    body = with_token('"a"')
    head = f"POST {GET} HTTP/1.1\r\nHost: {line.host}\r\nContent-Type: application/json\r\n"
    for byte in f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body:
        line.send(bytes([byte]))
    assert line.read().code == "INVALID_ACCESS_TOKEN"
    line.check_good()


def test_two_requests_sent_at_once_are_answered_in_order(line: Line) -> None:
    head = f"Host: {line.host}\r\nContent-Type: application/json\r\nContent-Length:"
    good = json.dumps(CREDENTIALS | {"count": 1, "offset": 0, "country_codes": ["US"]}).encode()
    first = f"POST {GET} HTTP/1.1\r\n{head} 2\r\n\r\n{{}}".encode()
    second = f"POST /institutions/get HTTP/1.1\r\n{head} {len(good)}\r\n\r\n".encode() + good
    line.send(first + second)
    received = b""
    while not received.endswith(b"}") or received.count(b"HTTP/1.1 ") < 2:
        received += line.socket.recv(65_536)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.index(b"MISSING_FIELDS") < received.index(b"HTTP/1.1 200 ")


def test_a_client_that_leaves_halfway_harms_nobody(server: Server, line: Line) -> None:
    head = f"POST {GET} HTTP/1.1\r\nHost: {line.host}\r\nContent-Type: application/json\r\n"
    for _ in range(20):
        with Line(server) as other:
            other.send(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    line.check_good()
    assert "Traceback" not in server.log()
