"""The audit chain: what changes is recorded, once and in the same transaction, and cannot be
rewritten unnoticed."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.promises.database import (
    ChainBroken,
    Row,
    address,
    audit,
    execute,
    query,
    records,
    tables,
    verify_chains,
)
from tests.support.raw import INSTITUTION, Answer, Api, cli, new_client
from tests.support.server import Server

# Nothing listens there, so what is owed stays owed.
HOOK = "http://127.0.0.1:1/hook"


class Watched:
    """A client of its own, and what each call adds to its chain and to the outbox."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client_id, secret = new_client(server)
        self.api = Api(server.url, self.client_id, secret)
        self.catch_up()

    def catch_up(self) -> None:
        self.seen = len(records(self.server, self.client_id))
        self.owed = len(self.outbox_rows())

    def new(self) -> list[Row]:
        """What was recorded since this was last asked."""
        everything = records(self.server, self.client_id)
        new, self.seen = everything[self.seen :], len(everything)
        return new

    def actions(self) -> list[str]:
        return [record["action"] for record in self.new()]

    def outbox(self) -> list[Row]:
        """The webhooks owed since the test began."""
        return self.outbox_rows()[self.owed :]

    def outbox_rows(self) -> list[Row]:
        sql = f"SELECT * FROM outbox WHERE client_id = '{self.client_id}' ORDER BY created_at"
        return query(self.server, sql)

    def create(self, products: list[str], **options: Any) -> Answer:
        return self.api.post(
            "/sandbox/public_token/create",
            institution_id=INSTITUTION,
            initial_products=products,
            options=options,
        )


@pytest.fixture(scope="module")
def watched_client(server: Server) -> Iterator[Watched]:
    watched = Watched(server)
    yield watched
    watched.api.close()


@pytest.fixture
def watched(watched_client: Watched) -> Watched:
    watched_client.catch_up()
    return watched_client


def test_each_change_is_recorded(watched: Watched) -> None:
    api = watched.api
    public_token = watched.create(["transactions"])["public_token"]
    assert watched.actions() == ["item.create", "public_token.create"]
    exchanged = api.exchange(public_token)
    access = {"access_token": exchanged["access_token"]}
    assert watched.actions() == ["public_token.exchange", "access_token.create"]
    accounts = api.post("/accounts/get", **access)["accounts"]
    [checking] = [one["account_id"] for one in accounts if one["subtype"] == "checking"]

    def after(path: str, /, **fields: Any) -> list[str]:
        answer = api.post(path, **fields)
        assert answer.code == "OK", answer.raw
        answers.append(answer)
        return watched.actions()

    answers: list[Answer] = []
    # Whoever is the first to read, or the first webhook, brings the transactions up to date.
    assert after("/transactions/sync", **access) == ["item.update"]
    mint = {**access, "account_id": checking}
    made = after("/processor/token/create", **mint, processor="dwolla")
    assert made == ["processor_token.create"]
    token = {"processor_token": answers[-1]["processor_token"]}
    made = after("/processor/apex/processor_token/create", **mint)
    assert made == ["processor_token.create"]
    made = after("/processor/token/permissions/set", **token, products=["auth"])
    assert made == ["processor_token.permissions_set"]
    made = after("/processor/token/permissions/set", **token, products=[])
    assert made == ["processor_token.permissions_set"]
    assert after("/processor/auth/get", **token) == ["item.initialise_product"]
    assert after("/processor/auth/get", **token) == []
    assert after("/identity/get", **access) == ["item.initialise_product"]
    made = after("/processor/token/webhook/update", **token, webhook=HOOK)
    assert made == ["processor_token.webhook_update"]
    assert after("/item/webhook/update", **access, webhook=HOOK) == ["item.webhook_update"]
    made = after("/processor/stripe/bank_account_token/create", **mint)
    assert made == ["stripe_token.ask", "stripe_token.created"]
    assert after("/item/public_token/create", **access) == ["public_token.create"]
    assert after("/sandbox/item/reset_login", **access) == ["item.reset_login"]
    made = after("/item/access_token/invalidate", **access)
    assert made == ["access_token.rotate", "access_token.create"]
    access = {"access_token": answers[-1]["new_access_token"]}
    made = after("/item/remove", **access, reason_code="OTHER", reason_note="moved")
    assert made == ["item.remove"]
    made = after("/sandbox/processor_token/create", institution_id=INSTITUTION)
    assert made == ["item.create", "processor_token.create"]
    made = after(
        "/item/import",
        institution_id=INSTITUTION,
        products=["auth"],
        user_auth={"user_id": "user_good", "auth_token": "pass_good"},
    )
    assert made == ["item.create", "access_token.create"]


