"""What is old is deleted, and what is left can still be verified."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.control.plane import own_client
from tests.promises.database import address, execute, query, records
from tests.support.raw import Api, cli, run_cli
from tests.support.server import Server

pytestmark = pytest.mark.slow

Serve = Callable[..., Server]


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def verify(server: Server, *options: str) -> tuple[int, str, str]:
    result = run_cli(server, "audit", "verify", *options)
    return result.returncode, result.stdout, result.stderr


def test_a_trimmed_chain_is_verified_from_where_it_begins(
    serve: Serve, store: list[str], tmp_path: Path
) -> None:
    server = serve("--audit-days", "2", *store)
    client = own_client(server)
    linked = client.link()
    client.mint(linked)
    heads = tmp_path / "heads.txt"
    heads.write_text(verify(server)[1])
    old = len(records(server, client.client_id))
    client.sandbox("clock/advance", days=3)
    client.mint(linked)
    server.restart()
    wait_until(lambda: records(server, client.client_id)[-1]["action"] == "audit.trim")
    # The clock was moved by an entry of its own, on the day that it came from.
    left = [record["action"] for record in records(server, client.client_id)]
    assert left == ["processor_token.create", "audit.trim"]
    sql = f"SELECT sequence FROM audit WHERE client_id = '{client.client_id}' ORDER BY sequence"
    [first, last] = query(server, sql)
    assert first["sequence"] > old
    code, said, remarks = verify(server, "--heads", str(heads))
    assert code == 0
    assert f"{client.client_id} {last['sequence']} " in said
    assert f"{client.client_id}: up to {first['sequence'] - 1} they were deleted" in remarks
    # Of a chain that is not old nothing is gone.
    assert "client_sandbox" in said
    assert "client_sandbox:" not in remarks
    # Whoever deletes one more, or changes the first, is found.
    number = first["sequence"]
    place = f"client_id = '{client.client_id}' AND sequence = {number}"
    execute(server, f"UPDATE audit SET entry = entry || ' ' WHERE {place}")
    assert f"entry {number} or its hash was changed" in verify(server)[2]
    execute(server, f"DELETE FROM audit WHERE {place}")
    assert f"{client.client_id}: entry 1 is missing" in verify(server)[2]


def run_in_production(server: Server, store: list[str]) -> None:
    """A server that was stopped, with its data; a sandbox deletes no tokens."""
    cli(server, "client", "rotate-secret", "client_sandbox")
    server.args = ("--environment", "production", *store)
    server.start()


def test_tokens_that_were_over_long_ago_are_deleted(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    api = Api(server.url)
    for _ in range(4):
        api.mint(api.link())
    [one, two, three, four] = query(server, "SELECT item_id FROM items ORDER BY item_id")
    server.stop()
    month = 31 * 86_400_000_000
    for item, column, other, age in (
        (one, "ended_at", "expires_at", month),
        (two, "expires_at", "ended_at", month),
        (three, "ended_at", "expires_at", month // 2),
    ):
        at = time.time_ns() // 1_000 - age
        where = f"WHERE item_id = '{item['item_id']}'"
        execute(server, f"UPDATE tokens SET {column} = {at}, {other} = NULL {where}")
    run_in_production(server, store)

    def kinds(item: dict[str, str]) -> list[str]:
        sql = f"SELECT kind FROM tokens WHERE item_id = '{item['item_id']}' ORDER BY kind"
        return [row["kind"] for row in query(server, sql)]

    wait_until(lambda: kinds(one) == kinds(two) == ["processor"])
    assert kinds(three) == kinds(four) == ["access", "processor", "public"]


def size(server: Server) -> int:
    """What the table takes; of SQLite the whole file."""
    if address(server) is None:
        [row] = query(server, "SELECT page_count AS pages FROM pragma_page_count")
        return int(row["pages"]) * 4_096
    # What autovacuum would do within a minute or two.
    execute(server, "VACUUM tokens")
    [row] = query(server, "SELECT pg_total_relation_size('tokens') AS size")
    return int(row["size"])


def make_tokens_that_are_over(server: Server, count: int) -> None:
    month_ago = time.time_ns() // 1_000 - 31 * 86_400_000_000
    digest, numbers = (
        (
            "randomblob(32)",
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {count})",
        )
        if address(server) is None
        else (
            "sha256(random()::text::bytea)",
            f"WITH n(i) AS (SELECT * FROM generate_series(1, {count}))",
        )
    )
    execute(
        server,
        "INSERT INTO tokens (digest, token_id, pepper_id, kind, client_id, item_id, created_at,"
        f" ended_at) {numbers} SELECT {digest}, 'over-' || i, '1', 'access', 'client_sandbox',"
        f" 'item-' || i, 0, {month_ago} FROM n",
    )


def test_a_table_that_churns_keeps_its_size(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    server.stop()
    run_in_production(server, store)
    sizes = []
    for _ in range(4):
        make_tokens_that_are_over(server, 4_000)
        server.restart()
        wait_until(lambda: query(server, "SELECT count(*) AS n FROM tokens")[0]["n"] == 0)
        sizes.append(size(server))
    # PostgreSQL recycles pages of an index one round later.
    assert sizes[0] > 400_000
    assert max(sizes) <= 1.2 * sizes[1]
