"""`treadle audit`: what was changed behind the server's back is found, and where."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from tests.control.plane import own_client
from tests.promises.database import address, audit, execute
from tests.support.raw import cli, run_cli
from tests.support.server import Server
from treadle.store.change import EMPTY_HASH, audit_hash

ENTRIES = 7


@pytest.fixture
def client_id(server: Server) -> str:
    return client_with_a_chain(server)


def client_with_a_chain(server: Server) -> str:
    """A client of which seven changes are recorded."""
    client = own_client(server)
    client.permit(client.mint(client.link()), "auth")
    client.close()
    return client.client_id


def verified(server: Server, *options: str) -> tuple[dict[str, str], str]:
    """What `verify` says of each whole chain, and what it complains of."""
    result = run_cli(server, "audit", "verify", *options)
    assert result.returncode == (1 if result.stderr else 0)
    return dict(line.split(" ", 1) for line in result.stdout.splitlines()), result.stderr


def test_a_whole_chain_is_told_by_its_head(server: Server, client_id: str) -> None:
    whole, _ = verified(server)
    _, heads = audit(server)
    [head] = [one for one in heads if one["client_id"] == client_id]
    assert whole[client_id] == f"{ENTRIES} {head['hash'].hex()}"


FORGERIES = {
    "UPDATE audit SET entry = replace(entry, 'item.create', 'item.remove') WHERE {it} = 2": (
        "entry 2 or its hash was changed"
    ),
    "UPDATE audit SET hash = (SELECT hash FROM audit WHERE {it} = 4) WHERE {it} = 3": (
        "entry 3 or its hash was changed"
    ),
    "DELETE FROM audit WHERE {it} = 1": "entry 1 is missing",
    "DELETE FROM audit WHERE {it} = 5": "entry 5 is missing",
    "DELETE FROM audit WHERE {it} = 7": "entry 7 is missing",
    "DELETE FROM audit WHERE {it} > 0": "entry 1 is missing",
    "UPDATE audit SET sequence = 8 WHERE {it} = 7": "entry 7 is missing",
    "UPDATE audit_heads SET sequence = 6 WHERE {it} = 7": "its head is not entry 7",
    "DELETE FROM audit_heads WHERE {it} = 7": "its head is not entry 7",
}


def test_the_first_broken_place_is_named(server: Server) -> None:
    forged = {client_with_a_chain(server): forgery for forgery in FORGERIES}
    for client_id, forgery in forged.items():
        execute(server, forgery.format(it=f"client_id = '{client_id}' AND sequence"))
    whole, complaints = verified(server)
    assert not forged.keys() & whole.keys()
    for client_id, forgery in forged.items():
        assert f"{client_id}: {FORGERIES[forgery]}" in complaints, forgery


def test_a_chain_in_anothers_name_is_noticed(server: Server, client_id: str) -> None:
    execute(
        server,
        *(
            f"UPDATE {table} SET client_id = 'not-{client_id}' WHERE client_id = '{client_id}'"
            for table in ("audit", "audit_heads")
        ),
    )
    assert f"not-{client_id}: entry 1 belongs to another chain" in verified(server)[1]


def write_anew(server: Server, client_id: str) -> None:
    """Leave the last entry out and have all hashes fit."""

    def literal(value: bytes) -> str:
        return f"X'{value.hex()}'" if address(server) is None else f"'\\x{value.hex()}'::bytea"

    entries, _ = audit(server)
    texts = [one["entry"] for one in entries if one["client_id"] == client_id][:-1]
    texts[0] = texts[0].replace("client.create", "client.forge")
    digest, statements = EMPTY_HASH, [f"DELETE FROM audit WHERE client_id = '{client_id}'"]
    for number, text in enumerate(texts, start=1):
        digest = audit_hash(digest, number, text.encode())
        quoted = text.replace("'", "''")
        statements.append(
            f"INSERT INTO audit VALUES ('{client_id}', {number}, '{quoted}', {literal(digest)})"
        )
    statements.append(
        f"UPDATE audit_heads SET sequence = {len(texts)}, hash = {literal(digest)} "
        f"WHERE client_id = '{client_id}'"
    )
    execute(server, *statements)


def test_a_chain_that_was_written_anew_is_noticed_by_a_head_kept_elsewhere(
    server: Server, client_id: str, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.txt"
    whole, _ = verified(server)
    kept.write_text(f"{client_id} {whole[client_id]}\n")
    assert client_id in verified(server, "--heads", str(kept))[0]
    write_anew(server, client_id)
    assert client_id in verified(server)[0]
    complaints = verified(server, "--heads", str(kept))[1]
    assert f"{client_id}: entry {ENTRIES}, whose hash was kept, is missing" in complaints
    new_head = verified(server)[0][client_id]
    kept.write_text(f"{client_id} 3 {'0' * 64}\n{client_id} {new_head}\n")
    complaints = verified(server, "--heads", str(kept))[1]
    assert f"{client_id}: entry 3 is not the one whose hash was kept" in complaints


def test_a_chain_that_is_gone_whole_is_missed_by_who_kept_its_head(
    server: Server, client_id: str, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(f"{client_id} {verified(server)[0][client_id]}\n")
    for table in ("audit", "audit_heads"):
        execute(server, f"DELETE FROM {table} WHERE client_id = '{client_id}'")
    assert f"{client_id}: entry {ENTRIES}" in verified(server, "--heads", str(kept))[1]


def test_a_file_of_heads_that_is_none_is_refused(server: Server, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("client_sandbox 1\n")
    result = run_cli(server, "audit", "verify", "--heads", str(kept))
    assert result.returncode == 1
    assert f"{kept}, line 1: this is not a client_id, a number and a hash" in result.stderr


def test_a_chain_is_verified_while_it_grows(server: Server) -> None:
    api = own_client(server)
    client_id = api.client_id
    access_token = api.link().access_token
    enough = threading.Event()

    def grow() -> None:
        while not enough.is_set():
            api.post("/item/webhook/update", access_token=access_token, webhook=None)

    growing = threading.Thread(target=grow)
    growing.start()
    try:
        lengths = [int(verified(server)[0][client_id].split()[0]) for _ in range(3)]
    finally:
        enough.set()
        growing.join()
    assert lengths == sorted(set(lengths))


def test_the_export_can_be_verified_by_anyone(server: Server, client_id: str) -> None:
    lines = [json.loads(line) for line in cli(server, "audit", "export", client_id).splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, ENTRIES + 1))
    texts = [
        line.partition('"entry":')[2][:-1]
        for line in cli(server, "audit", "export", client_id).splitlines()
    ]
    digest = EMPTY_HASH
    for line, text in zip(lines, texts, strict=True):
        digest = audit_hash(digest, line["sequence"], text.encode())
        assert line["hash"] == digest.hex()
    later = cli(server, "audit", "export", client_id, "--after", "5").splitlines()
    assert [json.loads(line) for line in later] == lines[5:]
