"""A world with something of everything in it, and what its client sees of it."""

from __future__ import annotations

import re
from typing import Any

from tests.control.plane import Planned
from tests.support.raw import Linked

NOON = "2026-01-31T12:00:00Z"
YEARS = {"start_date": "2020-01-01", "end_date": "2030-01-01"}
_REQUEST_ID = re.compile(rb'"request_id":"[0-9A-Za-z]{15}"')


def without_request_id(raw: bytes) -> bytes:
    stripped, number = _REQUEST_ID.subn(b'"request_id":""', raw)
    assert number == 1, raw
    return stripped


def settle(plane: Planned, seed: str = "loom") -> None:
    """Set the clock and the seed, so that the same requests have the same answers."""
    assert plane.sandbox("clock", now=NOON).code == "OK"
    assert plane.sandbox("seed", seed=seed).code == "OK"


def fill(plane: Planned) -> tuple[Linked, str]:
    """An Item that every product was read of, and a processor token narrowed to Auth."""
    item = plane.link("auth", "transactions", override_username="user_transactions_dynamic")
    plain = plane.link("auth", "identity", webhook="http://127.0.0.1:9/")
    access = {"access_token": plain.access_token}
    plane.post("/transactions/sync", access_token=item.access_token)
    plane.post("/transactions/recurring/get", access_token=item.access_token)
    plane.post("/investments/transactions/get", **access, **YEARS)
    plane.post("/investments/holdings/get", **access)
    plane.post("/liabilities/get", **access)
    token = plane.mint(item)
    plane.permit(token, "auth", "transactions")
    plane.fault("error", error_code="INVALID_MFA", token=token, times=3)
    plane.fault("latency", seconds=0.001, institution_id="ins_1")
    evaluated = plane.post(
        "/signal/evaluate",
        **access,
        account_id=plain.checking,
        client_transaction_id="first",
        amount=12.5,
    )
    assert evaluated.code == "OK", evaluated.raw
    return item, token


def seen(plane: Planned, item: Linked, access_token: str | None = None) -> list[Any]:
    """What the API tells of an Item, in any order of calls."""
    access = {"access_token": access_token or item.access_token}
    return [
        plane.post("/item/get", **access)["item"],
        plane.post("/auth/get", **access)["numbers"],
        plane.post("/transactions/get", **access, **YEARS, options={"count": 500})["transactions"],
        plane.post("/transactions/sync", **access, count=500)["added"],
    ]


def exported(plane: Planned) -> dict[str, Any]:
    state: dict[str, Any] = plane.read("state")["state"]
    return state
