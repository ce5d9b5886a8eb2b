"""With a seed, it does not matter whether a call or the background does what time brings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.control.plane import Planned
from tests.support.server import Server
from tests.waking.listening import NOON, owed, settle

pytestmark = pytest.mark.slow

SEED = ("--seed", "loom", "--clock", NOON)
# Nobody is there, so that what is owed is all that counts.
WEBHOOK = "http://127.0.0.1:9/hook"
DAILY = {"override_username": "user_transactions_dynamic", "override_password": "any"}
DEPOSITS = {"override_password": "microdeposits_good"}
_REQUEST_ID = re.compile(rb'"request_id":"[0-9A-Za-z]{15}"')

Serve = Callable[..., Server]


class Played(NamedTuple):
    bodies: list[bytes]
    # Ids and bodies of all webhooks, in no order: which was written first nobody can tell.
    owed: list[tuple[str, str, int]]


def play(server: Server, *, patient: bool) -> Played:
    """A fixed list of requests. Who is patient lets the background finish after each."""
    client = Planned(server.url, keep_alive=False)
    bodies: list[bytes] = []

    def post(path: str, /, **fields: object) -> dict[str, object]:
        answer = client.post(path, **fields)
        bodies.append(b"%d " % answer.status + _REQUEST_ID.sub(b"", answer.raw))
        if patient:
            settle(server, client)
        return answer.body

    def create(institution_id: str, *products: str, **options: object) -> str:
        created = post(
            "/sandbox/public_token/create",
            institution_id=institution_id,
            initial_products=products,
            options=options,
        )
        exchanged = post("/item/public_token/exchange", public_token=created["public_token"])
        return str(exchanged["access_token"])

    def advance(**by: int) -> None:
        post("/treadle/sandbox/clock/advance", **by)

    shop = create("ins_109508", "transactions", "liabilities", webhook=WEBHOOK, **DAILY)
    deposit = create("ins_109512", "auth", webhook=WEBHOOK, **DEPOSITS)
    quiet = create("ins_109508", "transactions", **DAILY)
    synced = post("/transactions/sync", access_token=shop, count=500)
    advance(hours=13)
    advance(days=1)
    advance(days=1)
    post("/transactions/sync", access_token=shop, cursor=synced["next_cursor"], count=500)
    post("/auth/get", access_token=deposit)
    post("/transactions/sync", access_token=quiet, count=500)
    advance(days=3)
    post("/item/webhook/update", access_token=quiet, webhook=WEBHOOK)
    post("/liabilities/get", access_token=shop)
    advance(days=2)
    advance(days=2)
    post("/transactions/sync", access_token=quiet, count=500)
    post("/item/get", access_token=shop)
    advance(days=40)
    # Its ids are the same, whatever has happened to the others by then.
    create("ins_109508", "auth")
    post("/item/get", access_token=shop)
    post("/item/get", access_token=quiet)
    post("/accounts/get", access_token=deposit)
    post("/transactions/sync", access_token=shop)
    settle(server, client)
    rows = owed(server, client)
    return Played(bodies, [(row["event_id"], row["body"], row["created_at"]) for row in rows])


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Played:
    server = Server(tmp_path_factory.mktemp("woken") / "data", *SEED)
    server.start()
    played = play(server, patient=True)
    server.stop()
    return played


def test_the_list_is_worth_comparing(expected: Played) -> None:
    assert not any(body.startswith(b"5") for body in expected.bodies)
    told = b" ".join(body.encode() for _, body, _ in expected.owed).decode()
    for code in ("INITIAL_UPDATE", "DEFAULT_UPDATE", "ERROR", "AUTOMATICALLY_VERIFIED"):
        assert f'"{code}"' in told
    assert len(expected.owed) > 20


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("patient", [True, False], ids=["patient", "hasty"])
def test_same_bytes_whoever_comes_first(
    serve: Serve, store: list[str], expected: Played, workers: str, patient: bool
) -> None:
    played = play(serve(*SEED, "--workers", workers, *store), patient=patient)
    assert played.bodies == expected.bodies
    assert played.owed == expected.owed
