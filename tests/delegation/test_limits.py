"""Limits of a token: what each keeps from a partner, that none is widened, and that calls count."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.plane import Planned, own_client
from tests.delegation.conftest import DWOLLA, UNKNOWN, Developer, developer_on
from tests.promises.database import execute, query
from tests.support.flows import YEARS
from tests.support.raw import Answer
from tests.support.server import Server
from treadle.operations import IMPLEMENTED, load_areas
from treadle.tokens.limits import Field, Limits, decode_limits
from treadle.tokens.scope import PROCESSOR_SCOPES

NOON = "2030-01-31T12:00:00Z"
RANGE = {name: day.isoformat() for name, day in YEARS.items()}
BALANCES = ("available", "current", "limit", "iso_currency_code", "unofficial_currency_code")


def limit(developer: Developer, token: str, **limits: Any) -> Answer:
    return developer.delegate("limits/set", processor_token=token, **limits)


def test_limits_are_set_shown_and_kept(developer: Developer) -> None:
    token = developer.mint(developer.link())
    limits = {
        "expires_at": "2031-01-31T12:00:00Z",
        "calls": 10,
        "transactions_from": "2029-12-01",
        "fields": ["balances", "numbers"],
    }
    shown = limits | {"calls_left": 10}
    assert limit(developer, token, **limits)["limits"] == shown
    assert developer.delegate("limits/get", processor_token=token)["limits"] == shown
    assert developer.listed()[0]["limits"] == shown
    narrower = limit(developer, token, fields=["numbers"])["limits"]
    assert narrower == shown | {"fields": ["numbers"]}


def test_an_expired_token_is_no_token(developer: Developer, partner: Planned) -> None:
    developer.sandbox("clock", now=NOON)
    token = developer.mint(developer.link())
    limit(developer, token, expires_at="2030-01-31T14:00:00+01:00")
    developer.sandbox("clock/advance", minutes=59)
    assert partner.redeem(token, "auth").code == "OK"
    developer.sandbox("clock/advance", minutes=1)
    assert partner.redeem(token, "auth").code == UNKNOWN
    assert developer.permit(token).code == UNKNOWN
    assert developer.listed()[0]["state"] == "expired"


def test_a_refused_call_is_not_counted(developer: Developer, partner: Planned) -> None:
    token = developer.mint(developer.link("auth", "identity"))
    developer.permit(token, "auth")
    limit(developer, token, calls=2)
    for _ in range(3):
        assert partner.redeem(token, "identity").code == "INVALID_PRODUCT"
    codes = [partner.redeem(token, "auth").code for _ in range(4)]
    assert codes == ["OK", "OK", UNKNOWN, UNKNOWN]
    told = developer.listed()[0]
    assert (told["state"], told["calls"], told["limits"]["calls_left"]) == ("used_up", 2, 0)


def count_exactly(developer: Developer, partner: Planned) -> None:
    linked = developer.link("auth", "identity")
    token = developer.mint(linked)
    assert partner.redeem(token, "identity").code == "OK"
    limit(developer, token, calls=20)
    paths = ("/processor/auth/get", "/processor/account/get", "/processor/identity/get")
    requests = [(path, {"processor_token": token}) for path in paths * 16]
    codes = Counter(answer.code for answer in partner.volley(requests))
    assert codes == {"OK": 20, UNKNOWN: 28}
    assert developer.delegate("limits/get", processor_token=token)["limits"]["calls_left"] == 0


def test_calls_are_counted_exactly(developer: Developer, partner: Planned) -> None:
    count_exactly(developer, partner)


@pytest.mark.slow
def test_calls_are_counted_exactly_with_two_workers(
    store: list[str], serve: Callable[..., Server]
) -> None:
    server = serve("--workers", "2", *store)
    developer = developer_on(server, keep_alive=False)
    partner = own_client(server, keep_alive=False, processors=[DWOLLA])
    for _ in range(5):
        count_exactly(developer, partner)


def test_transactions_before_a_day_are_not_there(developer: Developer, partner: Planned) -> None:
    developer.sandbox("clock", now=NOON)
    linked = developer.link("transactions")
    token, whole = developer.mint(linked), developer.mint(linked)
    dates = [one["date"] for one in synced(partner, whole)]
    first = sorted(dates)[len(dates) // 2]
    assert min(dates) < first
    limit(developer, token, transactions_from=first)
    expected = Counter(one for one in dates if one >= first)
    assert Counter(one["date"] for one in synced(partner, token)) == expected
    answer = partner.post("/processor/transactions/get", processor_token=token, **RANGE)
    assert answer["total_transactions"] == sum(expected.values())
    assert {one["date"] for one in answer["transactions"]} <= set(expected)
    of_all = streams(partner, whole)
    assert any(stream["first_date"] < first for stream in of_all)
    assert all(stream["first_date"] >= first for stream in streams(partner, token))
    # The developer reads as before.
    answer = developer.post("/transactions/get", access_token=linked.access_token, **RANGE)
    assert answer["total_transactions"] > sum(expected.values())


def synced(partner: Planned, token: str) -> list[dict[str, Any]]:
    """All that a loop over small pages tells, where nothing may appear twice."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = partner.post(
            "/processor/transactions/sync", processor_token=token, cursor=cursor, count=7
        )
        found += answer["added"]
        cursor = answer["next_cursor"]
        if not answer["has_more"]:
            assert len({one["transaction_id"] for one in found}) == len(found)
            return found