def test_records_name_what_changed_and_who_changed_it(watched: Watched) -> None:
    linked = watched.api.link()
    watched.new()
    token = watched.api.mint(linked)
    watched.api.permit(token, "auth", "identity")
    minted, permitted = watched.new()
    assert minted["detail"] == {"processor": "dwolla"}
    assert permitted["detail"] == {"products": ["auth", "identity"]}
    assert minted["token_id"] == permitted["token_id"]
    for record in (minted, permitted):
        assert record["actor"] == record["client_id"] == watched.client_id
        assert (record["item_id"], record["account_id"]) == (linked.item_id, linked.checking)


def test_reads_leave_no_record(watched: Watched) -> None:
    api = watched.api
    linked = api.link("auth", "identity")
    token = api.mint(linked)
    watched.new()
    access = {"access_token": linked.access_token}
    for path in ("item", "accounts", "auth", "identity", "accounts/balance"):
        assert api.post(f"/{path}/get", **access).code == "OK"
    for what in ("account", "auth", "identity", "balance", "token/permissions"):
        assert api.redeem(token, what).code == "OK"
    assert watched.new() == []


def test_refused_calls_leave_no_record(watched: Watched) -> None:
    api = watched.api
    linked = api.link("transactions")
    token = api.mint(linked)
    api.permit(token, "identity")
    watched.new()
    refused = [
        api.exchange(linked.public_token),
        api.redeem(token, "auth"),
        api.permit(token, "unicorns"),
        api.post(
            "/processor/token/create",
            access_token=linked.access_token,
            account_id=linked.checking,
            processor="nobody",
        ),
        watched.create(["unicorns"]),
    ]
    assert "OK" not in {answer.code for answer in refused}
    assert watched.new() == []


def test_losers_of_a_race_leave_no_record(watched: Watched) -> None:
    public_token = watched.create(["auth"])["public_token"]
    watched.new()
    request = ("/item/public_token/exchange", {"public_token": public_token})
    answers = watched.api.volley([request] * 16)
    assert [answer.code for answer in answers].count("OK") == 1
    assert watched.actions() == ["public_token.exchange", "access_token.create"]


def test_a_redeem_that_bills_is_recorded_with_the_owner(server: Server, watched: Watched) -> None:
    partner_id, secret = new_client(server, "--processors", "dwolla")
    partner = Api(server.url, partner_id, secret)
    linked = watched.api.link("transactions")
    token = watched.api.mint(linked)
    watched.new()
    assert partner.redeem(token, "identity").code == "OK"
    [record] = watched.new()
    assert record["action"] == "item.initialise_product"
    assert (record["client_id"], record["actor"]) == (watched.client_id, partner_id)
    assert [one["action"] for one in records(server, partner_id)] == ["client.create"]


@pytest.mark.slow
def test_operators_are_recorded(server: Server) -> None:
    watched = Watched(server)
    assert records(server, watched.client_id)[0]["action"] == "client.create"
    cli(watched.server, "client", "rotate-secret", watched.client_id)
    cli(watched.server, "client", "remove", watched.client_id)
    new = watched.new()
    assert [record["action"] for record in new] == ["client.rotate_secret", "client.remove"]
    assert {record["actor"] for record in new} == {"operator"}


