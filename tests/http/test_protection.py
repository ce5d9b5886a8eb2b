"""The list of host names, the limit on requests in flight, and what the log tells."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.http.lines import CREDENTIALS, Line
from tests.support.raw import Api
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server
from treadle.app import open_services
from treadle.http.errors import ApiError
from treadle.http.headers import HostCheck
from treadle.http.limits import Load
from treadle.http.pipeline import Pipeline
from treadle.operations import load_areas
from treadle.settings import Settings

GET = "/institutions/get"
GOOD = msgspec.json.encode(CREDENTIALS | {"count": 1, "offset": 0, "country_codes": ["US"]})
LOG_LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (?P<method>[A-Z]+) (?P<path>\S+) (?P<status>\d{3}) "
    r"(?P<code>\S+) (?P<time>\d+\.\d)ms (?P<id>[0-9A-Za-z]{15})"
)


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "127.0.0.1", "[::1]"])
def test_names_of_loopback_pass(line: Line, name: str) -> None:
    port = line.host.partition(":")[2]
    for host in (name, f"{name}:{port}", f"{name}:1"):
        assert line.post(GET, GOOD, f"Host: {host}").code == "OK"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
        "127.0.0.2",
        "0.0.0.0",
        "localhost:80:80",
        "localhost:x",
        "localhost@evil.example",
        "localhost,evil.example",
        "::1",
        "",
        "\xff",
    ],
)
def test_other_names_are_refused(line: Line, host: str) -> None:
    reply = line.post(GET, GOOD, f"Host: {host}")
    assert (reply.status, reply.code) == (400, "INVALID_HEADERS")
    assert "--allowed-host" in reply.message
    line.check_good()


def test_other_names_are_refused_before_anything_else(line: Line) -> None:
    assert line.post("/nothing", b"{", "Host: evil.example").code == "INVALID_HEADERS"


def test_allowed_names_pass(serve: Callable[..., Server]) -> None:
    server = serve("--allowed-host", "treadle.test", "--allowed-host", "Other.Test")
    with Line(server) as line:
        for host in ("treadle.test", "TREADLE.test:1", "other.test", "localhost"):
            assert line.post(GET, GOOD, f"Host: {host}").code == "OK", host
        for host in ("x.treadle.test", "treadle.test.x", "test"):
            assert line.post(GET, GOOD, f"Host: {host}").code == "INVALID_HEADERS", host


def test_any_name_passes_where_others_reach_the_server() -> None:
    HostCheck(None).check({b"host": b"anything"})
    HostCheck(None).check({})
    with pytest.raises(ApiError):
        HostCheck([]).check({})


def test_the_load_sheds_what_is_over_its_limit() -> None:
    load = Load(2)

    def room(*, urgent: bool = False) -> Load:
        return load.room(urgent=urgent)

    with room(), room():
        for urgent in (False, True, False):
            with pytest.raises(ApiError) as caught, room(urgent=urgent):
                pass
            assert (caught.value.kind.status, caught.value.kind.error_code) == (429, "RATE_LIMIT")
    with room(), room():
        pass


def test_a_request_that_fails_gives_its_place_back() -> None:
    load = Load(1)
    for _ in range(3):
        with pytest.raises(RuntimeError), load:
            raise RuntimeError
    with load:
        pass


Message = dict[str, Any]


async def _shed(folder: Path) -> list[tuple[int, bytes]]:
    """Three requests to an application that takes two, of which the first two take their time."""
    settings = Settings(data=folder, max_requests_in_flight=2)
    services = await open_services(settings)
    pipeline = Pipeline(services, load_areas())
    go_on = asyncio.Event()
    answers: list[tuple[int, bytes]] = []

    async def request(*, waits: bool) -> None:
        sent: list[Message] = []

        async def receive() -> Message:
            if waits:
                await go_on.wait()
            return {"type": "http.request", "body": GOOD, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": GET, "headers": headers}
        await pipeline(scope, receive, send)
        answers.append((sent[0]["status"], b"".join(sent[0]["pieces"])))

    slow = [asyncio.create_task(request(waits=True)) for _ in range(2)]
    await asyncio.sleep(0)
    await request(waits=False)
    go_on.set()
    await asyncio.gather(*slow)
    await request(waits=False)
    pipeline.close()
    await services.store.close()
    return answers


def test_the_application_sheds_and_recovers(tmp_path: Path) -> None:
    shed, *served = asyncio.run(_shed(tmp_path))
    assert shed[0] == 429
    assert msgspec.json.decode(shed[1])["error_code"] == "RATE_LIMIT"
    assert [status for status, _ in served] == [200, 200, 200]


@pytest.fixture
def logged(serve: Callable[..., Server]) -> Server:
    return serve()


def lines_of(server: Server, count: int) -> list[re.Match[str]]:
    """The log's lines about requests, once there are enough."""
    deadline = time.monotonic() + 5
    while True:
        found = [one for row in server.log().splitlines() if (one := LOG_LINE.fullmatch(row))]
        if len(found) >= count or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


def test_one_line_for_each_request(logged: Server) -> None:
    with Line(logged) as line:
        replies = [
            line.post(GET, GOOD),
            line.post(GET, b"{"),
            line.post("/nothing", b"{}"),
            line.post("/item/get", GOOD, method="PUT"),
        ]
    lines = lines_of(logged, 4)
    assert [(one["method"], one["path"], one["status"], one["code"]) for one in lines] == [
        ("POST", GET, "200", "-"),
        ("POST", GET, "400", "INVALID_BODY"),
        ("POST", "/nothing", "404", "NOT_FOUND"),
        ("PUT", "/item/get", "404", "NOT_FOUND"),
    ]
    assert [one["id"] for one in lines] == [reply.body["request_id"] for reply in replies]


def test_no_request_writes_a_line_of_its_own(logged: Server) -> None:
    forged = "2026-01-01T00:00:00Z%20POST%20/forged%20200%20-%201.0ms%20aaaaaaaaaaaaaaa"
    with Line(logged) as line:
        line.post(f"/%0A{forged}%0A", GOOD)
        line.post("/%1b[31m%0d%e2%80%a8", GOOD)
    lines_of(logged, 1)
    logged.stop()
    log = logged.log()
    assert not [row for row in log.splitlines() if row.startswith("2026-01-01")]
    assert "\x1b" not in log
    assert "\r" not in log


def test_no_secret_or_token_is_logged(logged: Server) -> None:
    api = Api(logged.url)
    linked = api.link("auth", "identity")
    processor_token = api.mint(linked)
    assert api.redeem(processor_token, "auth").code == "OK"
    numbers = api.redeem(processor_token, "auth")["numbers"]["ach"]
    with Line(logged) as line:
        marker = "access-sandbox-11111111-1111-4111-8111-111111111111"
        line.call("/item/get", access_token=marker)
        line.post("/item/get", f'{{"access_token": "{marker}"'.encode())
        line.post(GET, GOOD, "PLAID-CLIENT-ID: left-in-header", "PLAID-SECRET: hidden-in-header")
        line.post(f"{GET}?secret=hidden-in-query", GOOD)
    lines_of(logged, 9)
    logged.stop()
    banner, _, log = logged.log().partition("Stripe:")
    assert SECRET in banner
    assert "POST /item/get 400" in log
    for text in (
        SECRET,
        CLIENT_ID,
        marker,
        linked.access_token,
        linked.public_token,
        processor_token,
        "hidden-in-",
        numbers["account"],
    ):
        assert text not in log
