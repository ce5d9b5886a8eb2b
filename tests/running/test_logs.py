"""Logs that programs read: JSON lines, with request ids and without secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.running.lines import LastLine
from tests.running.locks import locked_file, locked_table
from tests.running.processes import wait_until
from tests.support.raw import Api
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

Serve = Callable[..., Server]


def lines(server: Server, event: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in server.log().splitlines()]
    return [one for one in found if one["event"] == event]


def test_every_line_is_an_object(serve: Serve, store: list[str]) -> None:
    server = serve(*store, "--log-format", "json")
    api = Api(server.url)
    linked = api.link()
    token = api.mint(linked)
    good = api.redeem(token, "auth")
    bad = api.post("/item/get", access_token="access-sandbox-unknown")
    api.post("/forged\\nline")
    api.close()
    server.stop()
    (started,) = lines(server, "started")
    assert started["base_url"] == server.url
    requests = {one["request_id"]: one for one in lines(server, "request")}
    assert requests.keys() >= {good["request_id"], bad.body["request_id"]}
    line = requests[good["request_id"]]
    assert line.pop("time").endswith("Z")
    assert 0 < line.pop("milliseconds") < 10_000
    assert line == {
        "level": "info",
        "event": "request",
        "method": "POST",
        "path": "/processor/auth/get",
        "status": 200,
        "error_code": None,
        "request_id": good["request_id"],
        "client_id": CLIENT_ID,
    }
    assert requests[bad.body["request_id"]]["error_code"] == "INVALID_ACCESS_TOKEN"
    for secret in (SECRET, token, linked.access_token, linked.public_token):
        assert secret not in server.log()


def test_a_failure_has_its_traceback_on_the_line(
    serve: Serve, postgres_url: Callable[[], str]
) -> None:
    url = postgres_url()
    server = serve("--database", url, "--log-format", "json", "--database-timeout-seconds", "1")
    api = Api(server.url)
    linked = api.link()
    with locked_table(url, "audit"):
        shed = api.post("/item/access_token/invalidate", access_token=linked.access_token)
    server.stop()
    (line,) = lines(server, "treadle.error")
    assert (line["level"], line["request_id"]) == ("warning", shed.body["request_id"])
    assert shed.body["request_id"] in line["message"]


def test_slow_queries_are_named_without_their_values(
    serve: Serve, store: list[str], store_kind: str
) -> None:
    server = serve(*store, "--log-format", "json", "--slow-query-milliseconds", "0")
    api = Api(server.url)
    linked = api.link()
    answer = api.post("/item/access_token/invalidate", access_token=linked.access_token)
    wait_until(
        lambda: any(one["request_id"] == answer["request_id"] for one in lines(server, "request"))
    )
    server.stop()
    slow = [
        one for one in lines(server, "treadle.slow") if one["request_id"] == answer["request_id"]
    ]
    texts = " ".join(one["statements"] for one in slow)
    assert "FROM clients" in texts
    assert "UPDATE tokens" in texts or "INSERT INTO tokens" in texts
    assert ("$1" if store_kind == "postgres" else "?") in texts
    assert all(one["milliseconds"] >= 0 for one in slow)
    for secret in (SECRET, linked.access_token, linked.item_id, CLIENT_ID):
        assert secret not in texts


def test_what_is_quick_is_not_named(serve: Serve) -> None:
    server = serve("--slow-query-milliseconds", "700", "--database-timeout-seconds", "1")
    api = Api(server.url)
    linked = api.link()
    assert " ms for " not in server.log()
    with locked_file(server):
        api.post("/item/access_token/invalidate", access_token=linked.access_token)
    with LastLine(server) as line:
        assert line.post("/healthz", b"", method="GET").status == 200
    assert " ms for " in server.log()