def test_webhooks_are_owed_for_what_is_kept(watched: Watched) -> None:
    api = watched.api
    linked = api.link(webhook=HOOK)
    access = {"access_token": linked.access_token}
    assert watched.outbox() == []
    assert api.post("/sandbox/item/reset_login", **access).code == "OK"
    [row] = watched.outbox()
    body = json.loads(row["body"])
    assert (row["url"], row["item_id"]) == (HOOK, linked.item_id)
    assert row["state"] == "pending"
    assert (body["webhook_type"], body["webhook_code"]) == ("ITEM", "ERROR")
    assert body["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"
    # It is in that state already: nothing new to tell.
    assert api.post("/sandbox/item/reset_login", **access).code == "OK"
    assert len(watched.outbox()) == 1
    other = f"{HOOK}/other"
    token = api.mint(linked)
    assert api.post("/item/webhook/update", **access, webhook=other).code == "OK"
    update = {"processor_token": token, "webhook": other}
    assert api.post("/processor/token/webhook/update", **update).code == "OK"
    _, *updates = watched.outbox()
    assert {row["url"] for row in updates} == {other}
    assert {row["state"] for row in updates} == {"pending"}
    types = {json.loads(row["body"])["webhook_type"] for row in updates}
    codes = {json.loads(row["body"])["webhook_code"] for row in updates}
    assert (types, codes) == ({"ITEM", "PROCESSOR_TOKEN"}, {"WEBHOOK_UPDATE_ACKNOWLEDGED"})
    # Nothing is owed to nobody.
    assert api.post("/item/webhook/update", **access, webhook=None).code == "OK"
    assert len(watched.outbox()) == 3


def test_without_a_webhook_nothing_is_owed(watched: Watched) -> None:
    linked = watched.api.link()
    watched.api.post("/sandbox/item/reset_login", access_token=linked.access_token)
    assert watched.outbox() == []


def test_chains_hold_when_many_write_at_once(watched: Watched) -> None:
    linked = watched.api.link()
    fields = {"access_token": linked.access_token, "account_id": linked.checking}
    request = ("/processor/token/create", fields | {"processor": "dwolla"})
    answers = watched.api.volley([request] * 32)
    assert {answer.code for answer in answers} == {"OK"}
    assert watched.actions().count("processor_token.create") == 32
    verify_chains(*audit(watched.server))


@contextmanager
def audit_out_of_order(server: Server) -> Iterator[None]:
    """While this holds, the database refuses every new audit entry."""
    if address(server) is None:
        made = [
            "CREATE TRIGGER out_of_order BEFORE INSERT ON audit "
            "BEGIN SELECT RAISE(ABORT, 'out of order'); END"
        ]
        undone = ["DROP TRIGGER out_of_order"]
    else:
        made = [
            "CREATE FUNCTION out_of_order() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'out of order'; END $$",
            "CREATE TRIGGER out_of_order BEFORE INSERT ON audit EXECUTE FUNCTION out_of_order()",
        ]
        undone = ["DROP TRIGGER out_of_order ON audit", "DROP FUNCTION out_of_order()"]
    execute(server, *made)
    try:
        yield
    finally:
        execute(server, *undone)


def test_what_cannot_be_recorded_does_not_happen(
    serve: Callable[..., Server], store: list[str]
) -> None:
    # The log of requests tells of failures too.
    server = serve("--requests-kept", "0", *store)
    api = Api(server.url)
    linked = api.link("auth", "identity")
    token = api.mint(linked)
    spare = api.public_token()
    before = dump(server)
    with audit_out_of_order(server):
        mint = {"access_token": linked.access_token, "account_id": linked.checking}
        answers = [
            api.exchange(spare),
            api.permit(token, "identity"),
            api.post("/processor/token/create", **mint, processor="dwolla"),
            api.post("/item/access_token/invalidate", access_token=linked.access_token),
            api.post("/sandbox/item/reset_login", access_token=linked.access_token),
            api.post("/item/remove", access_token=linked.access_token),
        ]
    assert {answer.code for answer in answers} == {"INTERNAL_SERVER_ERROR"}
    assert dump(server) == before
    verify_chains(*audit(server))
    # And all of it works as soon as it can be recorded.
    assert api.exchange(spare).code == "OK"
    assert api.redeem(token, "auth").code == "OK"
    verify_chains(*audit(server))


def dump(server: Server) -> dict[str, list[str]]:
    """Every row of every table."""
    return {
        table: sorted(repr(row) for row in query(server, f"SELECT * FROM {table}"))
        for table in tables(server)
    }


def flip(entries: list[Row], heads: list[Row]) -> None:
    """Change one character of one entry."""
    entries[3]["entry"] = entries[3]["entry"].replace("public", "publik")


def flip_and_rehash(entries: list[Row], heads: list[Row]) -> None:
    flip(entries, heads)
    rehashed = entries[2]["hash"] + (4).to_bytes(8) + entries[3]["entry"].encode()
    entries[3]["hash"] = hashlib.sha256(rehashed).digest()


def flip_and_rehash_all(entries: list[Row], heads: list[Row]) -> None:
    """Everything but the head, which an auditor keeps elsewhere."""
    flip(entries, heads)
    digest = bytes(32)
    for number, row in enumerate(entries, 1):
        digest = hashlib.sha256(digest + number.to_bytes(8) + row["entry"].encode()).digest()
        row["hash"] = digest


def delete(entries: list[Row], heads: list[Row]) -> None:
    del entries[2]


def delete_and_renumber(entries: list[Row], heads: list[Row]) -> None:
    del entries[2]
    for number, entry in enumerate(entries, 1):
        entry["sequence"] = number


def swap(entries: list[Row], heads: list[Row]) -> None:
    one, other = entries[2], entries[3]
    one["entry"], other["entry"] = other["entry"], one["entry"]


def swap_whole(entries: list[Row], heads: list[Row]) -> None:
    entries[2], entries[3] = entries[3], entries[2]
    entries[2]["sequence"], entries[3]["sequence"] = 3, 4


def cut(entries: list[Row], heads: list[Row]) -> None:
    del entries[-1]


def cut_all(entries: list[Row], heads: list[Row]) -> None:
    entries.clear()


def forget_head(entries: list[Row], heads: list[Row]) -> None:
    heads.clear()


def repeat(entries: list[Row], heads: list[Row]) -> None:
    entries.append({**entries[-1], "sequence": len(entries) + 1})


def pass_to_another(entries: list[Row], heads: list[Row]) -> None:
    for row in (*entries, *heads):
        row["client_id"] = "another"


FORGERIES = [
    flip,
    flip_and_rehash,
    flip_and_rehash_all,
    delete,
    delete_and_renumber,
    swap,
    swap_whole,
    cut,
    cut_all,
    forget_head,
    repeat,
    pass_to_another,
]


@pytest.fixture(scope="module")
def chain(server: Server) -> tuple[list[Row], list[Row]]:
    """A chain of six entries and its head."""
    client_id, secret = new_client(server)
    api = Api(server.url, client_id, secret)
    api.permit(api.mint(api.link()), "auth")
    api.close()
    entries, heads = (
        [row for row in rows if row["client_id"] == client_id] for rows in audit(server)
    )
    assert len(entries) == 7
    return entries, heads


def test_each_hash_covers_all_that_came_before(chain: tuple[list[Row], list[Row]]) -> None:
    """Recomputed with nothing of the server's own: SHA-256 of the last hash, number and entry."""
    entries, [head] = chain
    digest = bytes(32)
    for number, row in enumerate(entries, 1):
        digest = hashlib.sha256(digest + number.to_bytes(8) + row["entry"].encode()).digest()
        assert (row["sequence"], row["hash"]) == (number, digest)
    assert (head["sequence"], head["hash"]) == (len(entries), digest)


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_forgery_is_noticed(
    chain: tuple[list[Row], list[Row]], forge: Callable[[list[Row], list[Row]], None]
) -> None:
    verify_chains(*chain)
    entries, heads = copy.deepcopy(chain)
    forge(entries, heads)
    assert (entries, heads) != chain
    with pytest.raises(ChainBroken):
        verify_chains(entries, heads)
