"""What is too much is refused with the API's own error, revocations are not, and it passes."""

from __future__ import annotations

import fcntl
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.running.lines import LastLine
from tests.running.locks import locked_file, locked_table
from tests.running.processes import wait_until
from tests.support.postgres import PostgresServer
from tests.support.raw import Answer, Api, Linked
from tests.support.server import Server

Serve = Callable[..., Server]

DATES = {"start_date": "2020-01-01", "end_date": "2030-01-01"}


def timed(call: Callable[[], Answer]) -> tuple[Answer, float]:
    started = time.monotonic()
    answer = call()
    return answer, time.monotonic() - started


def assert_shed(answer: Answer) -> None:
    assert answer.status == 429, answer.raw
    assert answer.body["error_type"] == "RATE_LIMIT_EXCEEDED"
    assert answer.body["error_code"] == "RATE_LIMIT"


def read_transactions(server: Server, linked: Linked, count: int) -> list[tuple[Answer, float]]:
    """So many requests at the same time, on as many connections."""

    def ask(_: int) -> tuple[Answer, float]:
        api = Api(server.url)
        try:
            token = linked.access_token
            return timed(lambda: api.post("/transactions/get", access_token=token, **DATES))
        finally:
            api.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


def test_a_database_that_is_too_slow_is_waited_for_in_bounds(
    serve: Serve, postgres_url: Callable[[], str]
) -> None:
    url = postgres_url()
    server = serve("--database", url, "--database-timeout-seconds", "2")
    api = Api(server.url)
    linked = api.link("transactions")
    with locked_table(url, "entries"):
        # Some wait for the lock, and for lack of connections the rest for them.
        answers = read_transactions(server, linked, 40)
    for answer, _ in answers:
        assert_shed(answer)
    quick = [seconds for _, seconds in answers if seconds < 1.7]
    assert len(quick) >= 20
    assert max(seconds for _, seconds in answers) < 6
    wait_until(lambda: all(one.status == 200 for one, _ in read_transactions(server, linked, 4)))


def test_what_takes_access_away_finds_a_connection(
    serve: Serve, postgres_url: Callable[[], str]
) -> None:
    url = postgres_url()
    server = serve("--database", url, "--database-connections", "4")
    api = Api(server.url)
    linked = api.link("transactions", "auth")
    processor_token = api.mint(linked)
    with locked_table(url, "entries"), ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_transactions, server, linked, 12)
        time.sleep(0.5)
        assert_shed(api.redeem(processor_token, "auth"))
        permitted, seconds = timed(lambda: api.permit(processor_token, "identity"))
        assert permitted.status == 200
        assert seconds < 1
        token = linked.access_token
        new = api.post("/item/access_token/invalidate", access_token=token)["new_access_token"]
        with LastLine(server) as line:
            assert line.post("/readyz", b"", method="GET").status == 200
        assert not reading.done()
    assert api.post("/item/get", access_token=token).code == "INVALID_ACCESS_TOKEN"
    assert api.post("/item/get", access_token=new).code == "OK"


def test_a_database_that_stands_still_is_not_waited_for(
    serve: Serve, postgres: PostgresServer
) -> None:
    server = serve("--database", postgres.create_database(), "--database-timeout-seconds", "1")
    api = Api(server.url)
    linked = api.link("transactions")
    postgres.signal_all(signal.SIGSTOP)
    try:
        answers = read_transactions(server, linked, 20)
    finally:
        postgres.signal_all(signal.SIGCONT)
    for answer, seconds in answers:
        assert_shed(answer)
        assert seconds < 6
    wait_until(lambda: api.post("/item/get", access_token=linked.access_token).code == "OK")
    assert server.stop() == 0


def test_nothing_of_a_change_that_was_shed_is_kept(
    serve: Serve, postgres_url: Callable[[], str]
) -> None:
    url = postgres_url()
    server = serve("--database", url, "--database-timeout-seconds", "1")
    api = Api(server.url)
    linked = api.link()
    with locked_table(url, "audit"):
        assert_shed(api.post("/item/access_token/invalidate", access_token=linked.access_token))
    assert api.post("/item/get", access_token=linked.access_token).code == "OK"


def test_another_program_that_writes_to_the_file_is_waited_for_in_bounds(serve: Serve) -> None:
    server = serve("--database-timeout-seconds", "1")
    api = Api(server.url)
    linked = api.link()
    token = api.mint(linked)
    with locked_file(server):
        refused, seconds = timed(
            lambda: api.post("/item/access_token/invalidate", access_token=linked.access_token)
        )
        assert_shed(refused)
        assert 0.8 < seconds < 4
        # What only reads needs no lock.
        assert api.redeem(token, "auth").code == "OK"
    assert api.post("/item/get", access_token=linked.access_token).code == "OK"
    api.mint(linked)


def test_another_process_of_treadle_that_hangs_is_waited_for_in_bounds(serve: Serve) -> None:
    server = serve("--database-timeout-seconds", "1")
    api = Api(server.url)
    linked = api.link()
    invalidate = "/item/access_token/invalidate"
    with (server.data / "treadle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused, seconds = timed(lambda: api.post(invalidate, access_token=linked.access_token))
        assert_shed(refused)
        assert 0.8 < seconds < 4
    assert api.post(invalidate, access_token=linked.access_token).code == "OK"


def test_a_share_of_what_is_served_at_once_is_kept(serve: Serve, store: list[str]) -> None:
    server = serve(*store, "--max-requests-in-flight", "16")
    api = Api(server.url)
    token = api.mint(api.link())
    with ExitStack() as stack:
        lines = [stack.enter_context(LastLine(server)) for _ in range(14)]
        endings = [line.begin() for line in lines]
        time.sleep(0.3)
        assert_shed(api.redeem(token))
        assert api.permit(token, "identity").status == 200
        for line, ending in zip(lines, endings, strict=True):
            line.send(ending)
        assert Counter(line.read().code for line in lines) == {"OK": 14}
    assert api.redeem(token, "identity").code == "OK"
