"""Tokens in texts where they should not be: found whatever stands around them, and ended."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.plane import Planned
from tests.delegation.conftest import UNKNOWN, Developer
from tests.promises.database import records
from tests.support.receiver import Receiver
from tests.support.server import Server
from treadle.ids import compose_token
from treadle.tokens.scanning import find_tokens

KINDS = st.sampled_from(["public", "access", "processor"])
TOKENS = st.tuples(KINDS, st.binary(min_size=12, max_size=12))


@settings(max_examples=40)
@given(st.lists(TOKENS, max_size=4, unique=True), st.lists(st.text(), min_size=5, max_size=5))
def test_every_token_is_found_in_any_text(made: list[tuple[str, bytes]], around: list[str]) -> None:
    tokens = [(kind, compose_token(kind, "sandbox", random)) for kind, random in made]
    text = around[0] + "".join(
        token + between for (_, token), between in zip(tokens, around[1:], strict=False)
    )
    assert set(find_tokens(text, "sandbox")) == set(tokens)
    assert list(find_tokens(text, "production")) == []


@settings(max_examples=40)
@given(TOKENS, st.integers(0, 35), st.sampled_from("0123456789abcdef"))
def test_what_only_looks_like_one_is_not(
    made: tuple[str, bytes], position: int, digit: str
) -> None:
    kind, random = made
    token = compose_token(kind, "sandbox", random)
    start = token.index("sandbox-") + len("sandbox-")
    at = start + position
    if token[at] in ("-", digit) or position in (14, 19):
        return
    assert list(find_tokens(token[:at] + digit + token[at + 1 :], "sandbox")) == []


def test_leaked_tokens_end(developer: Developer, partner: Planned, server: Server) -> None:
    with Receiver() as receiver:
        linked = developer.link("auth", webhook=receiver.url)
        token, safe = developer.mint(linked), developer.mint(linked)
        handle = developer.handle(token)
        public = developer.public_token()
        log = f"GET /?t={token}&x=1\nkey='{linked.access_token}' {public}{token}"
        answer = developer.delegate("leaks/report", text=log)
        told = [json.loads(one.body) for one in receiver.wait(2)]
    assert [(one["kind"], one["outcome"]) for one in answer["leaked"]] == [
        ("processor", "revoked"),
        ("access", "to_be_rotated"),
        ("public", "revoked"),
    ]
    assert answer["leaked"][0]["token_id"] == handle
    assert answer["unknown"] == 0
    assert partner.redeem(token).code == UNKNOWN
    assert developer.exchange(public).code == "INVALID_PUBLIC_TOKEN"
    assert partner.redeem(safe).code == "OK"
    assert developer.post("/item/get", access_token=linked.access_token).code == "OK"
    assert {(one["webhook_code"], one["kind"]) for one in told} == {
        ("TOKEN_LEAKED", "processor"),
        ("TOKEN_LEAKED", "access"),
    }
    for secret in (token, linked.access_token, public):
        assert secret not in answer.raw.decode()
        assert secret not in json.dumps(told)
    actions = [record["action"] for record in records(server, developer.client_id)]
    assert actions.count("token.leak") == 3
    again = developer.delegate("leaks/report", text=log)
    assert [one["outcome"] for one in again["leaked"]] == [
        "was_over",
        "to_be_rotated",
        "was_over",
    ]


def test_access_tokens_are_rotated_when_asked_to(developer: Developer) -> None:
    linked = developer.link()
    token = developer.mint(linked)
    text = f"Authorization: {linked.access_token};"
    answer = developer.delegate("leaks/report", text=text, rotate_access_tokens=True)
    [leaked] = answer["leaked"]
    assert leaked["outcome"] == "rotated"
    assert developer.post("/item/get", access_token=linked.access_token).code == (
        "INVALID_ACCESS_TOKEN"
    )
    assert developer.post("/item/get", access_token=leaked["new_access_token"]).code == "OK"
    assert developer.redeem(token).code == "OK"
    again = developer.delegate("leaks/report", text=text, rotate_access_tokens=True)
    assert [one["outcome"] for one in again["leaked"]] == ["was_over"]


def test_tokens_of_others_stay_as_they_are(developer: Developer, stranger: Developer) -> None:
    token = developer.mint(developer.link())
    answer = stranger.delegate("leaks/report", text=f"{token} and {compose_token_of_nobody()}")
    assert (answer["leaked"], answer["unknown"]) == ([], 2)
    assert developer.redeem(token).code == "OK"


def compose_token_of_nobody() -> str:
    return compose_token("processor", "sandbox", bytes(12))


def test_reports_are_bounded(developer: Developer) -> None:
    many = " ".join(
        compose_token("processor", "sandbox", number.to_bytes(12)) for number in range(201)
    )
    assert developer.delegate("leaks/report", text=many).code == "INVALID_FIELD"
    assert developer.delegate("leaks/report", text="").code == "INVALID_FIELD"
    assert developer.delegate("leaks/report", text="x" * 1_000_000)["leaked"] == []