def streams(partner: Planned, token: str) -> list[dict[str, Any]]:
    answer = partner.post("/processor/transactions/recurring/get", processor_token=token)
    found: list[dict[str, Any]] = answer["inflow_streams"] + answer["outflow_streams"]
    return found


def test_numbers_without_owners_and_balances(developer: Developer, partner: Planned) -> None:
    token = developer.mint(developer.link("auth", "identity", "liabilities"))
    limit(developer, token, fields=["numbers"])
    answer = partner.redeem(token, "auth")
    assert answer["numbers"]["ach"]["account"]
    assert answer["account"]["mask"]
    assert answer["account"]["balances"] == dict.fromkeys(BALANCES)
    [owner] = partner.redeem(token, "identity")["account"]["owners"]
    assert owner == {"names": [], "emails": [], "phone_numbers": [], "addresses": []}
    assert partner.redeem(token, "account")["account"]["balances"] == dict.fromkeys(BALANCES)
    for what in ("balance", "liabilities"):
        assert partner.redeem(token, what).code == "INVALID_PRODUCT"
    match = partner.post("/processor/identity/match", processor_token=token)
    assert match.code == "INVALID_PRODUCT"


def test_parts_of_an_owner(developer: Developer, partner: Planned) -> None:
    linked = developer.link("identity")
    whole = partner.redeem(developer.mint(linked), "identity")["account"]["owners"]
    parts = {"names": "owner_names", "emails": "owner_emails"}
    parts |= {"phone_numbers": "owner_phone_numbers", "addresses": "owner_addresses"}
    for name, field in parts.items():
        token = developer.mint(linked)
        limit(developer, token, fields=[field])
        owners = partner.redeem(token, "identity")["account"]["owners"]
        assert owners == [
            {part: value if part == name else [] for part, value in owner.items()}
            for owner in whole
        ]


def test_numbers_of_loans_are_numbers(developer: Developer, partner: Planned) -> None:
    linked = developer.link("liabilities")
    token = developer.post(
        "/processor/token/create",
        access_token=linked.access_token,
        account_id=linked.accounts["student"],
        processor=DWOLLA,
    )["processor_token"]
    assert partner.redeem(token, "liabilities")["liabilities"]["student"][0]["account_number"]
    limit(developer, token, fields=["liabilities"])
    [loan] = partner.redeem(token, "liabilities")["liabilities"]["student"]
    assert loan["account_number"] is None
    assert loan["last_payment_amount"] is not None


def test_limits_are_never_widened(developer: Developer) -> None:
    token = developer.mint(developer.link())
    present = {
        "expires_at": "2031-01-31T12:00:00Z",
        "calls": 5,
        "transactions_from": "2029-12-01",
        "fields": ["numbers"],
    }
    limit(developer, token, **present)
    for name, wider in (
        ("expires_at", "2031-01-31T12:00:01Z"),
        ("calls", 6),
        ("transactions_from", "2029-11-30"),
        ("fields", ["numbers", "balances"]),
        ("fields", ["balances"]),
    ):
        answer = limit(developer, token, **{name: wider})
        assert answer.code == "INVALID_FIELD"
        assert answer.body["error_message"].endswith(f"wider: {name}")
    shown = developer.delegate("limits/get", processor_token=token)["limits"]
    assert shown == present | {"calls_left": 5}


