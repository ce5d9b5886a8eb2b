"""`treadle serve`: what it says, what it refuses, how it stops."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Run
from tests.support.raw import Api, cli
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server
from treadle import __version__
from treadle.cli import main

Serve = Callable[..., Server]


def options_of(command: click.Command) -> set[str]:
    return {name for one in command.params for name in one.opts if isinstance(one, click.Option)}


def test_help_tells_how_to_begin(treadle: Run) -> None:
    outcome = treadle("--help")
    assert outcome.code == 0
    for text in ("treadle serve", "client", "TREADLE_", "Plaid API", "base URL"):
        assert text in " ".join(outcome.out.split())


def commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in main.commands.items():
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": one for inner, one in command.commands.items()}
        else:
            found[name] = command
    return found


@pytest.mark.parametrize("name", commands())
def test_every_option_is_explained(treadle: Run, name: str) -> None:
    command = commands()[name]
    outcome = treadle(*name.split(), "--help")
    assert outcome.code == 0
    assert command.help
    for option in (one for one in command.params if isinstance(one, click.Option)):
        assert option.help, option.name
        assert option.opts[0] in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())


def test_serve_has_the_options_it_needs() -> None:
    wanted = "host port data database environment workers allowed-host strict-partners seed clock"
    wanted += " stripe-key stripe-url"
    assert {f"--{name}" for name in wanted.split()} <= options_of(main.commands["serve"])


def test_version(treadle: Run) -> None:
    assert __version__ in treadle("--version").out


def test_a_taken_port_is_said_plainly(treadle: Run) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        outcome = treadle("serve", "--port", str(port))
    assert outcome.code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in outcome.err
    assert "--port" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ("--environment production --seed a", 2, "--seed"),
        ("--environment production --clock 2026-01-31", 2, "--clock"),
        ("--clock yesterday", 2, "--clock"),
        ("--environment development", 2, "development"),
        ("--stripe-key sk_live_hidden", 2, "live Stripe key is refused in sandbox"),
        ("--stripe-key rk_live_hidden", 2, "live Stripe key is refused in sandbox"),
        (
            "--environment production --stripe-key sk_test_hidden",
            2,
            "test Stripe key is refused in production",
        ),
        ("--stripe-key pk_test_hidden", 2, "must start with sk_ or rk_"),
        ("--database mysql://a:hidden@localhost/b", 1, "use postgresql://"),
        ("--database postgresql://a:hidden@127.0.0.1:1/b", 1, "cannot reach"),
        ("--port 65536", 2, "--port"),
        ("--port x", 2, "--port"),
        ("--workers 0", 2, "--workers"),
        ("--host 203.0.113.1", 1, "cannot listen on 203.0.113.1"),
        ("--host no.such.invalid", 1, "cannot listen on no.such.invalid"),
        ("--data notes.txt", 2, "--data"),
        ("--what", 2, "--what"),
        ("extra", 2, "extra"),
    ],
)
def test_refusals(treadle: Run, tmp_path: Path, arguments: str, code: int, text: str) -> None:
    (tmp_path / "notes.txt").write_text("")
    if "--port" not in arguments:
        arguments += " --port 0"
    outcome = treadle("serve", *arguments.split())
    assert outcome.code == code, outcome.err
    assert text in outcome.err
    for word in ("Traceback", "hidden", "base URL"):
        assert word not in outcome.err


def test_a_data_folder_that_cannot_be_used_is_said_plainly(treadle: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "keys.json").write_text("{}")
    (data / "keys.json").chmod(0o600)
    outcome = treadle("serve", "--port", "0")
    assert outcome.code == 1
    assert "keys.json" in outcome.err
    (data / "keys.json").chmod(0o644)
    assert "chmod 600" in treadle("serve", "--port", "0").err
    (data / "keys.json").unlink()
    (data / "treadle.db").write_text("These are my notes.\n" * 100)
    outcome = treadle("serve", "--port", "0")
    assert outcome.code == 1
    assert "not a usable SQLite database" in outcome.err
    assert "Traceback" not in outcome.err


def test_the_banner_is_all_that_one_needs_to_begin(serve: Serve) -> None:
    server = serve()
    log = server.log()
    for text in (server.url, CLIENT_ID, SECRET, __version__, "sandbox", str(server.data)):
        assert text in log
    match = re.search(r"curl .*?'\n", log, re.DOTALL)
    assert match is not None
    command = shlex.split(match[0].replace("\\\n", " "))
    result = subprocess.run([*command, "-sS"], capture_output=True, text=True, check=False)
    assert '"public_token":"public-sandbox-' in result.stdout, result.stderr


def test_the_banner_of_production_publishes_nothing(serve: Serve) -> None:
    server = serve("--environment", "production")
    log = server.log()
    assert "production" in log
    assert CLIENT_ID not in log
    assert SECRET not in log
    api = Api(server.url)
    assert api.post("/sandbox/public_token/create").code in ("SANDBOX_ONLY", "INVALID_API_KEYS")
    listing = api.post("/institutions/get", count=1, offset=0, country_codes=["US"])
    assert listing.code == "INVALID_API_KEYS"


def test_production_is_refused_where_a_published_secret_is_valid(
    serve: Serve, store: list[str]
) -> None:
    sandbox = serve(*store)
    sandbox.stop()
    with pytest.raises(RuntimeError, match="secret of its client_sandbox is published"):
        serve("--environment", "production", *store, data=sandbox.data)
    cli(sandbox, "client", "rotate-secret", CLIENT_ID)
    production = serve("--environment", "production", *store, data=sandbox.data)
    assert Api(production.url).post("/categories/get").code == "OK"
    assert Api(production.url).post("/item/get", access_token="a").code == "INVALID_API_KEYS"


def test_the_database_password_is_not_shown(serve: Serve, postgres_url: Callable[[], str]) -> None:
    url = postgres_url()
    assert "loopback-only" in url
    server = serve("--database", url)
    Api(server.url).link()
    server.stop()
    assert "loopback-only" not in server.log()


def test_a_sandbox_that_others_can_reach_says_so(treadle: Run, serve: Serve) -> None:
    assert "Careful" not in serve().log()
    assert "Careful" in serve("--host", "0.0.0.0").log()


def test_a_restart_keeps_the_data(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    api = Api(server.url)
    linked = api.link()
    processor_token = api.mint(linked)
    before = api.redeem(processor_token, "auth").body
    api.close()
    server.restart()
    again = Api(server.url)
    after = again.redeem(processor_token, "auth").body
    assert {**after, "request_id": ""} == {**before, "request_id": ""}
    assert again.post("/item/get", access_token=linked.access_token).code == "OK"


@pytest.mark.parametrize("arguments", [[], ["--workers", "2"]])
def test_it_stops_when_told_to(serve: Serve, arguments: list[str]) -> None:
    server = serve(*arguments)
    api = Api(server.url)
    api.link()
    # The connection stays open meanwhile.
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 5
    assert "Traceback" not in server.log()


def test_it_stops_at_an_interrupt(serve: Serve) -> None:
    server = serve()
    os.kill(server.pid, signal.SIGINT)
    deadline = time.monotonic() + 5
    while server.running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not server.running
    assert "Traceback" not in server.log()


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(one) for one in text.split()]


def serving(pid: int, port: int) -> int:
    """How many connections to this port a process holds."""
    pattern = re.compile(r"socket:\[(\d+)\]")
    held = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if match := pattern.fullmatch(os.readlink(link)):
                held.add(match[1])
        except FileNotFoundError:
            continue
    count = 0
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = row.split()
        established = fields[3] == "01"
        count += established and fields[1].endswith(f":{port:04X}") and fields[9] in held
    return count


def test_two_workers_both_answer(serve: Serve, store: list[str]) -> None:
    server = serve("--workers", "2", *store)
    linked = Api(server.url).link()
    apis: list[Api] = []
    workers: list[int] = []
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and len(workers) < 2:
        apis.append(Api(server.url))
        assert apis[-1].post("/item/get", access_token=linked.access_token).code == "OK"
        workers = [pid for pid in children(server.pid) if serving(pid, server.port)]
    assert len(workers) == 2
    for api in apis:
        assert api.post("/item/get", access_token=linked.access_token).code == "OK"


def test_no_colour_outside_a_terminal(serve: Serve) -> None:
    server = serve(env={"TERM": "xterm-256color"})
    api = Api(server.url)
    api.link()
    api.post("/nothing")
    server.stop()
    assert "404" in server.log()
    assert "\x1b" not in server.log()


def test_options_come_from_the_environment_too(serve: Serve) -> None:
    server = serve(env={"TREADLE_SERVE_SEED": "a", "TREADLE_SERVE_CLOCK": "2026-01-31T12:00:00Z"})
    other = serve(env={"TREADLE_SERVE_SEED": "a", "TREADLE_SERVE_CLOCK": "2026-01-31T12:00:00Z"})
    assert Api(server.url).public_token() == Api(other.url).public_token()


def test_what_only_some_requests_need_is_not_loaded_at_the_start() -> None:
    program = (
        "import sys; import treadle.serving; from treadle.operations import load_areas\n"
        "load_areas()\n"
        "late = {'alembic', 'jinja2', 'phonenumbers', 'rapidfuzz', 'starlette'}\n"
        "sys.exit(str(late & sys.modules.keys()) if late & sys.modules.keys() else None)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
