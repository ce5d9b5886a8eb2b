"""Secrets that are planted wherever one may turn up, and looked for in what is kept."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.plane import Planned
from tests.promises.database import query
from tests.support.server import Server
from treadle.recording.masking import Masker, decode

PLANTED = "planted-5f2c9d"
TOKEN = "access-sandbox-5b9d6f0e-7c1a-4e35-9a4b-d20c00000000"
NUMBER = "1111222233334444"

_SECRET_NAMES = st.sampled_from(
    [
        *("secret", "SECRET", "client_secret", "override_password", "seed", "tokens"),
        *("access_token", "public_token", "link_token", "auth_token"),
        *("account_number", "accountNumber", "iban"),
    ]
)
_PLAIN_NAMES = st.sampled_from(["note", "institution_id", "options", "data", "name"])
_TEXTS = st.text(max_size=12)


def kept(*bodies: Any, secrets: tuple[str, ...] = ()) -> str:
    masker = Masker(bodies, secrets)
    return json.dumps([masker.body(body) for body in bodies], ensure_ascii=False)


@st.composite
def nested(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> Any:
    """A value at some depth of lists and objects."""
    value = draw(inner)
    for _ in range(draw(st.integers(0, 4))):
        value = draw(st.sampled_from([[value], [1, value], {draw(_PLAIN_NAMES): value}]))
    return value


@given(
    nested(st.builds(lambda name, value: {name: value}, _SECRET_NAMES, nested(st.just(PLANTED))))
)
def test_what_stands_under_a_telling_name_is_not_kept(body: Any) -> None:
    assert PLANTED not in kept(body)


@given(
    nested(st.builds(lambda name: {name: PLANTED}, _SECRET_NAMES)),
    nested(st.builds(lambda before, after: f"{before}{PLANTED}{after}", _TEXTS, _TEXTS)),
)
def test_nor_where_the_answer_repeats_it(body: Any, echo: Any) -> None:
    assert PLANTED not in kept(body, {"error_message": echo, f"a {PLANTED}": 1})


@given(nested(st.builds(lambda text: f"{text} {TOKEN}.", _TEXTS)), _TEXTS)
def test_tokens_are_known_by_their_looks(body: Any, name: str) -> None:
    for text in (kept(body), kept({f"{name}_{TOKEN}": 1}), kept({TOKEN: [f"A1{TOKEN}"]})):
        assert TOKEN not in text
        assert "5b9d6f0e" not in text


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        f"account {NUMBER} was refused",
        "1111 2222 3333 4444",
        "1111-2222-3333-4444",
        f"on 2026-01-31 {NUMBER}",
        f"2026-01-31{NUMBER}",
        f"{NUMBER}-2026-01-31",
    ],
)
def test_long_numbers_are_known_by_their_looks(text: str) -> None:
    shown = re.sub(r"2026-01-31(?!\d)", "", kept({"note": text, text: 1}))
    assert len(re.sub(r"\D", "", shown)) <= 4


@pytest.mark.parametrize("number", [int(NUMBER), float(NUMBER), -int(NUMBER)])
def test_long_numbers_need_no_quotes(number: float) -> None:
    assert "111122" not in kept({"note": [number]})


@pytest.mark.parametrize("value", [12345678, "12345678", ["12345678"], [[12345678]]])
def test_an_account_is_a_number_in_some_places(value: Any) -> None:
    body = {"numbers": {"bacs": [{"account": value}]}, "note": "12345678"}
    assert "12345678" not in kept(body)


def test_and_an_object_in_others() -> None:
    body = {"account": {"account_id": "K" * 37, "name": "Checking", "mask": "0000"}}
    assert json.loads(kept(body)) == [body]


def test_a_secret_of_the_headers_is_known() -> None:
    assert PLANTED not in kept({"note": PLANTED}, {"x": [f"<{PLANTED}>"]}, secrets=(PLANTED,))


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T12:00:00Z",
        "7d32e298-1563-4c5c-abde-129dfbb4586d",
        "1234567890123456789012ab",
        "ins_109508",
        "https://shop.example/hook?a=1",
        "INVALID_ACCESS_TOKEN",
        12.5,
        43_200,
        0.123456789012345,
        True,
        None,
    ],
)
def test_what_is_no_secret_is_kept(value: Any) -> None:
    assert json.loads(kept({"note": value})) == [{"note": value}]


def test_a_token_is_still_told_by_its_kind() -> None:
    assert json.loads(kept({"access_token": TOKEN})) == [{"access_token": "access-sandbox-…"}]


@given(st.binary(max_size=40))
def test_whatever_comes_is_masked_or_left_out(body: bytes) -> None:
    kept(decode(body))


def test_a_body_that_is_nested_too_deeply_is_left_out() -> None:
    assert decode(b"[" * 100_000) is None


def account_numbers(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(account_numbers, value))
    if not isinstance(value, dict):
        return set()
    own = {
        one
        for name, one in value.items()
        if name in ("account", "account_number", "iban", "payment_reference_number")
        and isinstance(one, str)
    }
    return own | account_numbers(list(value.values()))


def test_nothing_of_a_whole_flow_is_kept(server: Server, plane: Planned) -> None:
    secrets = {plane.secret, PLANTED}
    item = plane.link("auth", "investments_auth", "liabilities")
    processor = plane.mint(item)
    secrets |= {item.access_token, item.public_token, processor}
    access = {"access_token": item.access_token}
    for path in ("/auth/get", "/investments/auth/get", "/liabilities/get", "/identity/get"):
        secrets |= account_numbers(plane.post(path, **access).body)
    secrets |= account_numbers(plane.redeem(processor, "auth").body)
    stripe = plane.post(
        "/processor/stripe/bank_account_token/create", **access, account_id=item.checking
    )
    secrets.add(stripe["stripe_bank_account_token"])
    rotated = plane.post("/item/access_token/invalidate", **access)["new_access_token"]
    secrets.add(rotated)
    secrets.add(plane.sandbox("clients")["secret"])
    plane.sandbox("seed", seed=PLANTED)
    plane.fault("latency", seconds=0.001, token=processor)
    options = {"override_username": "user_custom", "override_password": PLANTED}
    create = {"institution_id": "ins_109508", "initial_products": ["auth"], "options": options}
    plane.post("/sandbox/public_token/create", **create)
    # In the wrong places, which errors repeat, and the reasons that the gate gave.
    mint = {"access_token": rotated, "account_id": item.checking}
    for one in (processor, plane.secret, NUMBER):
        plane.post("/processor/token/create", **mint, processor=one)
    wrong = {processor: 1, "secret_note": PLANTED, f"a {PLANTED}": rotated}
    plane.post("/item/get", access_token=rotated, **wrong)
    plane.post("/institutions/get", count=rotated, offset=PLANTED, secret_note=PLANTED)
    plane.post(f"/{rotated}/{NUMBER}")
    plane.post(f"/processor/{processor}", access_token=rotated)
    plane.read("faults", access_token=rotated)
    assert len(plane.requests(count=500)) >= 18
    assert len(secrets) >= 12
    sql = f"SELECT * FROM requests WHERE client_id = '{plane.client_id}'"
    rows = json.dumps([{k: str(v) for k, v in row.items()} for row in query(server, sql)])
    shown = plane.read("requests", count=500).raw.decode()
    for secret in secrets | {uuid_of(one) for one in secrets if "-sandbox-" in one} | {NUMBER}:
        assert secret not in rows, secret
        assert secret not in shown, secret


def uuid_of(token: str) -> str:
    return str(uuid.UUID(token[-36:]))
