"""A client's seed: same in, same out, for that client alone."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from plaid.model.processor_transactions_sync_request import ProcessorTransactionsSyncRequest

from tests.control.plane import Planned, over, own_client
from tests.promises.database import query, records
from tests.support.raw import INSTITUTION
from tests.support.sdk import plaid_client
from tests.support.server import Server

NOON = "2026-01-31T12:00:00Z"
YEARS = {"start_date": "2020-01-01", "end_date": "2030-01-01"}
_REQUEST_ID = re.compile(rb'"request_id":"[0-9A-Za-z]{15}"')
TOKEN = re.compile(rb"(?:public|access|processor)-sandbox-[0-9a-f-]{36}")

Serve = Callable[..., Server]


def play(plane: Planned) -> list[bytes]:
    """The bodies of a fixed list of requests, control plane included, without request ids."""
    bodies: list[bytes] = []

    def post(path: str, /, **fields: object) -> dict[str, object]:
        answer = plane.post(path, **fields)
        stripped, number = _REQUEST_ID.subn(b'"request_id":""', answer.raw)
        assert number == 1, answer.raw
        bodies.append(b"%d " % answer.status + stripped)
        return answer.body

    post("/treadle/sandbox/clock", now=NOON)
    post("/treadle/sandbox/seed", seed="loom")
    post("/treadle/sandbox/clients", name="Worker", processors=["dwolla"])
    public = post(
        "/sandbox/public_token/create",
        institution_id=INSTITUTION,
        initial_products=["auth", "transactions"],
    )["public_token"]
    exchanged = post("/item/public_token/exchange", public_token=public)
    access = {"access_token": exchanged["access_token"]}
    accounts = plane.post("/accounts/get", **access)["accounts"]
    [checking] = [one["account_id"] for one in accounts if one["subtype"] == "checking"]
    post("/processor/token/create", **access, account_id=checking, processor="dwolla")
    post("/transactions/get", **access, **YEARS)
    post("/treadle/sandbox/clock/advance", days=3)
    post("/transactions/get", **access, **YEARS)
    post("/treadle/sandbox/faults", effect="error", error_code="INVALID_MFA", probability=0.5)
    for _ in range(12):
        post("/item/get", **access)
    post("/treadle/sandbox/faults/clear")
    post("/treadle/sandbox/seed", seed="shuttle")
    post("/item/public_token/create", **access)
    return bodies


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    server = Server(tmp_path_factory.mktemp("seeded") / "data")
    server.start()
    bodies = play(Planned(server.url))
    server.stop()
    return bodies


def test_the_list_is_worth_comparing(expected: list[bytes]) -> None:
    assert sum(body.startswith(b"200 ") for body in expected) >= 16
    struck = [b"INVALID_MFA" in body for body in expected if b"transactions" not in body]
    assert 2 <= sum(struck) <= 10
    assert not any(body.startswith(b"5") for body in expected)


def test_same_seed_and_clock_same_bytes(
    serve: Serve, store: list[str], expected: list[bytes]
) -> None:
    assert play(Planned(serve(*store).url)) == expected


@pytest.mark.slow
def test_with_two_workers(serve: Serve, store: list[str], expected: list[bytes]) -> None:
    server = serve("--workers", "2", *store)
    assert play(Planned(server.url, keep_alive=False)) == expected


def test_the_seed_of_the_server_is_no_matter(serve: Serve, expected: list[bytes]) -> None:
    assert play(Planned(serve("--seed", "other").url)) == expected


def made(plane: Planned) -> str:
    return plane.public_token()


def test_a_seed_can_be_given_up(plane: Planned) -> None:
    assert plane.read("seed").body["seeded"] is False
    answer = plane.sandbox("seed", seed="loom")
    assert (answer["seed"], answer["seeded"], answer["counter"]) == ("loom", True, 0)
    made(plane)
    answer = plane.read("seed")
    assert (answer["seed"], answer["seeded"]) == ("loom", True)
    assert answer["counter"] > 0
    answer = plane.sandbox("seed", seed=None)
    assert (answer["seed"], answer["seeded"], answer["counter"]) == (None, False, 0)
    made(plane)
    assert plane.read("seed")["counter"] == 0


SPENT = "seed must be one that this client has made no ids from yet"


def test_a_seed_makes_its_ids_but_once(plane: Planned, other: Planned) -> None:
    plane.sandbox("seed", seed="loom")
    # Nothing was made from it.
    assert plane.sandbox("seed", seed="loom").code == "OK"
    made(plane)
    for seed in (None, "shuttle"):
        again = plane.sandbox("seed", seed="loom")
        assert (again.status, again.code) == (400, "INVALID_FIELD")
        assert again.body["error_message"] == SPENT
        assert plane.sandbox("seed", seed=seed).code == "OK"
        made(plane)
    assert plane.sandbox("seed", seed="shuttle").code == "INVALID_FIELD"
    # Another client's ids are others.
    assert other.sandbox("seed", seed="loom").code == "OK"
    made(other)


def test_nor_does_that_of_the_server(serve: Serve) -> None:
    plane = Planned(serve("--seed", "loom").url)
    made(plane)
    assert plane.sandbox("seed", seed="loom").body["error_message"] == SPENT
    assert plane.sandbox("seed", seed="shuttle").code == "OK"


def test_seeds_that_were_used_are_no_endless_list(serve: Serve) -> None:
    plane = own_client(serve())
    for number in range(100):
        assert plane.sandbox("seed", seed=f"loom {number}").code == "OK"
        plane.fault("latency", seconds=0.001, times=1, path="/auth/get")
        plane.sandbox("faults/clear")
    full = plane.sandbox("seed", seed="one more")
    assert (full.status, full.code) == (400, "INVALID_FIELD")
    assert plane.sandbox("seed", seed=None).code == "OK"
    made(plane)


def test_one_can_be_random_on_a_seeded_server(serve: Serve) -> None:
    tokens = []
    for _ in range(2):
        server = serve("--seed", "loom", "--clock", NOON)
        plane = Planned(server.url)
        answer = plane.read("seed")
        # The server's seed is not told: it makes everybody's tokens.
        assert (answer["seed"], answer["seeded"]) == (None, True)
        first = made(plane)
        plane.sandbox("seed", seed=None)
        tokens.append((first, made(plane)))
    (one, random_one), (two, random_two) = tokens
    assert one == two
    assert random_one != random_two


def test_two_clients_with_one_seed_make_different_tokens(plane: Planned, other: Planned) -> None:
    tokens = set()
    for client in (plane, other):
        client.sandbox("seed", seed="loom")
        tokens.add(made(client))
    assert len(tokens) == 2


def test_nobody_elses_seed_is_set(plane: Planned, other: Planned) -> None:
    other.sandbox("seed", seed="shuttle")
    plane.sandbox("seed", seed="loom")
    made(plane)
    answer = other.read("seed")
    assert (answer["seed"], answer["counter"]) == ("shuttle", 0)


def test_what_a_partner_sets_off_derives_from_the_owners_seed(serve: Serve) -> None:
    ids = []
    for _ in range(2):
        server = serve()
        plane = Planned(server.url)
        plane.sandbox("clock", now=NOON)
        plane.sandbox("seed", seed="loom")
        partner = own_client(server, processors=["dwolla"])
        token = plane.mint(plane.link("transactions"))
        # The first to read the transactions, and so to give them their ids.
        answer = partner.post("/processor/transactions/get", processor_token=token, **YEARS)
        ids.append([one["transaction_id"] for one in answer["transactions"]])
    assert ids[0] == ids[1] != []


def test_the_seed_is_not_in_the_database(server: Server, plane: Planned) -> None:
    plane.sandbox("seed", seed="a seed like no other")
    rows = query(server, f"SELECT * FROM clients WHERE client_id = '{plane.client_id}'")
    world = json.loads(rows[0]["world"])
    assert b"like no other" not in base64.b64decode(world["seed"])
    assert "like no other" not in str(rows)
    made(plane)
    plane.sandbox("seed", seed="another")
    assert "like no other" not in str(query(server, "SELECT world FROM clients"))
    plane.requests()
    assert "like no other" not in str(query(server, "SELECT * FROM requests"))
    assert "like no other" not in str(records(server, plane.client_id))


def test_it_is_kept(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    plane = own_client(server)
    plane.sandbox("seed", seed="loom")
    server.restart()
    assert over(server, plane).read("seed")["seed"] == "loom"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "MISSING_FIELDS"),
        ({"seed": ""}, "INVALID_FIELD"),
        ({"seed": 1}, "INVALID_FIELD"),
        ({"seed": "x" * 201}, "INVALID_FIELD"),
        ({"seed": "a\0b"}, "INVALID_FIELD"),
        ({"seed": "a", "counter": 1}, "UNKNOWN_FIELDS"),
    ],
)
def test_bad_input_sets_nothing(plane: Planned, fields: dict[str, object], code: str) -> None:
    plane.sandbox("seed", seed="loom")
    answer = plane.sandbox("seed", **fields)
    assert (answer.status, answer.code) == (400, code)
    assert plane.read("seed")["seed"] == "loom"


def test_a_seeded_clients_requests_take_turns(plane: Planned) -> None:
    plane.sandbox("seed", seed="loom")
    access = {"access_token": plane.link().access_token}
    answers = plane.volley([("/item/public_token/create", access)] * 16)
    assert {answer.code for answer in answers} == {"OK"}
    assert len({answer["public_token"] for answer in answers}) == 16


@pytest.mark.slow
def test_so_they_do_with_two_workers(serve: Serve, store: list[str]) -> None:
    server = serve("--workers", "2", *store)
    plane = over(server, own_client(server))
    plane.sandbox("seed", seed="loom")
    access = {"access_token": plane.link().access_token}
    answers = plane.volley([("/item/public_token/create", access)] * 48)
    assert len({answer["public_token"] for answer in answers}) == 48


def test_so_do_a_partners_on_its_items(server: Server, plane: Planned) -> None:
    """Each is the first to read an Item's transactions, and so draws on its owner's seed."""
    plane.sandbox("seed", seed="loom")
    tokens = [plane.mint(plane.link("transactions")) for _ in range(12)]
    partner = own_client(server, processors=["dwolla"])
    sdk = plaid_client(server, partner.client_id, partner.secret)

    def added(token: str) -> set[str]:
        request = ProcessorTransactionsSyncRequest(processor_token=token)
        answer = sdk.processor_transactions_sync(request)
        return {one["transaction_id"] for one in answer["added"]}

    with ThreadPoolExecutor(len(tokens)) as pool:
        ids = list(pool.map(added, tokens))
    assert all(ids)
    assert len(set().union(*ids)) == sum(map(len, ids))
