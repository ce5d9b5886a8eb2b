"""`treadle doctor`: each mistake is named with what to do, and nothing is changed."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.control.plane import own_client
from tests.support import preloaded
from tests.support.process import free_port
from tests.support.raw import run_cli
from tests.support.server import Server

Serve = Callable[..., Server]


def doctor(server: Server, **environment: str) -> tuple[int, str]:
    """What it says of a server's own folder, port and database."""
    arguments = ["--port", str(server.port), "--data", str(server.data), *server.args]
    result = preloaded.run("doctor", *arguments, env=environment)
    assert result.stderr == ""
    return result.returncode, result.stdout


def test_a_server_that_is_well(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    code, said = doctor(server, PLAID_BASE_URL=server.url.replace("127.0.0.1", "localhost"))
    assert code == 0, said
    assert "WRONG" not in said
    kind = "PostgreSQL" if store else "SQLite"
    assert f"ok     database: {kind}" in said
    assert "Treadle answers" in said
    assert "ok     clock: fine" in said
    assert "ok     credentials of client_sandbox: fine" in said


def test_nothing_is_made(tmp_path: Path) -> None:
    server = Server(tmp_path / "none")
    code, said = doctor(server)
    assert code == 0
    assert "the first start makes it" in said
    assert "the port is free" in said
    assert list(tmp_path.iterdir()) == []


def test_credentials_of_the_app(server: Server) -> None:
    client = own_client(server)
    mine = {"PLAID_CLIENT_ID": client.client_id, "PLAID_SECRET": client.secret}
    assert f"ok     credentials of {client.client_id}: fine" in doctor(server, **mine)[1]
    code, said = doctor(server, PLAID_CLIENT_ID=client.client_id, PLAID_SECRET="other")
    assert code == 1
    assert f"WRONG  credentials of {client.client_id}: invalid client_id or secret" in said
    assert client.secret not in said


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("https://127.0.0.1:{port}", "Treadle speaks plain HTTP"),
        ("http://127.0.0.1:{port}/v1", "the paths of the API begin at the root"),
        ("http://127.0.0.1:9", "it leads elsewhere"),
        ("http://127.0.0.2:{port}", "it leads elsewhere"),
    ],
)
def test_a_wrong_base_url(server: Server, given: str, problem: str) -> None:
    url = given.format(port=server.port)
    code, said = doctor(server, PLAID_BASE_URL=url)
    assert code == 1
    assert f"WRONG  PLAID_BASE_URL={url}: {problem}" in said


def test_a_port_that_another_program_has(tmp_path: Path) -> None:
    server = Server(tmp_path / "none")
    server.port = free_port()
    with socket.create_server(("127.0.0.1", server.port)):
        code, said = doctor(server)
    assert code == 1
    assert "another program has the port: choose another --port" in said


def spoil_rights(data: Path) -> None:
    (data / "keys.json").chmod(0o644)


def spoil_keys(data: Path) -> None:
    (data / "keys.json").write_text("{}")


def lose_keys(data: Path) -> None:
    (data / "keys.json").unlink()


def spoil_database(data: Path) -> None:
    (data / "treadle.db").write_bytes(b"no database at all" * 1_000)


def outgrow(data: Path) -> None:
    with closing(sqlite3.connect(data / "treadle.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (spoil_rights, "can be read by other users; run: chmod 600"),
        (spoil_keys, "is not a key file"),
        (lose_keys, "put it back from a backup"),
        (spoil_database, "is not a usable SQLite database"),
        (outgrow, "was made by a newer Treadle"),
    ],
)
def test_a_folder_that_is_not_well(
    tmp_path: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    server = Server(tmp_path / "data")
    assert run_cli(server, "client", "list").returncode == 0
    assert doctor(server)[0] == 0
    spoil(server.data)
    code, said = doctor(server)
    assert code == 1
    assert problem in said


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    server = Server(tmp_path / "none", "--database", "postgresql://127.0.0.1:9/none")
    code, said = doctor(server)
    assert code == 1
    assert "WRONG  database: PostgreSQL does not let us in" in said
