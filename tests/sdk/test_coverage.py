"""What the server does not have, it says so."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.support.flows import implemented
from tests.support.server import Server
from treadle.wire.operations import OPERATIONS, Operation

ABSENT = [one for one in OPERATIONS.values() if one.name not in implemented()]
TEMPLATED = [one for one in ABSENT if "{" in one.path]


def ask(http: httpx.Client, operation: Operation, path: str) -> tuple[int, str, str, str]:
    content = None if operation.method == "GET" else b"{}"
    headers = {"content-type": "application/json"}
    answer = http.request(operation.method, path, content=content, headers=headers)
    body = answer.json()
    return answer.status_code, body["error_type"], body["error_code"], body["error_message"]


def expected(path: str) -> tuple[int, str, str, str]:
    message = f"{path} is not implemented by Treadle yet; docs/coverage.md lists what is"
    return 400, "INVALID_REQUEST", "NOT_IMPLEMENTED", message


def test_every_other_operation_says_that_it_is_not_implemented(server: Server) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        answers = {one.path: ask(http, one, one.path) for one in ABSENT if one not in TEMPLATED}
    assert len(answers) > 250
    assert {path: answer for path, answer in answers.items() if answer != expected(path)} == {}


@pytest.mark.parametrize("operation", TEMPLATED, ids=lambda one: f"{one.method} {one.path}")
def test_operation_with_an_id_in_its_path_says_so_too(server: Server, operation: Operation) -> None:
    path = re.sub(r"\{\w+\}", "5b9d6f0e", operation.path)
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        assert ask(http, operation, path)[:3] == expected(path)[:3]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/no/such/path"),
        ("POST", "/"),
        ("POST", "/accounts/get/"),
        ("POST", "/Accounts/get"),
        ("GET", "/accounts/get"),
        ("DELETE", "/accounts/get"),
        ("GET", "/transactions/get"),
    ],
)
def test_other_paths_and_methods_are_not_found(server: Server, method: str, path: str) -> None:
    headers = {"content-type": "application/json"}
    url = f"{server.url}{path}"
    answer = httpx.request(method, url, content=b"{}", headers=headers, trust_env=False)
    body = answer.json()
    seen = (answer.status_code, body["error_type"], body["error_code"], body["error_message"])
    assert seen == (404, "INVALID_REQUEST", "NOT_FOUND", "not found")
