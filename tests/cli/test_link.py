"""`treadle link`: going through Link from the command line."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.control.plane import own_client
from tests.support.link import create, link_token
from tests.support.server import Server


def test_complete_prints_a_token_to_exchange(server: Server, treadle: Run) -> None:
    client = own_client(server)
    options = ["--url", server.url, "--client-id", client.client_id, "--secret", client.secret]
    outcome = treadle(
        "link", "complete", link_token(client), "--institution-id", "ins_109511", "--mask", "1111",
        *options,
    )  # fmt: skip
    assert (outcome.code, outcome.err) == (
        0,
        "linked Tartan Bank: Plaid Silver Standard 0.1% Interest Saving 1111\n",
    )
    assert client.exchange(outcome.out.strip()).status == 200

    outcome = treadle("link", "complete", link_token(client), "--json", *options)
    ended = json.loads(outcome.out)
    assert client.exchange(ended["public_token"]).status == 200
    assert len(ended["metadata"]["accounts"]) == 2

    outcome = treadle(
        "link", "complete", link_token(client), "--outcome", "error",
        "--error-code", "ITEM_LOCKED", *options,
    )  # fmt: skip
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("nothing was linked: ITEM_LOCKED: ")
    outcome = treadle("link", "complete", link_token(client), "--outcome", "exit", *options)
    assert (outcome.code, outcome.err) == (1, "nothing was linked\n")


@pytest.mark.parametrize("command", ["open", "complete"])
def test_mistakes_are_told_plainly(server: Server, treadle: Run, command: str) -> None:
    outcome = treadle("link", command, "public-sandbox-0")
    assert (outcome.code, "TOKEN must be a link token" in outcome.err) == (2, True)
    token = create(own_client(server))["link_token"]
    outcome = treadle("link", command, token, "--url", "http://127.0.0.1:9")
    assert (outcome.code, "does not answer" in outcome.err) == (1, True)
    assert "Traceback" not in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_another_clients_link_token_is_refused(server: Server, treadle: Run) -> None:
    token = link_token(own_client(server))
    outcome = treadle("link", "complete", token, "--url", server.url)
    assert (outcome.code, outcome.err) == (1, "Error: invalid link_token provided\n")


def test_open_wants_a_server_that_has_link(server: Server, treadle: Run) -> None:
    outcome = treadle("link", "open", "link-sandbox-0", "--url", f"{server.url}/elsewhere")
    assert (outcome.code, "404: is Treadle there?" in outcome.err) == (1, True)
