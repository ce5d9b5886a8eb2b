"""What Prometheus is told, and how it is kept within bounds."""

from __future__ import annotations

import os
import re
import signal
import urllib.request
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path

import psutil
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from tests.running.lines import LastLine
from tests.running.processes import wait_until, workers
from tests.support.process import free_port
from tests.support.raw import Api
from tests.support.receiver import Receiver
from tests.support.server import Server
from treadle.metrics.listener import answer
from treadle.metrics.metrics import Metrics
from treadle.recording.exchange import Exchange
from treadle.wire.operations import OPERATIONS

Serve = Callable[..., Server]
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
ROW = re.compile(r"^\| `(treadle_\w+)` \| ((?:`\w+`(?:, )?)*) ?\|", re.MULTILINE)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def text_of(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        return str(response.read().decode())


def series(port: int) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text_of(port))
        for sample in family.samples
    }


def value(port: int, name: str, **labels: str) -> float:
    return series(port).get((name, frozenset(labels.items())), 0.0)


def families() -> dict[str, set[str]]:
    """The metrics that there are, by the names under which they are fetched, with their labels."""
    registry: CollectorRegistry = Metrics().registry
    found = {}
    for family, collector in zip(registry.collect(), registry._collector_to_names, strict=True):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = set(collector._labelnames)
    return found


@pytest.mark.parametrize(
    ("milliseconds", "first_bound"),
    [(0.0, 0.001), (1.0, 0.001), (1.1, 0.0025), (250.0, 0.25), (10_000.0, 10.0), (99_000.0, inf)],
)
def test_a_latency_is_counted_in_every_bucket_that_it_is_within(
    milliseconds: float, first_bound: float
) -> None:
    metrics = Metrics()
    exchange = Exchange("POST", "/item/get", "id", operation="/item/get", milliseconds=milliseconds)
    metrics.request_ended(exchange)
    metrics.sample(0)
    name, labels = "treadle_request_seconds", {"path": "/item/get"}
    for bound in (0.001, 0.0025, 0.25, 10.0, inf):
        text = "+Inf" if bound == inf else str(bound)
        count = metrics.registry.get_sample_value(f"{name}_bucket", labels | {"le": text})
        assert count == (bound >= first_bound)
    assert metrics.registry.get_sample_value(f"{name}_sum", labels) == milliseconds / 1_000


def test_every_metric_is_documented() -> None:
    rows = {name: set(re.findall(r"\w+", labels)) for name, labels in ROW.findall(PAGE.read_text())}
    assert rows == families()


def test_a_file_that_a_worker_is_just_making_is_no_trouble(port: int, tmp_path: Path) -> None:
    (tmp_path / "counter_1.db").touch()
    answer("127.0.0.1", port, tmp_path)
    assert series(port) == {}


@pytest.mark.parametrize("number", [1, 3])
def test_all_workers_are_counted_together(
    serve: Serve, store: list[str], port: int, number: int
) -> None:
    server = serve(*store, "--workers", str(number), "--metrics-port", str(port))
    api = Api(server.url, keep_alive=False)
    linked = api.link()
    token = api.mint(linked)
    for _ in range(30):
        assert api.redeem(token, "auth").code == "OK"
    assert api.post("/item/get", access_token="access-sandbox-nothing").status == 400
    path = "/processor/auth/get"
    wait_until(lambda: value(port, "treadle_requests_total", path=path, code="OK") == 30)
    refused = {"path": "/item/get", "code": "INVALID_ACCESS_TOKEN"}
    wait_until(lambda: value(port, "treadle_requests_total", **refused) == 1)
    assert value(port, "treadle_request_seconds_count", path=path) == 30
    assert 0 < value(port, "treadle_request_seconds_sum", path=path) < 30
    wait_until(lambda: value(port, "treadle_workers") == number)
    assert value(port, "treadle_requests_in_flight") == 0
    assert value(port, "treadle_audit_entries_total") >= 3
    assert value(port, "treadle_database_calls_total", call="commit") >= 3
    assert value(port, "treadle_database_calls_total", call="read") >= 30
    assert value(port, "treadle_database_seconds_total", call="read") > 0
    batched = value(port, "treadle_commit_batched_changes_total")
    assert batched >= 3 if not store else batched == 0


