"""The whole of a client's world: exported, imported and emptied, and nobody else's touched."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.control.plane import Planned, over, own_client
from tests.control.world import YEARS, exported, fill, seen, settle, without_request_id
from tests.promises.database import query, records
from tests.support.server import Server
from treadle.state.parts import LEFT_OUT, PARTS, SENDING
from treadle.store import link_tables, tables

Serve = Callable[..., Server]


def test_every_table_of_clients_has_its_place() -> None:
    owned = {table.name for table in link_tables.metadata.tables.values() if "client_id" in table.c}
    parts = [part.name for part in (*PARTS, *SENDING)]
    left_out = [table.name for table in LEFT_OUT]
    assert sorted(parts + left_out) == sorted(owned)
    assert tables.metadata is link_tables.metadata


def test_what_is_exported_is_imported_whole(plane: Planned) -> None:
    settle(plane)
    fill(plane)
    before = plane.read("state")
    assert plane.sandbox("state", state=before["state"]).code == "OK"
    after = plane.read("state")
    assert without_request_id(after.raw) == without_request_id(before.raw)


def test_an_export_shows_what_a_test_would_look_for(plane: Planned) -> None:
    settle(plane)
    item, _ = fill(plane)
    state = exported(plane)
    assert (state["clock"], state["seed"]) == ("2026-01-31T12:00:00.000000Z", "loom")
    [shown] = [one for one in state["items"] if one["item_id"] == item.item_id]
    assert shown["billed_products"] == ["auth", "transactions"]
    assert {one["account_id"] for one in shown["accounts"]} == set(item.accounts.values())
    [transactions] = shown["products"]
    assert transactions["product"] == "transactions"
    assert transactions["entries"]
    kinds = [one["kind"] for one in state["tokens"]]
    assert (kinds.count("access"), kinds.count("processor")) == (2, 1)
    assert [one["client_transaction_id"] for one in state["signal_evaluations"]] == ["first"]
    [of_token, _] = state["faults"]
    [processor_token] = [one for one in state["tokens"] if one["kind"] == "processor"]
    assert of_token["token_id"] == processor_token["token_id"]


def test_no_token_is_in_an_export(plane: Planned) -> None:
    item, token = fill(plane)
    raw = plane.read("state").raw.decode()
    for secret in (item.access_token, item.public_token, token, plane.secret, "sandbox-"):
        assert secret not in raw


def test_an_import_hands_out_new_tokens_for_the_same_world(plane: Planned) -> None:
    settle(plane)
    item, token = fill(plane)
    before = seen(plane, item)
    imported = plane.sandbox("state", state=exported(plane))["tokens"]
    assert plane.post("/item/get", access_token=item.access_token).code == "INVALID_ACCESS_TOKEN"
    assert plane.redeem(token).code == "INVALID_PROCESSOR_TOKEN"
    [access_token] = [
        one["token"]
        for one in imported
        if (one["kind"], one["item_id"]) == ("access", item.item_id)
    ]
    assert seen(plane, item, access_token) == before
    [processor] = [one for one in imported if one["kind"] == "processor"]
    assert (processor["processor"], processor["account_id"]) == ("dwolla", item.checking)
    # The fault is for the token that has taken the place of the old one.
    codes = [plane.redeem(processor["token"]).code for _ in range(4)]
    assert codes == ["INVALID_MFA"] * 3 + ["OK"]
    assert sorted(plane.permissions(processor["token"])) == ["auth", "transactions"]


def test_a_world_goes_on_where_it_was_exported(plane: Planned) -> None:
    settle(plane)
    item, _ = fill(plane)
    state = exported(plane)

    def go_on() -> list[bytes]:
        imported = plane.sandbox("state", state=state)["tokens"]
        access = {
            "access_token": next(
                one["token"]
                for one in imported
                if (one["kind"], one["item_id"]) == ("access", item.item_id)
            )
        }
        answers = [
            plane.sandbox("clock/advance", days=9),
            plane.post("/transactions/sync", **access, count=500),
            plane.post("/item/public_token/create", **access),
            plane.post("/transactions/recurring/get", **access),
        ]
        assert [one.code for one in answers] == ["OK"] * 4
        return [without_request_id(one.raw) for one in answers]

    assert go_on() == go_on()


def test_another_client_takes_it_with_new_ids(plane: Planned, other: Planned) -> None:
    settle(plane)
    item, _ = fill(plane)
    state, before = exported(plane), seen(plane, item)
    refused = other.sandbox("state", state=state)
    assert refused.code == "INVALID_FIELD"
    assert "another client has the Item" in refused.body["error_message"]
    answer = other.sandbox("state", state=state, new_ids=True)
    new_ids = answer["new_ids"]
    assert new_ids.keys() >= {item.item_id, *item.accounts.values()}
    assert not new_ids.keys() & set(new_ids.values())
    [access_token] = [
        one["token"]
        for one in answer["tokens"]
        if (one["kind"], one["item_id"]) == ("access", new_ids[item.item_id])
    ]
    [_, numbers, transactions, _] = seen(other, item, access_token)
    assert [one["account"] for one in numbers["ach"]] == [
        one["account"] for one in before[1]["ach"]
    ]
    assert [one["name"] for one in transactions] == [one["name"] for one in before[2]]
    known = {one["transaction_id"] for one in before[2]}
    assert not known & {one["transaction_id"] for one in transactions}
    # Nobody took anything from the first one.
    assert seen(plane, item) == before


def test_a_reset_leaves_nothing(plane: Planned, other: Planned, server: Server) -> None:
    kept, _ = fill(other)
    before = seen(other, kept)
    settle(plane)
    item, token = fill(plane)
    assert plane.sandbox("state/reset").code == "OK"
    assert plane.post("/item/get", access_token=item.access_token).code == "INVALID_ACCESS_TOKEN"
    assert plane.redeem(token).code == "INVALID_PROCESSOR_TOKEN"
    assert exported(plane) == {"treadle_state": 1}
    assert plane.read("clock")["running"]
    assert plane.read("seed")["seed"] is None
    assert plane.faults() == []
    for part in (*PARTS, *SENDING):
        rows = query(server, f"SELECT * FROM {part.name} WHERE client_id = '{plane.client_id}'")
        assert rows == [], part.name
    assert seen(other, kept) == before
    assert records(server, plane.client_id)[-1]["action"] == "state.reset"


def test_a_world_that_was_reset_can_be_filled_anew(plane: Planned) -> None:
    def first_bytes() -> bytes:
        settle(plane)
        item, _ = fill(plane)
        return without_request_id(plane.post("/accounts/get", access_token=item.access_token).raw)

    before = first_bytes()
    plane.sandbox("state/reset")
    assert first_bytes() == before


def _replace(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        place: Any = state
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


FAULTY: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "version": (_replace("treadle_state", value=2), "state.treadle_state"),
    "no such field": (_replace("more", value=1), "unknown field `more`"),
    "clock": (_replace("clock", value="yesterday"), "state.clock"),
    "far clock": (_replace("clock", value="2500-01-01T00:00:00Z"), "from 2000 to 2199"),
    "item id": (_replace("items", 0, "item_id", value="x"), "state.items[0].item_id"),
    "institution": (
        _replace("items", 0, "institution_id", value="ins_0"),
        "state.items[0].institution_id: there is no such institution",
    ),
    "no login": (_replace("items", 0, "login", value=None), "state.items[0].login"),
    "webhook": (_replace("items", 0, "webhook", value="here"), "state.items[0].webhook"),
    "product": (
        _replace("items", 0, "billed_products", value=["luck"]),
        "state.items[0].billed_products[0]",
    ),
    "error": (
        _replace("items", 0, "error_code", value="SAD"),
        "state.items[0].error_code: an Item cannot be in this error",
    ),
    "no accounts": (
        _replace("items", 0, "accounts", value=[]),
        "state.items[0].accounts: an Item has at least one account",
    ),
    "account twice": (
        lambda state: state["items"][0]["accounts"].append(state["items"][0]["accounts"][0]),
        "is there already",
    ),
    "position": (
        _replace("items", 0, "accounts", 0, "position", value=99),
        "state.items[0].accounts[0].position",
    ),
    "field of a transaction": (
        _replace("items", 0, "products", 0, "entries", 0, "data", "more", value=1),
        "state.items[0].products[0].entries[0].data.more: there is no such field",
    ),
    "account of a transaction": (
        _replace("items", 0, "products", 0, "entries", 0, "data", "account_id", value="x" * 37),
        "the Item has no account",
    ),
    "number of a change": (
        _replace("items", 0, "products", 0, "entries", 0, "changed", value=10**6),
        "the numbers of an entry are not in order",
    ),
    "token of no Item": (
        _replace("tokens", 0, "item_id", value="x" * 37),
        "state.tokens[0].item_id: there is no such Item",
    ),
    "kind": (_replace("tokens", 0, "kind", value="master"), "state.tokens[0].kind"),
    "fault on no token": (
        _replace("faults", 0, "token_id", value="none"),
        "state.faults[0].token_id: there is no such token",
    ),
    "digest in a fault": (
        _replace("faults", 0, "rule", "token_digest", value="00"),
        "state.faults[0].rule.token_digest",
    ),
    "no such code": (
        _replace("faults", 0, "rule", "error_code", value="BAD_LUCK"),
        "state.faults[0].rule",
    ),
}


@pytest.fixture(scope="module")
def filled(server: Server) -> tuple[Planned, dict[str, Any]]:
    client = own_client(server)
    settle(client)
    fill(client)
    return client, exported(client)


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_document_is_refused_by_its_place(
    filled: tuple[Planned, dict[str, Any]], name: str
) -> None:
    client, state = filled
    change, problem = FAULTY[name]
    faulty = copy.deepcopy(state)
    change(faulty)
    refused = client.sandbox("state", state=faulty)
    assert refused.code == "INVALID_FIELD"
    assert problem in refused.body["error_message"]
    # Nothing of it was done.
    assert exported(client) == state


def test_a_body_that_is_too_large_is_refused(plane: Planned) -> None:
    state = {"treadle_state": 1, "seed": "x" * (9 * 1_048_576)}
    refused = plane.sandbox("state", state=state)
    assert refused.code == "INVALID_BODY"
    assert exported(plane) == {"treadle_state": 1}


def test_deep_nesting_is_refused(plane: Planned) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    body = json.dumps({"client_id": plane.client_id, "secret": plane.secret, "state": 0})
    refused = httpx.post(
        f"{plane.url}/treadle/sandbox/state",
        content=body.replace('"state": 0', f'"state": {deep}'),
        headers={"Content-Type": "application/json"},
        trust_env=False,
    )
    assert (refused.status_code, refused.json()["error_type"]) == (400, "INVALID_REQUEST")


def test_a_webhook_that_was_owed_is_dropped(plane: Planned, server: Server) -> None:
    settle(plane)
    item = plane.link("auth", webhook="http://127.0.0.1:9/")
    plane.post(
        "/sandbox/item/fire_webhook", access_token=item.access_token, webhook_code="LOGIN_REPAIRED"
    )
    owed = f"SELECT * FROM outbox WHERE client_id = '{plane.client_id}'"
    assert query(server, owed)
    plane.sandbox("state", state=exported(plane))
    assert query(server, owed) == []


@pytest.mark.slow
def test_every_worker_sees_it(serve: Serve, store: list[str]) -> None:
    server = serve("--workers", "2", *store)
    client = own_client(server)
    settle(client)
    item, _ = fill(client)
    state = exported(client)
    plane = over(server, client)
    for _ in range(5):
        tokens = plane.sandbox("state", state=state)["tokens"]
        access = {
            "access_token": next(
                one["token"]
                for one in tokens
                if (one["kind"], one["item_id"]) == ("access", item.item_id)
            )
        }
        created = plane.post("/transactions/get", **access, **YEARS, options={"count": 500})
        answers = plane.volley(
            [("/transactions/get", {**access, **YEARS, "options": {"count": 500}})] * 6
        )
        shown = [one["transactions"] for one in answers]
        assert shown == [created["transactions"]] * 6
        plane.sandbox("state/reset")
        answers = plane.volley([("/item/get", access)] * 6)
        assert {one.code for one in answers} == {"INVALID_ACCESS_TOKEN"}
