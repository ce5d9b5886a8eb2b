"""`treadle.serve()`: it starts, it says why when it does not, and it never stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import treadle
from treadle.client import Refused
from treadle.running import StartFailed

pytestmark = pytest.mark.served

END_SECONDS = 20.0


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + END_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def is_free(url: str) -> bool:
    """Whether no process holds the port any more, neither the server nor a worker of it."""
    with socket.socket() as probe:
        return probe.connect_ex((urlsplit(url).hostname, urlsplit(url).port)) != 0


def children_of(parent: int) -> list[int]:
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True)
    pairs = (map(int, line.split()) for line in table.stdout.splitlines())
    return [pid for pid, its_parent in pairs if its_parent == parent]


def test_it_serves_as_long_as_the_block_lasts() -> None:
    with treadle.serve() as server:
        assert answers(server.base_url)
        assert server.client.clock.get().running
        assert server.base_url in repr(server)
        wait_until(lambda: "GET /treadle/sandbox/clock 200" in server.log)
    assert not answers(server.base_url)


def test_servers_side_by_side_share_nothing() -> None:
    with treadle.serve() as first, treadle.serve() as second:
        assert first.base_url != second.base_url
        made = first.client.clients.create().client
        assert list(first.client.clients.list()) == [made]
        assert list(second.client.clients.list()) == []


def test_arguments_are_those_of_the_command_line() -> None:
    with treadle.serve("--seed", "loom", "--clock", "2026-01-31T12:00:00Z") as server:
        assert server.client.seed.get().seeded
        assert server.client.clock.now().isoformat() == "2026-01-31T12:00:00+00:00"


def test_a_data_folder_that_is_named_is_kept(tmp_path: Path) -> None:
    with treadle.serve(data=tmp_path / "data") as server:
        made = server.client.clients.create().client
    with treadle.serve(data=tmp_path / "data") as server:
        assert list(server.client.clients.list()) == [made]


def test_the_environment_chooses_no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold those of a server for other ends, its database among them."""
    monkeypatch.setenv("TREADLE_SERVE_ENVIRONMENT", "production")
    with treadle.serve() as server:
        assert server.client.clock.get().running


def test_modules_of_the_working_folder_do_not_stand_in_for_the_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "click.py").write_text("raise SystemExit('the wrong click')")
    monkeypatch.chdir(tmp_path)
    with treadle.serve() as server:
        assert answers(server.base_url)


def test_a_refused_call_keeps_the_server() -> None:
    with treadle.serve() as server:
        with pytest.raises(Refused):
            server.client.call("/auth/get", access_token="nonsense")
        assert answers(server.base_url)


def test_a_failed_start_shows_what_was_written() -> None:
    with (
        pytest.raises(StartFailed, match=r"exit code 2:\n(.*\n)*.*--nonsense"),
        treadle.serve("--nonsense"),
    ):
        raise AssertionError("it started")


def test_a_start_that_takes_too_long_is_given_up() -> None:
    with (
        pytest.raises(StartFailed, match=r"no answer within 0\.01 s"),
        treadle.serve(start_seconds=0.01),
    ):
        raise AssertionError("it started")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_ends_with_the_process_that_started_it(workers: str) -> None:
    program = (
        "import sys, time, treadle\n"
        "with treadle.serve('--workers', sys.argv[1]) as server:\n"
        "    print(server.base_url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, workers], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert answers(url)
        [leader] = children_of(parent.pid)
        parent.kill()
    try:
        wait_until(lambda: is_free(url))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)


def test_importing_the_package_stays_cheap() -> None:
    program = (
        "import sys, treadle\n"
        "loaded = {'httpx', 'msgspec', 'subprocess', 'treadle.running'} & sys.modules.keys()\n"
        "sys.exit(loaded or None)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