def test_requests_in_flight_are_told(serve: Serve, port: int) -> None:
    server = serve("--metrics-port", str(port))
    with LastLine(server) as line:
        ending = line.begin()
        wait_until(lambda: value(port, "treadle_requests_in_flight") == 1)
        line.send(ending)
        assert line.read().code == "OK"
    wait_until(lambda: value(port, "treadle_requests_in_flight") == 0)


def test_counters_outlive_the_workers_that_counted(serve: Serve, port: int) -> None:
    server = serve("--workers", "2", "--metrics-port", str(port))
    api = Api(server.url, keep_alive=False)
    token = api.mint(api.link())
    for _ in range(10):
        api.redeem(token)
    before = workers(server)
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: not set(before) & set(workers(server)))
    assert value(port, "treadle_requests_total", path="/processor/account/get", code="OK") == 10
    # One that is killed does not stay counted as one that serves.
    psutil.Process(workers(server)[0]).kill()
    wait_until(lambda: value(port, "treadle_workers") == 2)
    assert value(port, "treadle_requests_total", path="/processor/account/get", code="OK") == 10


def test_labels_are_of_closed_sets(serve: Serve, port: int) -> None:
    server = serve("--metrics-port", str(port))
    api = Api(server.url)
    linked = api.link()
    token = api.mint(linked)
    for path in (f"/{token}", f"/item/get/{linked.access_token}", "/item/get", "/nowhere", "//"):
        api.post(path, access_token=token)
    wait_until(lambda: value(port, "treadle_requests_total", path="unknown", code="NOT_FOUND") == 4)
    for secret in (token, linked.access_token, linked.item_id, linked.checking, "client_sandbox"):
        assert secret not in text_of(port)
    for _, labels in series(port):
        given = dict(labels)
        assert given.keys() <= {"path", "code", "le", "call", "state"}
        path = given.get("path", "unknown")
        assert path == "unknown" or path in OPERATIONS or path.startswith("/treadle/")


def test_webhooks_are_counted_by_what_became_of_them(
    serve: Serve, receiver: Receiver, port: int
) -> None:
    server = serve("--metrics-port", str(port))
    api = Api(server.url)
    linked = api.link("transactions", webhook=f"{receiver.url}/hook")
    fire = {"webhook_code": "DEFAULT_UPDATE", "access_token": linked.access_token}
    assert api.post("/sandbox/item/fire_webhook", **fire).code == "OK"
    wait_until(lambda: value(port, "treadle_webhook_attempts_total", state="delivered") >= 1)
    wait_until(lambda: value(port, "treadle_webhooks_pending") == 0)


def test_webhooks_that_are_owed_are_counted(serve: Serve, port: int) -> None:
    server = serve("--metrics-port", str(port))
    api = Api(server.url)
    closed = f"http://127.0.0.1:{free_port()}/hook"
    linked = api.link("transactions", webhook=closed)
    fire = {"webhook_code": "DEFAULT_UPDATE", "access_token": linked.access_token}
    assert api.post("/sandbox/item/fire_webhook", **fire).code == "OK"
    wait_until(lambda: value(port, "treadle_webhook_attempts_total", state="pending") >= 1)
    wait_until(lambda: value(port, "treadle_webhooks_pending") >= 1)


def test_a_port_that_is_taken_is_said_plainly(serve: Serve, port: int) -> None:
    serve("--metrics-port", str(port))
    with pytest.raises(RuntimeError, match=f"cannot listen for metrics on 127.0.0.1:{port}"):
        serve("--metrics-port", str(port))
