"""What a partner comes to see never goes beyond its grant, whatever it calls with what it has seen.

An Item is full of words that are nowhere else. A partner that may read the numbers of one account
calls any operations, in any order, with every text it was answered so far, and of these words it
sees those of its grant alone.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from tests.control.plane import own_client
from tests.http.bodies import to_json, valid
from tests.support.effort import THOROUGH, tries
from tests.support.raw import INSTITUTION
from tests.support.server import Server
from tests.waking.listening import until
from treadle.control.openapi import request_type
from treadle.operations import OWN, load_areas

SHARED = ("kestrel checking", "900000111")
# Of the account that is not shared, and of what is not permitted of the one that is.
FORBIDDEN = ("falcon savings", "900000222", "osprey", "goshawk", "merlin", "harrier")
OPERATIONS = [
    one
    for one in (load_areas() | OWN).values()
    # Link's own pages have no credentials, and a fault may be that nothing is answered.
    if not one.path.startswith(("/_link/", "/treadle/sandbox/faults"))
]
LATELY = (dt.datetime.now(dt.UTC) - dt.timedelta(days=9)).date().isoformat()
STEPS = 25
KEYS = ("client_id", "secret")


def account(name: str, number: str, subtype: str, email: str, description: str) -> dict[str, Any]:
    return {
        "type": "depository",
        "subtype": subtype,
        "starting_balance": 1_000,
        "meta": {"name": name},
        "numbers": {"account": number, "ach_routing": "011401533"},
        "identity": {"emails": [{"data": email, "primary": True, "type": "primary"}]},
        "transactions": [
            {
                "date_transacted": LATELY,
                "date_posted": LATELY,
                "amount": 12,
                "currency": "USD",
                "description": description,
            }
        ],
    }


USER = {
    "override_accounts": [
        account(SHARED[0], SHARED[1], "checking", "merlin@example.com", "OSPREY BAKERY"),
        account(FORBIDDEN[0], FORBIDDEN[1], "savings", "harrier@example.com", "GOSHAWK BOOKS"),
    ]
}


class Grant:
    """An Item of a developer, and a partner that may read the numbers of one account."""

    def __init__(self, server: Server) -> None:
        self.developer = own_client(server)
        self.partner = own_client(server, processors=["dwolla"], keep_alive=False)
        made = self.developer.post(
            "/sandbox/public_token/create",
            institution_id=INSTITUTION,
            initial_products=["auth", "identity", "transactions"],
            options={"override_username": "user_custom", "override_password": json.dumps(USER)},
        )
        exchanged = self.developer.exchange(made["public_token"])
        self.access_token = exchanged["access_token"]
        self.accounts = self.developer.post("/accounts/get", access_token=self.access_token)[
            "accounts"
        ]

    def token(self) -> str:
        """A new one, whatever became of those before."""
        token: str = self.developer.post(
            "/processor/token/create",
            access_token=self.access_token,
            account_id=self.accounts[0]["account_id"],
            processor="dwolla",
        )["processor_token"]
        self.developer.post(
            "/processor/token/permissions/set", processor_token=token, products=["auth"]
        )
        return token

    def close(self) -> None:
        self.developer.close()
        self.partner.close()


@pytest.fixture
def grant(server: Server) -> Iterator[Grant]:
    grant = Grant(server)
    yield grant
    grant.close()


def words(raw: bytes) -> set[str]:
    text = raw.decode().lower()
    return {word for word in (*SHARED, *FORBIDDEN) if word in text}


def texts(value: Any) -> Iterator[str]:
    """Every text in an answer."""
    if isinstance(value, dict):
        for member in value.values():
            yield from texts(member)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str) and 0 < len(value) < 200:
        yield value


def asked(draw: st.DataObject, operation: Any, seen: list[str], token: str) -> dict[str, Any]:
    """A request that the operation takes, whose texts are ones that the partner has seen."""
    body = draw.draw(valid(inspect.type_info(request_type(operation))))
    fields: dict[str, Any] = json.loads(to_json(body))
    for name, value in fields.items():
        if name == "processor_token":
            fields[name] = token
        elif name.endswith(("token", "id")) and isinstance(value, str):
            fields[name] = draw.draw(st.sampled_from(seen))
    return {name: value for name, value in fields.items() if name not in KEYS}


def test_the_words_are_there(grant: Grant) -> None:
    access = {"access_token": grant.access_token}
    until(
        lambda: grant.developer.post("/transactions/sync", **access).body["added"],
        "transactions were ready",
    )
    read = [
        grant.developer.post(path, **access).raw
        for path in ("/auth/get", "/identity/get", "/transactions/sync")
    ]
    assert words(b"".join(read)) == {*SHARED, *FORBIDDEN}
    read_by_partner = grant.partner.post("/processor/auth/get", processor_token=grant.token())
    assert words(read_by_partner.raw) == set(SHARED)


def test_no_sequence_of_calls_shows_more_than_the_grant(grant: Grant) -> None:
    answered: set[str] = set()
    partner = grant.partner

    @settings(
        max_examples=tries(12, thorough=2_000),
        phases=[Phase.generate],
        derandomize=not THOROUGH,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.sampled_from(OPERATIONS), min_size=10, max_size=STEPS), st.data())
    def run(operations: list[Any], draw: st.DataObject) -> None:
        token = grant.token()
        seen = [token, grant.accounts[1]["account_id"], grant.access_token[:-1]]
        for operation in operations:
            fields = asked(draw, operation, seen, token)
            if operation.method == "GET":
                answer = partner.get(operation.path)
            else:
                answer = partner.post(operation.path, **fields)
            assert not words(answer.raw) - set(SHARED), operation.path
            assert answer.status < 500, operation.path
            if answer.status == 200:
                answered.add(operation.path)
            seen.extend(list(texts(answer.body))[:20])

    run()
    # Much of what was called was answered, and not refused for how it was asked.
    assert len(answered) > 12
