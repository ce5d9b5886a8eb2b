"""The client has every operation that the server has beside the API, with all of its fields."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from tests.client.conftest import access_token, link_token, processor_token
from tests.ingest.pushing import BANK, CUSTOMER
from tests.support.server import Server
from treadle.client import Treadle
from treadle.control.asking import Order
from treadle.control.openapi import request_type
from treadle.link.drive import Plan as ServersPlan
from treadle.operations import OWN, load_areas

load_areas()

METHODS = {
    "GET /treadle/coverage": "coverage",
    "GET /treadle/openapi.json": "openapi",
    "/treadle/processor_token/introspect": "processor_tokens.introspect",
    "/treadle/processor_token/give_back": "processor_tokens.give_back",
    "/treadle/processor_token/leaks/report": "processor_tokens.report_leaks",
    "/treadle/processor_token/page/create": "processor_tokens.create_page",
    "GET /treadle/sandbox/clients": "clients.list",
    "/treadle/sandbox/clients": "clients.create",
    "/treadle/sandbox/clients/delete": "clients.delete",
    "GET /treadle/sandbox/clock": "clock.get",
    "/treadle/sandbox/clock": "clock.set",
    "/treadle/sandbox/clock/advance": "clock.advance",
    "/treadle/sandbox/clock/run": "clock.run",
    "GET /treadle/sandbox/faults": "faults.list",
    "/treadle/sandbox/faults": "faults.add",
    "/treadle/sandbox/faults/remove": "faults.remove",
    "/treadle/sandbox/faults/clear": "faults.clear",
    "/treadle/sandbox/link/run": "link.run",
    "/treadle/sandbox/link/plan": "link.plan",
    "/treadle/sandbox/link/plan/clear": "link.clear_plan",
    "/treadle/sandbox/link/start": "link.start",
    "/treadle/sandbox/link/act": "link.act",
    "/treadle/sandbox/link/state": "link.state",
    "GET /treadle/sandbox/requests": "requests.list",
    "GET /treadle/sandbox/seed": "seed.get",
    "/treadle/sandbox/seed": "seed.set",
    "/treadle/import": "ingest.statement",
    "/treadle/ingest": "ingest.push",
    "GET /treadle/ingest/schema": "ingest.schema",
    "/treadle/ingest/items/create": "ingest.create_item",
    "/treadle/processor_token/explain": "processor_tokens.explain",
    "/treadle/processor_token/limits/get": "processor_tokens.limits",
    "/treadle/processor_token/limits/set": "processor_tokens.narrow",
    "/treadle/processor_token/list": "processor_tokens.list",
    "/treadle/processor_token/revoke": "processor_tokens.revoke",
    "GET /treadle/sandbox/snapshots": "snapshots.list",
    "/treadle/sandbox/snapshots": "snapshots.save",
    "/treadle/sandbox/snapshots/restore": "snapshots.restore",
    "/treadle/sandbox/snapshots/remove": "snapshots.remove",
    "GET /treadle/sandbox/state": "state.get",
    "/treadle/sandbox/state": "state.load",
    "/treadle/sandbox/state/reset": "state.reset",
    "/treadle/webhooks/get": "webhooks.list",
}
# Defaults that the client chooses otherwise: it lists from the beginning, and does not listen.
OTHER_DEFAULTS = {
    ("/treadle/webhooks/get", "after"): 0,
    ("/treadle/sandbox/clients", "processors"): (),
    ("/treadle/sandbox/link/act", "inputs"): None,
    ("/treadle/import", "institution_id"): None,
    ("/treadle/import", "dry_run"): False,
    ("/treadle/ingest", "atomic"): False,
}
# What a method takes beside fields: the body itself.
BODIES = {"/treadle/import": "content", "/treadle/ingest": "records"}
LOG_SECONDS = 5.0
STATEMENT = Path(__file__).parents[1] / "importing/files/ofx/checking.ofx"


# What fields are given that an operation cannot do without.
GIVEN: dict[str, Callable[[Treadle], Any]] = {
    "made_client_id": lambda treadle: treadle.clients.create().client.client_id,
    "fault_id": lambda treadle: treadle.faults.add("drop", path="/auth/get").fault_id,
    "effect": lambda treadle: "latency",
    "seconds": lambda treadle: 1,
    "now": lambda treadle: "2126-01-31T12:00:00Z",
    "seed": lambda treadle: "loom",
    "link_token": link_token,
    "link_session_id": lambda treadle: treadle.link.start(link_token(treadle)).link_session_id,
    "action": lambda treadle: "exit",
    "processor_token": processor_token,
    "token": processor_token,
    "access_tokens": lambda treadle: [access_token(treadle)],
    "text": processor_token,
    "operation": lambda treadle: "/processor/auth/get",
    "fields": lambda treadle: ["numbers"],
    "records": lambda treadle: CUSTOMER,
    "content": lambda treadle: STATEMENT.read_bytes(),
    "institution_id": lambda treadle: treadle.ingest.push(CUSTOMER) and BANK,
    "user_id": lambda treadle: "ada",
    "products": lambda treadle: ["auth"],
    "name": lambda treadle: treadle.snapshots.save("base").name,
    "state": lambda treadle: treadle.state.get(),
}


def fields_of(key: str) -> dict[str, Any]:
    """What an operation asks for beside credentials, with the default of each field."""
    fields = msgspec.structs.fields(request_type(OWN[key]))
    defaults = {
        one.name: one.default if one.default_factory is msgspec.NODEFAULT else one.default_factory()
        for one in fields
    }
    body = {BODIES[key]: msgspec.NODEFAULT} if key in BODIES else {}
    return body | {
        name: OTHER_DEFAULTS.get((key, name), default)
        for name, default in defaults.items()
        if name not in Order.__struct_fields__
    }


def parameters_of(method: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """What a method takes, with the default of each; a plan leaves its defaults to the server."""
    for name, one in inspect.signature(method).parameters.items():
        if one.kind is one.VAR_KEYWORD:
            [members] = get_args(get_type_hints(method)[name])
            for member in members.__optional_keys__:
                yield member, getattr(ServersPlan(), member)
        else:
            yield name, msgspec.NODEFAULT if one.default is one.empty else one.default


def test_every_operation_has_a_method() -> None:
    assert METHODS.keys() == {key for key, one in OWN.items() if one.path.startswith("/treadle/")}


@pytest.mark.parametrize("key", METHODS)
def test_it_takes_every_field(key: str, treadle: Treadle) -> None:
    assert dict(parameters_of(attrgetter(METHODS[key])(treadle))) == fields_of(key)


@pytest.mark.parametrize("key", METHODS)
def test_it_calls_the_operation(key: str, treadle: Treadle, server: Server) -> None:
    given = {name: GIVEN[name](treadle) for name in fields_of(key) if name in GIVEN}
    line = f" {OWN[key].method} {OWN[key].path} 200 "
    before = server.log().count(line)
    attrgetter(METHODS[key])(treadle)(**given)
    deadline = time.monotonic() + LOG_SECONDS
    while server.log().count(line) == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
