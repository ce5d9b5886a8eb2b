"""What Link keeps, and for how long; and that from the same seed come the same bytes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.control.plane import Planned, own_client
from tests.promises.database import execute, query, tables
from tests.support.link import OAUTH_BANK, PLAIN_BANK, USER, Frame, create, link_token, run
from tests.support.receiver import Receiver
from tests.support.server import Server

Serve = Callable[..., Server]

PHONE = "+14155550199"
NUMBER = "4820047719364155"
PASSWORD = json.dumps(
    {"override_accounts": [{"type": "depository", "numbers": {"account": NUMBER}}]}
)
_REQUEST_ID = re.compile(r'"request_id":"[0-9A-Za-z]{15}"')
_OLD = 31 * 60 * 1_000_000


def everything(server: Server) -> bytes:
    """All that is kept and logged; of a PostgreSQL database its rows."""
    files = [path.read_bytes() for path in Path(server.data).iterdir() if path.name != "keys.json"]
    rows = [repr(query(server, f"SELECT * FROM {table}")).encode() for table in tables(server)]
    return b"".join([*files, *rows, server.log().encode()])


def test_no_secret_is_kept_in_the_clear(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    app, frame = Planned(server.url), Frame(server.url)
    secrets = {"phone": PHONE[1:], "number": NUMBER}
    with Receiver() as receiver:
        user = {**USER, "phone_number": PHONE}
        fields = {"hosted_link": {}, "webhook": receiver.url, "user": user}
        created = create(app, **fields)
        secrets["link token"] = token = created["link_token"]
        secrets["hosted page"] = created["hosted_link_url"].rpartition("/lp")[2]
        frame.start(link_token=token)
        secrets["session"] = frame.key
        frame.act("continue")
        frame.act("select_institution", institution_id=PLAIN_BANK)
        frame.submit(username="user_custom", password=PASSWORD)
        frame.select_all()
        secrets["public token"] = frame.act("finish")["finished"]["public_token"]
        frame.start(link_token=token)
        secrets["visit"] = frame.open_bank()
        plan = {"link_token": token, "username": "user_custom", "password": PASSWORD}
        app.sandbox("link/plan", **plan)
        secrets["second token"] = run(app, token, institution_id=OAUTH_BANK)["public_token"]
        bodies = [one.body.decode() for one in receiver.wait(6)]
    assert any(secrets["public token"] in body for body in bodies)
    kept = everything(server)
    assert len(kept) > 10_000
    found = [name for name, text in secrets.items() if text.encode() in kept]
    assert found == []


def test_texts_are_deleted_with_their_tokens(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    app = Planned(server.url)
    with Receiver() as receiver:
        token = link_token(app, hosted_link={}, webhook=receiver.url)
        run(app, token)
        receiver.wait(3)
        sealed = "SELECT event_id FROM outbox WHERE sealed_body IS NOT NULL"
        assert len(query(server, sealed)) == 3
        assert len(query(server, "SELECT session_id FROM link_results")) == 1
        execute(
            server,
            f"UPDATE outbox SET recorded_at = recorded_at - {_OLD}",
            f"UPDATE link_results SET recorded_at = recorded_at - {_OLD}",
        )
        server.restart()
        deadline = time.monotonic() + 20
        while query(server, sealed) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert query(server, sealed) == []
    assert query(server, "SELECT session_id FROM link_results") == []
    bodies = [row["body"] for row in query(server, "SELECT body FROM outbox")]
    assert all("link-sandbox-…" in body for body in bodies)


def test_old_tokens_are_deleted_with_their_sessions(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    app = Planned(server.url)
    run(app, link_token(app))
    kept = link_token(app)
    execute(
        server,
        "UPDATE link_tokens SET recorded_at = recorded_at - 2678400000000 "
        "WHERE token_id IN (SELECT token_id FROM link_sessions)",
    )
    server.restart()
    deadline = time.monotonic() + 20
    while query(server, "SELECT * FROM link_sessions") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert query(server, "SELECT session_id FROM link_sessions") == []
    assert len(query(server, "SELECT token_id FROM link_tokens")) == 1
    assert Planned(server.url).post("/link/token/get", link_token=kept).code == "OK"


def play(server: Server) -> list[str]:
    """What a fixed list of requests is answered, without the ids of the requests."""
    app, frame = Planned(server.url), Frame(server.url)
    bodies: list[str] = []

    def note(answer: Any) -> Any:
        bodies.append(_REQUEST_ID.sub("", answer.raw.decode()))
        return answer

    token = note(create(app, hosted_link={}))["link_token"]
    fields = {"link_token": token, "institution_id": PLAIN_BANK, "password": "mfa_device"}
    note(app.sandbox("link/run", **fields))
    note(frame.start(link_token=token))
    note(frame.try_to("continue"))
    note(frame.try_to("select_institution", institution_id=OAUTH_BANK))
    visit = note(frame.try_to("open_oauth"))["pane"]["url"].rpartition("=")[2]
    note(frame.post("/_link/oauth", oauth_state_id=visit))
    note(frame.post("/_link/oauth/approve", oauth_state_id=visit))
    note(frame.try_to("finish"))
    note(app.post("/link/token/get", link_token=token))
    return bodies


def test_the_same_seed_gives_the_same_bytes(serve: Serve, store: list[str]) -> None:
    seeded = (
        "--seed",
        "loom",
        "--clock",
        "2026-01-31T12:00:00Z",
        "--public-url",
        "http://link.test",
    )
    assert play(serve(*seeded)) == play(serve(*seeded, *store, "--workers", "2"))


def test_a_whole_session_takes_no_time(server: Server) -> None:
    app = own_client(server)
    token = link_token(app)
    run(app, token)
    began = time.perf_counter()
    for _ in range(10):
        run(app, token)
    assert (time.perf_counter() - began) / 10 < 0.1
    app.close()


def test_a_client_that_is_removed_leaves_nothing(server: Server) -> None:
    ready, app = Planned(server.url), own_client(server)
    frame = Frame(server.url)
    frame.start(link_token=link_token(app))
    run(app, link_token(app))
    ready.sandbox("clients/delete", made_client_id=app.client_id)
    assert frame.try_to("continue").code == "INVALID_LINK_TOKEN"
    for table in ("link_tokens", "link_sessions", "link_results"):
        rows = f"SELECT client_id FROM {table} WHERE client_id = '{app.client_id}'"
        assert query(server, rows) == []


def test_a_token_has_so_many_sessions(app: Planned) -> None:
    token = link_token(app)
    answers = [app.sandbox("link/start", link_token=token).code for _ in range(101)]
    assert answers == ["OK"] * 100 + ["INVALID_LINK_TOKEN"]
