"""`/healthz` says that the process lives, `/readyz` that it can serve."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable

from tests.running.lines import GOOD, PATH, LastLine
from tests.running.processes import wait_until
from tests.support.postgres import PostgresServer
from tests.support.server import Server

Serve = Callable[..., Server]


def ready(server: Server) -> tuple[int, str]:
    with LastLine(server) as line:
        reply = line.post("/readyz", b"", method="GET")
        return reply.status, json.loads(reply.raw)["status"]


def alive(server: Server) -> bool:
    with LastLine(server) as line:
        return line.post("/healthz", b"", method="GET").status == 200


def test_a_server_with_its_database_is_ready(server: Server) -> None:
    assert ready(server) == (200, "ready")


def test_a_server_that_stops_is_not_ready(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    with LastLine(server) as line:
        assert line.post(PATH, GOOD).code == "OK"
        os.kill(server.pid, signal.SIGTERM)
        time.sleep(0.25)
        reply = line.post("/readyz", b"", method="GET")
        assert (reply.status, json.loads(reply.raw)) == (503, {"status": "stopping"})


def test_a_server_without_its_database_lives_and_is_not_ready(
    serve: Serve, postgres: PostgresServer
) -> None:
    server = serve("--database", postgres.create_database())
    assert ready(server) == (200, "ready")
    postgres.halt()
    assert ready(server) == (503, "no database")
    assert alive(server)
    postgres.resume()
    wait_until(lambda: ready(server) == (200, "ready"))


def test_a_silent_database_is_not_waited_for(serve: Serve, postgres: PostgresServer) -> None:
    server = serve("--database", postgres.create_database())
    postgres.signal_all(signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert ready(server) == (503, "no database")
        assert ready(server) == (503, "no database")
        assert time.monotonic() - started < 6
        assert alive(server)
    finally:
        postgres.signal_all(signal.SIGCONT)
    wait_until(lambda: ready(server) == (200, "ready"))
