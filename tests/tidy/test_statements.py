"""Every statement over the rows of clients names the client: one cannot reach another's."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from typing import Any

import pytest
from sqlalchemy import Delete, Insert, Select, Table, Update
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter

import treadle
from treadle.store import tables
from treadle.store.statements import Query, Write

# A token is found by its digest, which nobody has but who holds it, and the client found there
# scopes all that follows; the list of all clients is the operator's own.
EXCEPTIONS = {
    "treadle.tokens.rows.GRANT",
    "treadle.tokens.rows.MINTED_GRANT",
    "treadle.tokens.rows.PROCESSOR_GRANT",
    "treadle.clients.CLIENTS",
    # So is the list of all chains.
    "treadle.audit.chain.CHAINS",
    "treadle.audit.chain.COUNT",
    "treadle.metrics.sampling._COUNT_PENDING",
    # Clients that were made by another are found by that one; of all that were, only the number.
    "treadle.control.clients._MADE_BY",
    "treadle.control.clients._PASS_ON",
    "treadle.control.clients._COUNT_MADE",
    "treadle.control.clients._COUNT_MADE_BY",
    # Whoever is at the machine of a sandbox may work as any of its clients.
    "treadle.console.rows.NEWEST_CLIENTS",
    "treadle.console.rows.PARTNERS",
    # The delivery of webhooks serves all clients: it learns whose turn it is, and what is old.
    "treadle.webhooks.outbox.LINES_OWED",
    "treadle.webhooks.retention.OLD",
    # As a token is, so are a session and its token by secrets that nobody else has.
    "treadle.link.rows.TOKEN",
    "treadle.link.rows.HOSTED_TOKEN",
    "treadle.link.rows.SESSION",
    "treadle.link.rows.OAUTH_SESSION",
    # What is old is deleted for all clients alike.
    "treadle.link.retention.DELETE_TEXTS",
    "treadle.link.retention.FORGET_BODIES",
    "treadle.link.retention.OLD_TOKENS",
    "treadle.tokens.retention._PIECES",
    "treadle.idempotency.rows.OLD_ANSWERS",
    "treadle.idempotency.rows.OLD_KEYS",
}
# The stores themselves write the audit chains, each under its client, in SQL of their own.
OWNED = {table.name for table in tables.metadata.tables.values() if "client_id" in table.c}


def everything() -> dict[str, Query[Any] | Write]:
    """Every statement of the source, by the name it has there."""
    found: dict[int, tuple[str, Query[Any] | Write]] = {}
    for module_info in pkgutil.walk_packages(treadle.__path__, "treadle."):
        name = module_info.name
        if ".migrations" in name or name.endswith("__main__") or ".wire" in name:
            continue
        module = importlib.import_module(name)
        for attribute, value in vars(module).items():
            if isinstance(value, Query | Write) and _is_home(found, value, name, attribute):
                found[id(value)] = (f"{name}.{attribute}", value)
    for value in gc.get_objects():
        if isinstance(value, Query | Write) and id(value) not in found:
            statement = statement_of(value)
            found[id(value)] = (f"unnamed: {statement}", value)
    return dict(found.values())


def _is_home(found: dict[int, Any], value: object, module: str, attribute: str) -> bool:
    """Whether this is where a statement is made rather than a place that imports it."""
    if id(value) not in found:
        return True
    source = importlib.import_module(module).__file__
    assert source is not None
    with open(source) as file:
        return any(line.startswith(f"{attribute} = ") for line in file)


def statement_of(value: Query[Any] | Write) -> Any:
    return value.compiled._statement


# In an order that is the same in every process, as those that share the tests need it.
STATEMENTS = {
    name: value
    for name, value in sorted(everything().items())
    if not (name.startswith("unnamed") and "facts" in name)
}


def names_client(statement: Any) -> bool:
    """Whether the statement compares `client_id` with a parameter of its own."""
    for node in (
        visitors.iterate(statement.whereclause) if statement.whereclause is not None else ()
    ):
        if isinstance(node, BinaryExpression):
            column, other = node.left, node.right
            if getattr(column, "name", "") == "client_id" and isinstance(other, BindParameter):
                return True
    return False


def is_owned(statement: Any) -> bool:
    found = {node.name for node in visitors.iterate(statement) if isinstance(node, Table)}
    if isinstance(statement, Insert | Update | Delete):
        assert isinstance(statement.table, Table)
        found.add(statement.table.name)
    return bool(found & OWNED)


def test_the_statements_are_found() -> None:
    assert len(STATEMENTS) > 15
    assert STATEMENTS.keys() >= EXCEPTIONS
    assert {"items", "accounts", "tokens", "permissions", "stripe_tokens"} <= OWNED


@pytest.mark.parametrize("name", STATEMENTS)
def test_each_statement_names_the_client(name: str) -> None:
    value = STATEMENTS[name]
    statement = statement_of(value)
    if not is_owned(statement):
        return
    if isinstance(statement, Insert):
        columns = value.compiled.sqlite.text.partition("(")[2].partition(")")[0]
        assert "client_id" in columns.split(", ")
        return
    assert isinstance(statement, Select | Update | Delete)
    assert names_client(statement) != (name in EXCEPTIONS)


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_takes_all_there_is(name: str) -> None:
    statement = statement_of(STATEMENTS[name])
    if isinstance(statement, Update | Delete):
        assert statement.whereclause is not None