def test_mistakes_set_nothing(developer: Developer, stranger: Developer) -> None:
    token = developer.mint(developer.link())
    for client, fields, code in (
        (developer, {}, "INVALID_FIELD"),
        (developer, {"days": 30}, "UNKNOWN_FIELDS"),
        (developer, {"fields": ["secrets"]}, "INVALID_FIELD"),
        (developer, {"calls": 0}, "INVALID_FIELD"),
        (developer, {"expires_at": "2031-01-31T12:00:00"}, "INVALID_FIELD"),
        (developer, {"transactions_from": "yesterday"}, "INVALID_FIELD"),
        (stranger, {"calls": 1}, UNKNOWN),
    ):
        assert limit(client, token, **fields).code == code
    assert set(developer.listed()[0]["limits"].values()) == {None}
    developer.delegate("revoke", processor_token=token)
    assert limit(developer, token, calls=1).code == UNKNOWN


@pytest.mark.parametrize("limits", ['{"weekdays":["monday"]}', '{"fields":["secrets"]}', "oops"])
def test_an_unknown_limit_denies_everything(
    developer: Developer, partner: Planned, server: Server, limits: str
) -> None:
    token = developer.mint(developer.link())
    handle = developer.handle(token)
    execute(server, f"UPDATE tokens SET limits = '{limits}' WHERE token_id = '{handle}'")
    for what in ("account", "auth", "balance"):
        assert partner.redeem(token, what).code == UNKNOWN
    assert developer.listed()[0]["limits"]["fields"] == []
    assert limit(developer, token, calls=1).code == "INVALID_FIELD"


def test_each_setting_is_kept_as_a_revision(developer: Developer, server: Server) -> None:
    token = developer.mint(developer.link())
    requests = [
        ("/treadle/processor_token/limits/set", {"processor_token": token, "calls": calls})
        for calls in (9, 8)
    ]
    assert [developer.post(path, **fields).code for path, fields in requests] == ["OK", "OK"]
    rows = query(
        server,
        "SELECT revision, limits FROM token_limits "
        f"WHERE token_id = '{developer.handle(token)}' ORDER BY revision",
    )
    assert [(row["revision"], json.loads(row["limits"])["calls"]) for row in rows] == [
        (1, 9),
        (2, 8),
    ]


def test_limits_survive_an_export(developer: Developer) -> None:
    token = developer.mint(developer.link())
    limit(developer, token, calls=3, fields=["numbers"])
    shown = developer.delegate("limits/get", processor_token=token)["limits"]
    state = developer.read("state")["state"]
    made = developer.post("/treadle/sandbox/state", state=state, new_ids=True)["tokens"]
    [again] = [one["token"] for one in made if one["kind"] == "processor"]
    assert developer.delegate("limits/get", processor_token=again)["limits"] == shown


LIMITS = st.builds(
    Limits,
    expires_at=st.none() | st.integers(1, 9),
    transactions_from=st.none() | st.dates(date(2030, 1, 1), date(2030, 1, 9)),
    fields=st.none() | st.frozensets(st.sampled_from(Field)),
)


@given(LIMITS, LIMITS)
def test_what_is_not_wider_allows_no_more(present: Limits, further: Limits) -> None:
    if further.wider_than(present):
        return
    limits = present.narrowed_by(further)
    assert decode_limits(limits.encode()) == limits
    for fields in itertools.combinations(Field, 2):
        assert present.admits(frozenset(fields)) or not limits.admits(frozenset(fields))
    for name, is_narrower in (
        ("expires_at", lambda one, other: one <= other),
        ("transactions_from", lambda one, other: one >= other),
    ):
        before, after = getattr(present, name), getattr(limits, name)
        assert before is None or is_narrower(after, before)


def test_no_implemented_operation_is_without_fields() -> None:
    load_areas()
    for path, scope in PROCESSOR_SCOPES.items():
        assert path not in IMPLEMENTED or scope.fields is not None
