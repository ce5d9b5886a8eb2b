"""What a request asks of the database is found by an index, however many rows there are.

PostgreSQL is told to look through no table where an index can be used, so that its plan does not
depend on how little an empty database holds.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from tests.tidy.test_statements import STATEMENTS
from treadle.keys import Keys
from treadle.store.opening import open_store

# What requests with tokens run, and what authenticates them.
HOT = (
    "treadle.audit.chain.HEAD",
    "treadle.bank.",
    "treadle.clients.",
    "treadle.idempotency.rows.",
    "treadle.signal.rows.",
    "treadle.tokens.",
    "treadle.webhooks.outbox.",
)
# Those of an operator, for all clients or all of one; one that reads a table by its key, and one
# that reads what is pending, of which an index holds nothing else.
WHOLE = {
    "treadle.clients.CLIENTS",
    "treadle.clients._MARK_STRIPE_TOKENS",
    "treadle.tokens.retention._PIECES",
    "treadle.webhooks.outbox.LINES_OWED",
}
CHOSEN = {
    name: value
    for name, value in STATEMENTS.items()
    if name.startswith(HOT) and name not in WHOLE and not name.startswith("unnamed")
}


def sqlite_plans(path: Path) -> dict[str, str]:
    plans = {}
    with closing(sqlite3.connect(path)) as connection:
        for name, value in CHOSEN.items():
            sql = value.compiled.sqlite.text
            blanks = [None] * sql.count("?")
            rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", blanks)
            plans[name] = "\n".join(row[3] for row in rows)
    return plans


async def postgres_plans(url: str) -> dict[str, str]:
    plans = {}
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan"
        )
        for name, value in CHOSEN.items():
            sql = value.compiled.postgresql.text
            blanks = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", sql))))
            await connection.execute(f"PREPARE one AS {sql}")
            rows = await connection.fetch(f"EXPLAIN EXECUTE one{f'({blanks})' if blanks else ''}")
            plans[name] = "\n".join(row[0] for row in rows)
            await connection.execute("DEALLOCATE one")
    finally:
        await connection.close()
    return plans


@pytest.mark.slow
def test_no_table_is_looked_through(url: str, store_kind: str, keys: Keys) -> None:
    async def prepare() -> None:
        await (await open_store(url, keys)).close()

    asyncio.run(prepare())
    assert len(CHOSEN) > 80
    if store_kind == "sqlite":
        plans = sqlite_plans(Path(url.removeprefix("sqlite:///")))
        scan = re.compile(r"\bSCAN (?!CONSTANT|json_each|anon_)")
    else:
        plans = asyncio.run(postgres_plans(url))
        # An index that is read for its order is read from end to end.
        scan = re.compile(r"Seq Scan|Index (?:Only )?Scan[^\n]*(?!\n\s*Index Cond)$", re.MULTILINE)
    found = {name: plan for name, plan in plans.items() if scan.search(plan)}
    assert found == {}
