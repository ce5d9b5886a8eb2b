"""What the control plane says of itself and of the API; and that production has none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.control.plane import Planned, own_client
from tests.promises.database import execute, query
from tests.support.raw import Api, cli, new_client
from tests.support.sdk import CLIENT_ID
from tests.support.server import Server
from treadle.faults.rules import Effect
from treadle.operations import OWN, load_areas
from treadle.wire.operations import OPERATIONS

load_areas()
SANDBOX = {key: one for key, one in OWN.items() if one.path.startswith("/treadle/sandbox/")}
PAGE = Path(__file__).parents[2] / "docs" / "control-plane.md"

Serve = Callable[..., Server]


def fetch(server: Server, path: str) -> Any:
    answer = httpx.get(f"{server.url}{path}", trust_env=False)
    assert answer.status_code == 200
    return answer.json()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "$ref":
                yield member
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def test_every_operation_is_described(server: Server) -> None:
    document = fetch(server, "/treadle/openapi.json")
    assert document["openapi"] == "3.1.0"
    described = {
        (method.upper(), path): one
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    }
    assert described.keys() == {(one.method, one.path) for one in OWN.values()}
    names = [one["operationId"] for one in described.values()]
    assert len(names) == len(set(names))
    assert all(one["summary"] for (_, path), one in described.items() if "/sandbox/" in path)
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= schemas
    schemes = document["components"]["securitySchemes"]
    for (_, path), one in described.items():
        needed = {name for each in one["security"] for name in each}
        assert needed == (set(schemes) if path in paths_for_clients() else set())


def paths_for_clients() -> set[str]:
    return {one.path for one in OWN.values() if one.gate.needs_client}


def test_the_description_is_of_what_is_decoded(server: Server) -> None:
    document = fetch(server, "/treadle/openapi.json")
    advance = document["paths"]["/treadle/sandbox/clock/advance"]["post"]
    reference = advance["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["days"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 100_000,
        "default": 0,
    }
    found = document["paths"]["/treadle/sandbox/requests"]["get"]["parameters"]
    assert {one["name"] for one in found} == {
        "request_id",
        "path",
        "error_code",
        "count",
        "offset",
    }


@pytest.mark.parametrize("key", SANDBOX)
def test_every_sandbox_operation_is_named_after_its_path(key: str) -> None:
    one = SANDBOX[key]
    name = one.path.removeprefix("/treadle/").replace("/", "_")
    assert one.handler.__name__ == f"{one.method.lower()}_{name}"


@pytest.mark.parametrize("key", SANDBOX)
def test_every_sandbox_operation_is_on_the_page(key: str) -> None:
    one = SANDBOX[key]
    assert f"`{one.method} {one.path}`" in PAGE.read_text()


def test_every_effect_is_on_the_page() -> None:
    text = PAGE.read_text()
    assert [effect for effect in Effect if f"`{effect.value}`" not in text] == []


def test_coverage_is_what_is_implemented(server: Server) -> None:
    coverage = fetch(server, "/treadle/coverage")
    listed = {(one["method"], one["path"]): one for one in coverage["operations"]}
    assert listed.keys() == {(one.method, one.path) for one in OPERATIONS.values()}
    done = {path for (_, path), one in listed.items() if one["implemented"]}
    assert done == set(load_areas())
    assert coverage["implemented"] == len(done)
    assert coverage["total"] == len(listed)
    for (_, path), one in listed.items():
        assert one["sandbox_only"] == path.startswith("/sandbox/")


@pytest.fixture
def production(serve: Serve, store: list[str]) -> Server:
    return serve("--environment", "production", *store)


def test_production_has_none_of_it(production: Server) -> None:
    client_id, secret = new_client(production, "--environment", "production")
    plane = Planned(production.url, client_id, secret)
    for one in SANDBOX.values():
        answer = plane.get(one.path) if one.method == "GET" else plane.post(one.path)
        assert (answer.status, answer.code) == (404, "NOT_FOUND"), one.path
    for path in ("/treadle/sandbox/", "/treadle/sandbox/clock/", "/treadle/sandbox/nothing"):
        assert plane.post(path).code == "NOT_FOUND"
    paths = fetch(production, "/treadle/openapi.json")["paths"]
    assert {"/treadle/coverage", "/treadle/openapi.json"} <= paths.keys()
    assert not [path for path in paths if path.startswith("/treadle/sandbox/")]
    assert fetch(production, "/treadle/coverage")["total"] == len(OPERATIONS)


def test_production_knows_no_worlds_and_keeps_no_requests(serve: Serve, store: list[str]) -> None:
    """A database that served a sandbox and is now opened in production, against all advice."""
    sandbox = serve(*store)
    plane = own_client(sandbox)
    plane.sandbox("clock", now="2001-01-01T00:00:00Z")
    plane.sandbox("seed", seed="loom")
    plane.fault("error", error_code="INVALID_MFA")
    cli(sandbox, "client", "rotate-secret", CLIENT_ID)
    sandbox.stop()
    production = serve("--environment", "production", *store, data=sandbox.data)
    client = Api(production.url, plane.client_id, plane.secret)
    assert client.post("/categories/get").code == "OK"
    answer = client.post("/institutions/get", count=1, offset=0, country_codes=["US"])
    assert answer.code == "OK"
    execute(production, "DELETE FROM requests")
    client.post("/institutions/get", count=1, offset=0, country_codes=["US"])
    production.stop()
    assert query(production, "SELECT * FROM requests") == []


def test_a_wrong_method_is_not_found(server: Server, plane: Planned) -> None:
    assert plane.get("/treadle/sandbox/clock/advance").code == "NOT_FOUND"
    assert plane.get("/institutions/get").code == "NOT_FOUND"
    assert plane.sandbox("requests").code == "NOT_FOUND"
    answer = httpx.delete(f"{server.url}/treadle/sandbox/faults", trust_env=False)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


def test_wrong_credentials_open_nothing(server: Server) -> None:
    liar = Planned(server.url, "client_sandbox", "wrong")
    for one in SANDBOX.values():
        if one.method == "GET":
            assert liar.get(one.path).code == "INVALID_API_KEYS"
    assert liar.sandbox("clock/run").code == "INVALID_API_KEYS"
    assert liar.sandbox("faults/clear").code == "INVALID_API_KEYS"
