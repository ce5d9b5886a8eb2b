"""Calls that meet: of those that exclude each other one wins, and what is over stays over."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.promises.database import query, records
from tests.support.effort import tries
from tests.support.raw import Api
from tests.support.sdk import CLIENT_ID
from tests.support.server import Server

MANY = 32
ROUNDS = tries(20, thorough=200)


@pytest.fixture
def two_workers(store: list[str], serve: Callable[..., Server]) -> Server:
    return serve("--workers", "2", *store)


def check_exchange_has_one_winner(api: Api, server: Server) -> None:
    public_token = api.public_token()
    request = ("/item/public_token/exchange", {"public_token": public_token})
    answers = api.volley([request] * MANY)
    codes = Counter(answer.code for answer in answers)
    assert codes == {"OK": 1, "INVALID_PUBLIC_TOKEN": MANY - 1}
    [winner] = [answer for answer in answers if answer.status == 200]
    assert api.post("/item/get", access_token=winner["access_token"]).code == "OK"
    [row] = query(
        server,
        "SELECT count(*) AS number FROM tokens "
        f"WHERE kind = 'access' AND item_id = '{winner['item_id']}'",
    )
    assert row["number"] == 1


def check_rotation_has_one_winner(api: Api) -> None:
    linked = api.link()
    request = ("/item/access_token/invalidate", {"access_token": linked.access_token})
    answers = api.volley([request] * MANY)
    codes = Counter(answer.code for answer in answers)
    assert codes == {"OK": 1, "INVALID_ACCESS_TOKEN": MANY - 1}
    [winner] = [answer for answer in answers if answer.status == 200]
    assert api.post("/item/get", access_token=winner["new_access_token"]).code == "OK"


def test_of_many_exchanges_one_succeeds(api: Api, server: Server) -> None:
    check_exchange_has_one_winner(api, server)


def test_of_many_rotations_one_succeeds(api: Api) -> None:
    check_rotation_has_one_winner(api)


@pytest.mark.slow
def test_of_many_one_succeeds_with_two_workers(two_workers: Server) -> None:
    api = Api(two_workers.url)
    for _ in range(10):
        check_exchange_has_one_winner(api, two_workers)
        check_rotation_has_one_winner(api)


def test_many_permissions_sets_all_succeed(api: Api) -> None:
    token = api.mint(api.link("auth", "identity"))
    choices = [["auth"], ["identity"], ["balance"], ["auth", "identity"]]
    requests = [
        ("/processor/token/permissions/set", {"processor_token": token, "products": products})
        for products in choices * (MANY // len(choices))
    ]
    codes = Counter(answer.code for answer in api.volley(requests))
    assert codes == {"OK": MANY}
    kept = api.permissions(token)
    assert kept in choices
    assert api.redeem(token, "auth").code == ("OK" if "auth" in kept else "INVALID_PRODUCT")


def test_many_first_uses_of_a_product_bill_it_once(api: Api) -> None:
    linked = api.link("transactions")
    token = api.mint(linked)
    whats = ("auth", "identity") * (MANY // 2)
    answers = api.volley([(f"/processor/{what}/get", {"processor_token": token}) for what in whats])
    assert Counter(answer.code for answer in answers) == {"OK": MANY}
    item = api.post("/item/get", access_token=linked.access_token)["item"]
    assert item["billed_products"] == ["auth", "identity", "transactions"]
    assert not {"auth", "identity"} & set(item["available_products"])


def test_many_removals_leave_one_winner(api: Api) -> None:
    linked = api.link()
    request = ("/item/remove", {"access_token": linked.access_token})
    codes = Counter(answer.code for answer in api.volley([request] * MANY))
    assert codes == {"OK": 1, "ITEM_NOT_FOUND": MANY - 1}


def test_many_tokens_minted_at_once_are_all_different_and_good(api: Api) -> None:
    linked = api.link()
    fields = {
        "access_token": linked.access_token,
        "account_id": linked.checking,
        "processor": "dwolla",
    }
    answers = api.volley([("/processor/token/create", fields)] * MANY)
    tokens = {answer["processor_token"] for answer in answers}
    assert len(tokens) == MANY
    assert {api.redeem(token, "auth").code for token in tokens} == {"OK"}


class Caller(threading.Thread):
    """Calls again and again, and remembers when each call that succeeded had started."""

    def __init__(
        self, api: Api, path: str, fields: dict[str, str], gate: threading.Barrier
    ) -> None:
        super().__init__()
        self.api = Api(api.url)
        self.path = path
        self.fields = fields
        self.gate = gate
        self.removed = threading.Event()
        self.successes: list[tuple[float, dict[str, Any]]] = []
        self.codes: Counter[str] = Counter()

    def run(self) -> None:
        self.gate.wait()
        calls_left = 3
        while calls_left:
            if self.removed.is_set():
                calls_left -= 1
            started = time.monotonic()
            answer = self.api.post(self.path, **self.fields)
            self.codes[answer.code] += 1
            if answer.status == 200:
                self.successes.append((started, answer.body))
        self.api.close()


@dataclass(frozen=True)
class Race:
    """One removal of an Item while others mint, redeem and read."""

    # When the removal had been answered.
    removed: float
    minting: Caller
    redeeming: Caller
    viewing: Caller
    reading: Caller

    def check_nothing_succeeded_later(self, api: Api) -> None:
        for caller in (self.minting, self.redeeming, self.viewing, self.reading):
            late = [started for started, _ in caller.successes if started > self.removed]
            assert not late, f"{caller.path} succeeded after the removal had been answered"
        # Tokens too whose minting was on its way while the Item went.
        tokens = [str(body["processor_token"]) for _, body in self.minting.successes]
        assert {api.redeem(each).code for each in tokens} <= {"ITEM_NOT_FOUND"}

    def check_nothing_was_half_removed(self) -> None:
        """A call that overlaps the removal finds the Item as it was, or not at all."""
        for caller in (self.minting, self.redeeming, self.viewing, self.reading):
            assert set(caller.codes) <= {"OK", "ITEM_NOT_FOUND"}, f"{caller.path}: {caller.codes}"
        counts = {len(body["accounts"]) for _, body in self.reading.successes}
        assert len(counts) <= 1, f"/accounts/get answered {sorted(counts)} accounts"


def race_removal(api: Api) -> Race:
    linked = api.link()
    token = api.mint(linked)
    mint = {
        "access_token": linked.access_token,
        "account_id": linked.checking,
        "processor": "dwolla",
    }
    gate = threading.Barrier(5)
    callers = [
        Caller(api, "/processor/token/create", mint, gate),
        Caller(api, "/processor/auth/get", {"processor_token": token}, gate),
        Caller(api, "/processor/account/get", {"processor_token": token}, gate),
        Caller(api, "/accounts/get", {"access_token": linked.access_token}, gate),
    ]
    for caller in callers:
        caller.start()
    gate.wait()
    time.sleep(0.005)
    removal = api.post("/item/remove", access_token=linked.access_token)
    removed = time.monotonic()
    for caller in callers:
        caller.removed.set()
    for caller in callers:
        caller.join()
    assert removal.code == "OK"
    return Race(removed, *callers)


@pytest.mark.slow
def test_nothing_succeeds_after_removal(api: Api) -> None:
    for _ in range(ROUNDS):
        race_removal(api).check_nothing_succeeded_later(api)


@pytest.mark.slow
def test_nothing_succeeds_after_removal_with_two_workers(two_workers: Server) -> None:
    api = Api(two_workers.url, keep_alive=False)
    for _ in range(ROUNDS):
        race_removal(api).check_nothing_succeeded_later(api)


@pytest.mark.slow
def test_no_call_finds_an_item_half_removed(api: Api) -> None:
    for _ in range(ROUNDS):
        race_removal(api).check_nothing_was_half_removed()


@pytest.mark.slow
def test_no_call_finds_an_item_half_removed_with_two_workers(two_workers: Server) -> None:
    api = Api(two_workers.url, keep_alive=False)
    for _ in range(ROUNDS):
        race_removal(api).check_nothing_was_half_removed()


@pytest.mark.parametrize("path", ["token", "stripe/bank_account_token"])
def test_nothing_is_made_of_an_item_once_its_removal_is_kept(
    api: Api, server: Server, path: str
) -> None:
    """What an Item's chain says after its removal is nothing, whatever was on its way."""
    for _ in range(5):
        linked = api.link()
        make = {"access_token": linked.access_token, "account_id": linked.checking}
        if path == "token":
            make["processor"] = "dwolla"
        making = [(f"/processor/{path}/create", make)] * 8
        removal = ("/item/remove", {"access_token": linked.access_token})
        answers = api.volley([*making, removal, *making])
        assert answers[len(making)].code == "OK"
        actions = [
            record["action"]
            for record in records(server, CLIENT_ID)
            if record.get("item_id") == linked.item_id
        ]
        later = actions[actions.index("item.remove") + 1 :]
        # How Stripe answered an intent that came before is still written down.
        assert set(later) <= {"stripe_token.created", "stripe_token.refused"}, later


