"""A server that is told to stop, or to replace its workers, loses no request."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.running.lines import GOOD, PATH, LastLine
from tests.running.load import Load
from tests.running.processes import wait_until, workers
from tests.support.server import Server

Serve = Callable[..., Server]


@pytest.mark.parametrize("arguments", [[], ["--workers", "2"]], ids=["alone", "workers"])
def test_what_is_in_flight_is_answered(
    serve: Serve, store: list[str], arguments: list[str]
) -> None:
    server = serve(*store, *arguments)
    with LastLine(server) as busy, LastLine(server) as waiting:
        assert waiting.post(PATH, GOOD).code == "OK"
        last = busy.begin()
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: refuses(server))
        busy.send(last)
        reply = busy.read()
        assert reply.code == "OK"
        assert reply.headers["connection"] == "close"
    wait_until(lambda: not server.running, 5)
    assert server.stop() == 0
    assert "Traceback" not in server.log()


def refuses(server: Server) -> bool:
    try:
        LastLine(server).socket.close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_request_on_its_way_when_the_server_stops_is_answered(serve: Serve) -> None:
    server = serve()
    with LastLine(server) as line:
        assert line.post(PATH, GOOD).code == "OK"
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: refuses(server))
        reply = line.post(PATH, GOOD)
        assert reply.code == "OK"
        assert reply.headers["connection"] == "close"


def test_a_request_that_does_not_end_is_not_waited_for(serve: Serve) -> None:
    server = serve("--stop-seconds", "1")
    with LastLine(server) as line:
        line.begin()
        time.sleep(0.3)
        started = time.monotonic()
        assert server.stop() == 0
        assert 0.9 < time.monotonic() - started < 5


def test_no_request_fails_while_workers_are_replaced(serve: Serve, store: list[str]) -> None:
    server = serve("--workers", "2", *store)
    with Load(server) as load:
        for _ in range(2):
            load.wait_for(200)
            before = set(workers(server))
            assert len(before) == 2
            os.kill(server.pid, signal.SIGHUP)
            wait_until(lambda before=before: len(set(workers(server)) - before) == 2)
            wait_until(lambda before=before: not before & set(workers(server)))
        load.wait_for(200)
    assert set(load.outcomes) == {"OK"}, load.outcomes
    assert load.outcomes["OK"] > 600
    assert server.stop() == 0
