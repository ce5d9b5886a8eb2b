"""With a seed and a fixed clock the same requests give the same bytes, wherever they are served."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.support.raw import INSTITUTION, Answer, Api
from tests.support.server import Server

pytestmark = pytest.mark.slow

SEED = ("--seed", "loom", "--clock", "2026-01-31T12:00:00Z")
_REQUEST_ID = re.compile(rb'"request_id":"[0-9A-Za-z]{15}"')

Serve = Callable[..., Server]


def play(server: Server, *, restart: bool = False) -> list[bytes]:
    """The bodies of a fixed list of requests without their request ids; `restart` comes halfway."""
    bodies: list[bytes] = []
    # A connection for each request: with several workers, either may serve it.
    api = Api(server.url, keep_alive=False)

    def post(path: str, /, **fields: object) -> Answer:
        answer = api.post(path, **fields)
        stripped, number = _REQUEST_ID.subn(b'"request_id":""', answer.raw)
        assert number == 1, answer.raw
        bodies.append(b"%d " % answer.status + stripped)
        return answer

    def create(*products: str, **options: object) -> str:
        fields = {"institution_id": INSTITUTION, "initial_products": products, "options": options}
        token: str = post("/sandbox/public_token/create", **fields)["public_token"]
        return token

    public = create("auth", webhook="https://shop.example/hook")
    exchanged = post("/item/public_token/exchange", public_token=public)
    access = {"access_token": exchanged["access_token"]}
    post("/item/public_token/exchange", public_token=public)
    accounts = post("/accounts/get", **access)["accounts"]
    [checking] = [one["account_id"] for one in accounts if one["subtype"] == "checking"]
    mint = {**access, "account_id": checking, "processor": "dwolla"}
    first = {"processor_token": post("/processor/token/create", **mint)["processor_token"]}
    second = {"processor_token": post("/processor/token/create", **mint)["processor_token"]}
    post("/processor/token/create", **(mint | {"processor": "nobody"}))
    post("/processor/token/permissions/set", **first, products=["identity"])
    post("/processor/auth/get", **first)
    post("/processor/identity/get", **first)
    post("/item/public_token/create", **access)
    if restart:
        server.restart()
    post("/processor/auth/get", **second)
    post("/processor/token/permissions/get", **first)
    post("/processor/stripe/bank_account_token/create", **access, account_id=checking)
    post("/item/get", **access)
    rotated = post("/item/access_token/invalidate", **access)
    post("/item/get", **access)
    access = {"access_token": rotated["new_access_token"]}
    post("/item/webhook/update", **access, webhook="https://shop.example/other")
    post("/sandbox/processor_token/create", institution_id=INSTITUTION)
    post("/sandbox/item/reset_login", **access)
    post("/processor/balance/get", **second)
    post("/item/get", **access)
    post("/item/remove", **access)
    post("/processor/account/get", **second)
    create("identity", "transactions")
    return bodies


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    server = Server(tmp_path_factory.mktemp("seeded") / "data", *SEED)
    server.start()
    bodies = play(server)
    server.stop()
    return bodies


def test_the_list_is_worth_comparing(expected: list[bytes]) -> None:
    assert len(expected) >= 25
    assert sum(body.startswith(b"200 ") for body in expected) >= 18
    assert not any(body.startswith(b"5") for body in expected)


def test_same_seed_same_bytes(serve: Serve, store: list[str], expected: list[bytes]) -> None:
    assert play(serve(*SEED, *store)) == expected


def test_with_two_workers(serve: Serve, store: list[str], expected: list[bytes]) -> None:
    assert play(serve(*SEED, "--workers", "2", *store)) == expected


def test_with_a_restart_halfway(serve: Serve, store: list[str], expected: list[bytes]) -> None:
    assert play(serve(*SEED, *store), restart=True) == expected


def test_another_seed_gives_other_tokens(serve: Serve, expected: list[bytes]) -> None:
    others = play(serve("--seed", "shuttle", *SEED[2:]))
    assert len(others) == len(expected)
    assert tokens(others).isdisjoint(tokens(expected))


def test_without_a_seed_two_runs_differ(serve: Serve) -> None:
    one, other = play(serve(*SEED[2:])), play(serve(*SEED[2:]))
    assert tokens(one)
    assert tokens(one).isdisjoint(tokens(other))


def test_time_stands_still(expected: list[bytes]) -> None:
    text = b"\n".join(expected).decode()
    assert set(re.findall(r'"expiration":"([^"]*)"', text)) == {"2026-01-31T12:30:00Z"}
    assert set(re.findall(r'"created_at":"([^"]*)"', text)) == {"2026-01-31T12:00:00Z"}


def tokens(bodies: list[bytes]) -> set[bytes]:
    return set(re.findall(rb"(?:public|access|processor)-sandbox-[0-9a-f-]{36}", b"".join(bodies)))