def test_removal_marks_every_stripe_token_of_the_item(api: Api, server: Server) -> None:
    for _ in range(5):
        linked = api.link()
        make = {"access_token": linked.access_token, "account_id": linked.checking}
        making = [("/processor/stripe/bank_account_token/create", make)] * 8
        removal = ("/item/remove", {"access_token": linked.access_token})
        api.volley([*making, removal, *making])
        assert api.post("/item/get", access_token=linked.access_token).code == "ITEM_NOT_FOUND"
        rows = query(
            server, f"SELECT item_removed_at FROM stripe_tokens WHERE item_id = '{linked.item_id}'"
        )
        unmarked = sum(row["item_removed_at"] is None for row in rows)
        assert unmarked == 0, f"{unmarked} of {len(rows)} are not marked"


@pytest.mark.slow
def test_every_worker_sees_the_end_of_a_permission_at_once(two_workers: Server) -> None:
    # A connection for each request: the kernel hands them to either worker.
    api = Api(two_workers.url, keep_alive=False)
    token = api.mint(api.link("auth", "identity"))
    for _ in range(ROUNDS):
        assert api.permit(token, "identity").code == "OK"
        assert {api.redeem(token, "auth").code for _ in range(4)} == {"INVALID_PRODUCT"}
        assert api.permit(token).code == "OK"
        assert {api.redeem(token, "auth").code for _ in range(4)} == {"OK"}
