"""What is explained of a call is what becomes of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.control.plane import Planned
from tests.delegation.conftest import DWOLLA, PAYNOTE, UNKNOWN, Developer
from tests.support.raw import Answer

NOON = "2030-01-31T12:00:00Z"
# By what each is called to read.
OPERATIONS = {
    what: f"/processor/{what}/get"
    for what in ("account", "auth", "balance", "identity", "liabilities", "investments/holdings")
}


def explained(developer: Developer, token: str, what: str = "auth", **fields: Any) -> Answer:
    operation = OPERATIONS[what]
    return developer.delegate("explain", processor_token=token, operation=operation, **fields)


def outcomes(answer: Answer) -> dict[str, str]:
    return {check["name"]: check["outcome"] for check in answer["checks"]}


def refused_by(answer: Answer) -> list[str]:
    return [name for name, outcome in outcomes(answer).items() if outcome == "refused"]


STATES = ("as it is", "revoked", "expired", "used up", "broken", "removed")
PRODUCTS = ([], ["auth"], ["identity", "balance"])
FIELDS = (None, ["numbers"], ["balances", "owner_names"])


@pytest.mark.parametrize("state", STATES)
def test_it_tells_the_truth(developer: Developer, partner: Planned, state: str) -> None:
    developer.sandbox("clock", now=NOON)
    linked = developer.link("auth", "identity", "liabilities")
    cases = []
    for products, fields in itertools.product(PRODUCTS, FIELDS):
        token = developer.mint(linked)
        limits: dict[str, Any] = {} if fields is None else {"fields": fields}
        if state == "expired":
            limits["expires_at"] = "2030-01-31T12:30:00Z"
        if state == "used up":
            limits["calls"] = 1
        if limits:
            developer.delegate("limits/set", processor_token=token, **limits)
        if state == "used up":
            assert partner.redeem(token).code == "OK"
        developer.permit(token, *products)
        if state == "revoked":
            developer.delegate("revoke", processor_token=token)
        cases.append(token)
    developer.sandbox("clock/advance", hours=1)
    if state == "broken":
        developer.post("/sandbox/item/reset_login", access_token=linked.access_token)
    if state == "removed":
        developer.post("/item/remove", access_token=linked.access_token)
    for token, what in itertools.product(cases, OPERATIONS):
        answer = explained(developer, token, what, partner_client_id=partner.client_id)
        made = partner.redeem(token, what)
        seen = (True, None) if made.status == 200 else (False, made.body["error_message"])
        if made.code in ("NO_LIABILITY_ACCOUNTS", "NO_INVESTMENT_ACCOUNTS"):
            # What an account has to tell is no matter of the gate's.
            seen = (True, None)
        assert (answer["allowed"], answer["error_message"]) == seen, (what, made.body)
        assert answer["certain"]


def test_every_reason_is_told(developer: Developer) -> None:
    token = developer.mint(developer.link("auth"))
    developer.permit(token, "identity")
    developer.delegate("limits/set", processor_token=token, fields=["balances"])
    developer.delegate("revoke", processor_token=token)
    answer = explained(developer, token)
    assert [(one["name"], one["outcome"], one["reason"]) for one in answer["checks"]] == [
        ("token", "refused", "the token was revoked"),
        ("account", "passed", None),
        ("item", "passed", None),
        ("permissions", "refused", "the token is narrowed to identity"),
        ("fields", "refused", "the token is limited to the fields [balances]"),
        ("product", "passed", None),
    ]
    assert (answer["allowed"], answer["error_code"]) == (False, UNKNOWN)


def test_partners_are_judged(developer: Developer, partner: Planned, stranger: Developer) -> None:
    linked = developer.link()
    theirs, others = developer.mint(linked, DWOLLA), developer.mint(linked, PAYNOTE)
    for client_id, token, allowed in (
        (partner.client_id, theirs, True),
        (partner.client_id, others, False),
        (developer.client_id, others, True),
        (stranger.client_id, theirs, False),
        ("nobody", theirs, False),
    ):
        answer = explained(developer, token, partner_client_id=client_id)
        assert answer["allowed"] is allowed
        assert (refused_by(answer) == ["partner"]) is not allowed


def test_as_of_a_past_time(developer: Developer) -> None:
    """Each hour something about the token changes; afterwards each hour is told as it was."""
    developer.sandbox("clock", now="2030-01-31T00:30:00Z")
    linked = developer.link("auth", "identity")
    token = developer.mint(linked)
    handle = developer.handle(token)
    for change in (
        lambda: developer.permit(token, "identity"),
        lambda: developer.permit(token),
        lambda: developer.delegate("limits/set", processor_token=token, fields=["balances"]),
        lambda: developer.delegate("revoke", processor_token=token),
        lambda: developer.post("/item/remove", access_token=linked.access_token),
    ):
        developer.sandbox("clock/advance", hours=1)
        assert change().code == "OK"
    developer.sandbox("clock/advance", hours=1)
    seen = [
        refused_by(
            developer.delegate(
                "explain",
                token_id=handle,
                operation=OPERATIONS["auth"],
                at=f"2030-01-31T0{hour}:00:00Z",
            )
        )
        for hour in range(7)
    ]
    assert seen == [
        ["token"],
        [],
        ["permissions"],
        [],
        ["fields"],
        ["token", "fields"],
        ["token", "account", "item", "fields"],
    ]


def test_what_is_not_recorded_is_not_made_up(developer: Developer) -> None:
    developer.sandbox("clock", now=NOON)
    token = developer.mint(developer.link("auth"))
    developer.delegate("limits/set", processor_token=token, calls=1)
    developer.sandbox("clock/advance", hours=1)
    assert developer.redeem(token, "auth").code == "OK"
    answer = explained(developer, token, at="2030-01-31T12:30:00Z")
    assert (answer["allowed"], answer["certain"]) == (True, False)
    unknown = [name for name, outcome in outcomes(answer).items() if outcome == "not_recorded"]
    assert unknown == ["token", "product"]


def test_as_of_a_time_to_come(developer: Developer) -> None:
    developer.sandbox("clock", now=NOON)
    token = developer.mint(developer.link())
    developer.delegate("limits/set", processor_token=token, expires_at="2030-02-01T12:00:00Z")
    assert explained(developer, token, at="2030-02-01T11:59:59Z")["allowed"]
    assert refused_by(explained(developer, token, at="2030-02-01T12:00:00Z")) == ["token"]


def test_if_a_change_were_made(developer: Developer) -> None:
    token = developer.mint(developer.link("auth", "identity"))
    for change, refusing in (
        ({}, []),
        ({"products": ["identity"]}, ["permissions"]),
        ({"products": ["auth"]}, []),
        ({"limits": {"fields": ["balances"]}}, ["fields"]),
        ({"limits": {"calls": 1}}, []),
        ({"limits": {"expires_at": "2001-01-01T00:00:00Z"}}, ["token"]),
        ({"revoked": True, "products": ["identity"]}, ["token", "permissions"]),
    ):
        assert refused_by(explained(developer, token, change=change)) == refusing
    # Nothing was changed by asking.
    assert developer.redeem(token, "auth").code == "OK"
    assert developer.permissions(token) == []
    developer.delegate("limits/set", processor_token=token, calls=5)
    answer = explained(developer, token, change={"limits": {"calls": 6}})
    assert answer.code == "INVALID_FIELD"
    assert answer.body["error_message"].endswith("wider: calls")


def test_mistakes(developer: Developer, stranger: Developer) -> None:
    token = developer.mint(developer.link())
    assert explained(stranger, token).code == UNKNOWN
    assert explained(developer, token, at="2030-01-31T12:00:00").code == "INVALID_FIELD"
    assert explained(developer, token, change={"limits": {}}).code == "INVALID_FIELD"
    for operation in ("/auth/get", "/processor/nothing/get"):
        answer = developer.delegate("explain", processor_token=token, operation=operation)
        assert answer.code == "INVALID_FIELD"
