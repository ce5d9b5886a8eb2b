"""`treadle client`: what it does is seen by a running server at the very next request."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.raw import Answer, Api, cli, new_client
from tests.support.server import Server

Serve = Callable[..., Server]


def listing(api: Api) -> Answer:
    return api.post("/institutions/get", count=1, offset=0, country_codes=["US"])


def test_a_new_client_is_known_at_once(server: Server) -> None:
    client_id, secret = new_client(server)
    assert re.fullmatch("[0-9a-f]{24}", client_id)
    assert re.fullmatch("[0-9a-f]{30}", secret)
    assert listing(Api(server.url, client_id, secret)).code == "OK"
    assert listing(Api(server.url, client_id, "other")).code == "INVALID_API_KEYS"


def test_a_rotated_secret_works_at_once_and_the_old_one_no_more(server: Server) -> None:
    client_id, old = new_client(server)
    api = Api(server.url, client_id, old)
    assert listing(api).code == "OK"
    output = cli(server, "client", "rotate-secret", client_id)
    new = output.split()[-1]
    assert new != old
    assert listing(api).code == "INVALID_API_KEYS"
    assert listing(Api(server.url, client_id, new)).code == "OK"


def test_a_removed_client_is_refused_at_once_with_all_it_made(server: Server) -> None:
    client_id, secret = new_client(server)
    partner = Api(server.url, *new_client(server, "--processors", "dwolla"))
    api = Api(server.url, client_id, secret)
    processor_token = api.mint(api.link())
    assert partner.redeem(processor_token).code == "OK"
    assert cli(server, "client", "remove", client_id) == f"removed {client_id}\n"
    assert listing(api).code == "INVALID_API_KEYS"
    assert partner.redeem(processor_token).code == "ITEM_NOT_FOUND"


def test_the_list(server: Server) -> None:
    client_id, secret = new_client(server, "--processors", "dwolla,alpaca", "--integrations", "")
    gone, _ = new_client(server)
    cli(server, "client", "remove", gone)
    output = cli(server, "client", "list")
    rows = {line.split()[0]: line for line in output.splitlines()}
    assert "client_sandbox" in rows
    assert rows[client_id].split()[1:] == [
        "active",
        "Shop",
        "processors=dwolla,alpaca",
        "integrations=-",
    ]
    assert rows[gone].split()[1] == "removed"
    assert secret not in output


def test_partner_and_integrations_count_at_once(server: Server) -> None:
    api = Api(server.url, *new_client(server, "--integrations", "dwolla"))
    linked = api.link()
    assert api.mint(linked, "dwolla")
    request = {"access_token": linked.access_token, "account_id": linked.checking}
    answer = api.post("/processor/token/create", **request, processor="alpaca")
    assert answer.code == "INVALID_PRODUCT"


def test_an_id_of_ones_own_choice(server: Server, tmp_path: Path) -> None:
    name = f"shop-{server.port}-{tmp_path.name}"
    client_id, secret = new_client(server, "--client-id", name)
    assert client_id == name
    assert listing(Api(server.url, name, secret)).code == "OK"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ("create Shop --processors dwolla,nobody", 2, "unknown processors: nobody"),
        ("create Shop --integrations Dwolla", 2, "unknown processors: Dwolla"),
        ("create Shop --stripe-key sk_live_hidden", 2, "live Stripe key is refused"),
        ("create Shop --stripe-key hidden", 2, "must start with"),
        ("create Shop --client-id client_taken", 1, "a client client_taken exists already"),
        ("create", 2, "NAME"),
        ("rotate-secret nobody", 1, "there is no client nobody"),
        ("remove nobody", 1, "there is no client nobody"),
        ("list --database mysql://a:hidden@b/c", 1, "use postgresql://"),
    ],
)
def test_refusals(treadle: Run, arguments: str, code: int, text: str) -> None:
    assert treadle("client", "create", "Taken", "--client-id", "client_taken").code == 0
    outcome = treadle("client", *arguments.split())
    assert outcome.code == code, outcome.err
    assert text in outcome.err
    assert "Traceback" not in outcome.err
    assert "hidden" not in outcome.err
    assert "secret " not in outcome.out


def test_a_client_is_removed_once(treadle: Run) -> None:
    treadle("client", "create", "Shop", "--client-id", "shop")
    assert treadle("client", "remove", "shop").code == 0
    for command in ("remove", "rotate-secret"):
        assert treadle("client", command, "shop").code == 1
    assert treadle("client", "create", "Shop", "--client-id", "shop").code == 1


def test_production_has_the_clients_that_were_made(serve: Serve, tmp_path: Path) -> None:
    server = serve("--environment", "production")
    assert cli(server, "client", "list") == ""
    client_id, secret = new_client(server)
    assert listing(Api(server.url, client_id, secret)).code == "OK"


def test_the_secret_is_not_in_the_data(treadle: Run, tmp_path: Path) -> None:
    key = "sk_test_" + "a1" * 12
    outcome = treadle("client", "create", "Shop", "--stripe-key", key)
    secret = outcome.out.split()[-1]
    for path in (tmp_path / "data").iterdir():
        content = path.read_bytes()
        assert secret.encode() not in content
        assert key.encode() not in content
