"""Once: a key makes one thing, however often and however concurrently it is asked for."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.control.plane import Planned
from tests.delegation.conftest import Developer, developer_on
from tests.partners.stripe_peer import StripePeer
from tests.promises.database import execute, query
from tests.running.processes import wait_until
from tests.support.effort import tries
from tests.support.raw import INSTITUTION, Answer, Linked, read_answer
from tests.support.server import Server
from treadle.clock import DAY, SECOND
from treadle.operations import IMPLEMENTED, load_areas

MINT = "/processor/token/create"
SHED = "RATE_LIMIT"
KEYS, DUPLICATES = tries(10, thorough=200), 64


def keyed(client: Planned, key: str, path: str, /, **fields: Any) -> Answer:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    client._connection.request("POST", path, client.body(fields), headers)
    response = client._connection.getresponse()
    answer = Answer(response.status, response.read())
    if not client._keep_alive:
        client._connection.close()
    return answer


def for_checking(linked: Linked, processor: str = "dwolla") -> dict[str, Any]:
    return {
        "access_token": linked.access_token,
        "account_id": linked.checking,
        "processor": processor,
    }


def count_tokens(server: Server, developer: Developer, kind: str = "processor") -> int:
    [row] = query(
        server,
        "SELECT count(*) AS number FROM tokens "
        f"WHERE client_id = '{developer.client_id}' AND kind = '{kind}'",
    )
    return int(row["number"])


@contextlib.contextmanager
def lines_to(developer: Developer, number: int) -> Iterator[list[socket.socket]]:
    """So many connections, to whichever worker takes each."""
    address = urlsplit(developer.url)
    with contextlib.ExitStack() as stack:
        lines = []
        for _ in range(number):
            line = socket.create_connection((address.hostname, address.port), 30)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            lines.append(stack.enter_context(line))
        yield lines


def mint_on_all(
    lines: list[socket.socket], developer: Developer, key: str, fields: dict[str, Any]
) -> list[Answer]:
    """The same request on each line; the last bytes of all go out together."""
    body = developer.body(fields)
    head = f"POST {MINT} HTTP/1.1\r\nHost: {urlsplit(developer.url).netloc}\r\n"
    head += f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    for line in lines:
        line.sendall(head.encode() + body[:-1])
    for line in lines:
        line.sendall(body[-1:])
    return [read_answer(line) for line in lines]


def test_a_repetition_is_answered_alike(developer: Developer, server: Server) -> None:
    linked = developer.link()
    first = keyed(developer, "one", MINT, **for_checking(linked))
    assert developer.redeem(first["processor_token"]).code == "OK"
    # The order of the fields is no part of what is asked, nor is where the credentials are.
    fields = dict(reversed(for_checking(linked).items()))
    assert keyed(developer, "one", MINT, **fields).raw == first.raw
    assert keyed(developer, "two", MINT, **fields)["processor_token"] != first["processor_token"]
    assert count_tokens(server, developer) == 2


def test_a_key_is_for_one_request(developer: Developer, server: Server) -> None:
    linked = developer.link()
    assert keyed(developer, "one", MINT, **for_checking(linked)).code == "OK"
    for path, fields in (
        (MINT, for_checking(linked, "paynote")),
        ("/processor/apex/processor_token/create", {"account_id": linked.checking}),
    ):
        answer = keyed(developer, "one", path, **{"access_token": linked.access_token} | fields)
        assert answer.code == "IDEMPOTENCY_KEY_REUSED"
    assert count_tokens(server, developer) == 1


def test_keys_belong_to_a_client(developer: Developer, stranger: Developer) -> None:
    linked, other = developer.link(), stranger.link()
    first = keyed(developer, "one", MINT, **for_checking(linked))
    assert keyed(stranger, "one", MINT, **for_checking(other)).raw != first.raw


def test_an_error_is_not_kept(developer: Developer) -> None:
    linked = developer.link()
    wrong = for_checking(linked, "nobody")
    assert keyed(developer, "one", MINT, **wrong).code == "INVALID_FIELD"
    assert keyed(developer, "one", MINT, **for_checking(linked)).code == "OK"


@pytest.mark.parametrize("key", ["", "x" * 256, "white space", "caf\xe9"])
def test_malformed_keys_are_refused(developer: Developer, key: str) -> None:
    fields = for_checking(developer.link())
    assert keyed(developer, key, MINT, **fields).code == "INVALID_HEADERS"


def test_only_the_clients_own_credentials_get_the_answer(developer: Developer) -> None:
    fields = for_checking(developer.link())
    keyed(developer, "one", MINT, **fields)
    assert keyed(developer, "one", MINT, **fields, secret="wrong").code == "INVALID_API_KEYS"


def test_reads_pass_keys_over(developer: Developer) -> None:
    token = developer.mint(developer.link())
    path = "/processor/auth/get"
    first, second = (keyed(developer, "one", path, processor_token=token) for _ in range(2))
    assert first["request_id"] != second["request_id"]


def test_every_operation_that_makes_something_takes_keys(developer: Developer) -> None:
    linked = developer.link()
    access = {"access_token": linked.access_token}
    products = {"institution_id": INSTITUTION, "initial_products": ["auth"]}
    link_token = {
        "client_name": "Shop",
        "language": "en",
        "country_codes": ["US"],
        "user": {"client_user_id": "one"},
        "products": ["auth"],
    }
    today = dt.datetime.now(dt.UTC).date().isoformat()
    transaction = {
        "amount": 1.5,
        "date_transacted": today,
        "date_posted": today,
        "description": "Loom",
    }
    user_auth = {"user_id": "user_good", "auth_token": "pass_good"}
    requests: dict[str, dict[str, Any]] = {
        "/sandbox/public_token/create": products,
        "/sandbox/processor_token/create": {"institution_id": INSTITUTION},
        "/item/public_token/create": access,
        "/item/public_token/exchange": {"public_token": developer.public_token()},
        "/item/import": {
            "institution_id": INSTITUTION,
            "products": ["auth"],
            "user_auth": user_auth,
        },
        "/link/token/create": link_token,
        MINT: for_checking(linked),
        "/processor/apex/processor_token/create": {**access, "account_id": linked.checking},
        "/processor/stripe/bank_account_token/create": {
            **access,
            "account_id": linked.checking,
        },
        "/sandbox/transactions/create": {
            "access_token": developer.link("transactions").access_token,
            "transactions": [transaction],
        },
        "/item/access_token/invalidate": access,
    }
    load_areas()
    assert set(requests) == {path for path, one in IMPLEMENTED.items() if one.repeatable_for}
    for path, fields in requests.items():
        first = keyed(developer, f"for {path}".replace(" ", "_"), path, **fields)
        assert first.code == "OK", path
        again = keyed(developer, f"for {path}".replace(" ", "_"), path, **fields)
        assert again.raw == first.raw, path


@pytest.mark.slow
def test_so_many_keys_make_so_many_tokens(store: list[str], serve: Callable[..., Server]) -> None:
    server = serve("--workers", "2", *store)
    developer = developer_on(server, keep_alive=False)
    fields = for_checking(developer.link())
    tokens = set()
    with lines_to(developer, DUPLICATES) as lines:
        for number in range(KEYS):
            answers = mint_on_all(lines, developer, f"key-{number}", fields)
            # A machine that is short of processors may shed some of them.
            served = {answer.raw for answer in answers if answer.code != SHED}
            assert len(served) == 1, answers
            again = keyed(developer, f"key-{number}", MINT, **fields)
            assert again.raw in served
            tokens.add(again["processor_token"])
    assert len(tokens) == KEYS
    assert count_tokens(server, developer) == KEYS


def test_a_key_survives_crashes(store: list[str], serve: Callable[..., Server]) -> None:
    """Requests are under way whenever the server is killed, and sent again until answered."""
    server = serve(*store)
    developer = developer_on(server, keep_alive=False)
    linked = developer.link()
    answered: dict[str, str] = {}

    def mint_all() -> None:
        client = Developer(server.url, developer.client_id, developer.secret, keep_alive=False)
        for number in range(150):
            key = f"key-{number}"
            while key not in answered:
                try:
                    answer = keyed(client, key, MINT, **for_checking(linked))
                    answered[key] = answer["processor_token"]
                except (OSError, HTTPException):
                    client.close()
                    time.sleep(0.01)

    minting = threading.Thread(target=mint_all)
    minting.start()
    for _ in range(3):
        time.sleep(0.15)
        server.kill()
        server.start()
    minting.join()
    assert len(set(answered.values())) == 150
    assert count_tokens(server, developer) == 150
    for key in ("key-0", "key-149"):
        again = keyed(developer, key, MINT, **for_checking(linked))
        assert again["processor_token"] == answered[key]


def end_by_revoking(developer: Developer, linked: Linked, token: str) -> None:
    assert developer.delegate("revoke", processor_token=token)["revoked"] == 1


def end_by_removing(developer: Developer, linked: Linked, token: str) -> None:
    assert developer.post("/item/remove", access_token=linked.access_token).code == "OK"


@pytest.mark.parametrize("end", [end_by_revoking, end_by_removing])
def test_an_answer_ends_with_its_token(
    developer: Developer, server: Server, end: Callable[[Developer, Linked, str], None]
) -> None:
    linked = developer.link()
    token = keyed(developer, "one", MINT, **for_checking(linked))["processor_token"]
    end(developer, linked, token)
    assert kept(server, developer)["answer"] is None
    again = keyed(developer, "one", MINT, **for_checking(linked))
    assert again.code == "IDEMPOTENT_ANSWER_GONE"


def test_an_answer_ends_with_its_time(developer: Developer, server: Server) -> None:
    fields = for_checking(developer.link())
    assert keyed(developer, "one", MINT, **fields).code == "OK"
    day = kept(server, developer)["forget_at"] - kept(server, developer)["recorded_at"]
    assert day == pytest.approx(DAY, abs=SECOND)
    execute(
        server, f"UPDATE idempotency SET forget_at = 1 WHERE client_id = '{developer.client_id}'"
    )
    assert keyed(developer, "one", MINT, **fields).code == "IDEMPOTENT_ANSWER_GONE"
    assert count_tokens(server, developer) == 1


def test_an_answer_ends_with_the_pepper_of_its_request(
    developer: Developer, server: Server
) -> None:
    fields = for_checking(developer.link())
    assert keyed(developer, "one", MINT, **fields).code == "OK"
    execute(
        server,
        f"UPDATE idempotency SET pepper_id = 'retired' WHERE client_id = '{developer.client_id}'",
    )
    assert keyed(developer, "one", MINT, **fields).code == "IDEMPOTENT_ANSWER_GONE"


def has(server: Server, sql: str, values: tuple[int, ...]) -> bool:
    [row] = query(server, sql)
    return tuple(row.values()) == values


def test_old_answers_and_keys_are_deleted(store: list[str], serve: Callable[..., Server]) -> None:
    """More of them than are deleted together."""
    server = serve(*store)
    developer = developer_on(server, keep_alive=False)
    fields = for_checking(developer.link())
    for number in range(60):
        assert keyed(developer, f"key-{number}", MINT, **fields).code == "OK"
    counts = "SELECT count(*) AS keys, count(answer) AS answers FROM idempotency"
    for aged, left in (("forget_at", (60, 0)), ("recorded_at", (0, 0))):
        execute(server, f"UPDATE idempotency SET {aged} = 1")
        server.restart()
        wait_until(partial(has, server, counts, left))


def kept(server: Server, developer: Developer) -> dict[str, Any]:
    [row] = query(server, f"SELECT * FROM idempotency WHERE client_id = '{developer.client_id}'")
    return row


def test_tokens_that_have_ended_are_not_told(developer: Developer) -> None:
    products = {"institution_id": INSTITUTION, "initial_products": ["auth"]}
    public = keyed(developer, "public", "/sandbox/public_token/create", **products)["public_token"]
    access = developer.exchange(public)["access_token"]
    again = keyed(developer, "public", "/sandbox/public_token/create", **products)
    assert again.code == "IDEMPOTENT_ANSWER_GONE"
    rotate = "/item/access_token/invalidate"
    first = keyed(developer, "first", rotate, access_token=access)
    assert keyed(developer, "first", rotate, access_token=access).raw == first.raw
    keyed(developer, "second", rotate, access_token=first["new_access_token"])
    again = keyed(developer, "first", rotate, access_token=access)
    assert again.code == "IDEMPOTENT_ANSWER_GONE"


def test_no_token_stands_in_what_is_kept(developer: Developer, server: Server) -> None:
    linked = developer.link()
    token = keyed(developer, "my-key", MINT, **for_checking(linked))["processor_token"]
    row = kept(server, developer)
    values = [v if isinstance(v, bytes) else str(v).encode() for v in row.values()]
    found = b"\n".join(values)
    assert row["answer"] in found
    for secret in (token, token.partition("-sandbox-")[2], linked.access_token, "my-key"):
        assert secret.encode() not in found


def test_stripe_is_asked_under_the_same_key(serve: Callable[..., Server]) -> None:
    """So that a server that is killed before it keeps the answer gets the same token again."""
    direct = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    with StripePeer("sk_test_treadle") as peer:
        arguments = ["--stripe-key", peer.secret_key, "--stripe-url", peer.url]
        server = serve(*arguments, env=direct)
        developer = developer_on(server, keep_alive=False)
        linked = developer.link()
        fields = {"access_token": linked.access_token, "account_id": linked.checking}
        path = "/processor/stripe/bank_account_token/create"
        first = keyed(developer, "one", path, **fields)["stripe_bank_account_token"]
        execute(server, f"DELETE FROM idempotency WHERE client_id = '{developer.client_id}'")
        assert keyed(developer, "one", path, **fields)["stripe_bank_account_token"] == first
        assert keyed(developer, "two", path, **fields)["stripe_bank_account_token"] != first
    first, second, other = (seen.headers["idempotency-key"] for seen in peer.seen)
    assert first == second != other


def test_a_world_that_is_gone_takes_its_answers_along(developer: Developer) -> None:
    linked = developer.link()
    assert keyed(developer, "one", MINT, **for_checking(linked)).code == "OK"
    developer.sandbox("state/reset")
    answer = keyed(developer, "one", MINT, **for_checking(linked))
    assert answer.code == "INVALID_ACCESS_TOKEN"
