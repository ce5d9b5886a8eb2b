"""`treadle exec`: a command that finds a server in its environment, and leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.process import die_with_parent

ASK = """
import json, os, sys, urllib.request
body = {
    "client_id": os.environ["PLAID_CLIENT_ID"],
    "secret": os.environ["PLAID_SECRET"],
    "institution_id": "ins_109508",
    "initial_products": ["auth"],
}
request = urllib.request.Request(
    os.environ["PLAID_BASE_URL"] + "/sandbox/public_token/create",
    json.dumps(body).encode(),
    {"Content-Type": "application/json"},
)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(os.environ["PLAID_ENV"], json.load(opener.open(request))["public_token"], *sys.argv[1:])
"""


def test_a_command_finds_the_server(treadle: Run) -> None:
    outcome = treadle("exec", "--", sys.executable, "-c", ASK, "--seed", "mine")
    assert outcome.code == 0, outcome.err
    environment, token, *arguments = outcome.out.split()
    assert (environment, arguments) == ("sandbox", ["--seed", "mine"])
    assert token.startswith("public-sandbox-")


def test_the_same_seed_and_clock_give_the_same(treadle: Run) -> None:
    options = ["--seed", "loom", "--clock", "2026-01-31T12:00:00Z"]
    first, second = (treadle("exec", *options, sys.executable, "-c", ASK) for _ in range(2))
    assert first.out == second.out != ""


def test_data_is_kept_where_asked(treadle: Run, tmp_path: Path) -> None:
    assert treadle("exec", "--data", "kept", "--", "true").code == 0
    assert (tmp_path / "kept" / "treadle.db").exists()


@pytest.mark.parametrize(
    ("command", "code"),
    [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -15 $$", 143)],
)
def test_the_status_is_the_commands(treadle: Run, command: str, code: int) -> None:
    assert treadle("exec", "--", "sh", "-c", command).code == code


def test_a_command_that_is_not_there(treadle: Run) -> None:
    outcome = treadle("exec", "--", "no-such-command")
    assert (outcome.code, outcome.out) == (127, "")
    assert outcome.err == "no-such-command: No such file or directory\n"


def test_a_server_that_does_not_start_runs_no_command(treadle: Run, tmp_path: Path) -> None:
    outcome = treadle("exec", "--clock", "yesterday", "--", "touch", "ran")
    assert outcome.code == 1
    assert "yesterday" in outcome.err
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_is_told_to_end(tmp_path: Path, number: int) -> None:
    """It ends in its own way, and the server after it."""
    script = "trap 'echo ended; exit 5' INT TERM; echo $PLAID_BASE_URL; while :; do sleep 0.1; done"
    process = subprocess.Popen(
        [sys.executable, "-m", "treadle", "exec", "--", "sh", "-c", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(),
        start_new_session=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    time.sleep(0.2)
    if number == signal.SIGINT:
        # As a terminal does: to all that run in it.
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert process.stdout.read() == "ended\n"
    assert process.wait(20) == 5
    port = url.rpartition(":")[2]
    listening = subprocess.run(
        [sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}))"],
        capture_output=True,
        check=False,
    )
    assert listening.returncode != 0
