"""Investments and liabilities as the clock goes on: nothing grows old, nothing is ready early."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.flows import (
    NOT_READY,
    YEARS,
    Linked,
    call,
    link,
    refused,
)
from tests.support.raw import Answer, Api
from tests.support.sdk import plaid_client
from tests.support.server import Server

Serve = Callable[..., Server]

# A Monday, so the markets closed last on the Friday before.
TODAY = date(2026, 3, 2)
TRANSACTIONS = "investments_transactions_get"


def clock(day: date, time: str = "12:00:00") -> tuple[str, str]:
    return "--clock", f"{day}T{time}Z"


def at(server: Server, *arguments: str) -> None:
    """Let a server go on with other arguments on the same data."""
    server.args = arguments
    server.restart()


def transactions_of(server: Server, item: Linked, **options: Any) -> dict[str, Any]:
    api = plaid_client(server)
    given = {"access_token": item.access_token, **YEARS, "options": {"count": 500, **options}}
    return call(api, TRANSACTIONS, **given)


@pytest.mark.parametrize(
    ("today", "closed"),
    [
        (TODAY, date(2026, 2, 27)),
        (date(2027, 3, 2), date(2027, 3, 1)),
        (date(2028, 2, 27), date(2028, 2, 25)),
        (date(2034, 1, 1), date(2033, 12, 30)),
    ],
)
def test_investments_are_as_fresh_as_the_clock(serve: Serve, today: date, closed: date) -> None:
    server = serve(*clock(today))
    api = plaid_client(server)
    item = link(api, "investments")
    held = call(api, "investments_holdings_get", access_token=item.access_token)
    assert {one["institution_price_as_of"] for one in held["holdings"]} == {closed}
    assert {one["close_price_as_of"] for one in held["securities"]} == {closed}
    answer = transactions_of(server, item)
    assert timedelta(0) <= today - answer["investment_transactions"][0]["date"] < timedelta(14)
    total = answer["total_investment_transactions"]
    last = transactions_of(server, item, offset=total - 1)["investment_transactions"][0]
    assert timedelta(730 - 14) < today - last["date"] <= timedelta(730)


@pytest.mark.parametrize("today", [TODAY, date(2027, 3, 28), date(2028, 2, 29), date(2050, 1, 1)])
def test_liabilities_are_as_fresh_as_the_clock(serve: Serve, today: date) -> None:
    api = plaid_client(serve(*clock(today)))
    item = link(api, "liabilities")
    owed = call(api, "liabilities_get", access_token=item.access_token)["liabilities"]
    [card], [mortgage], [student] = owed["credit"], owed["mortgage"], owed["student"]
    for one in (card, student):
        assert one["last_payment_date"].day == 22
        assert one["last_statement_issue_date"].day == one["next_payment_due_date"].day == 28
        assert one["last_payment_date"] < one["last_statement_issue_date"] <= today
        assert today < one["next_payment_due_date"] <= today + timedelta(31)
        assert today - one["last_payment_date"] < timedelta(38)
    assert mortgage["last_payment_date"].day == 1
    assert mortgage["last_payment_date"] < today
    # A loan of 30 years is always some years old, and some from its end.
    for begun, ended in (
        (mortgage["origination_date"], mortgage["maturity_date"]),
        (student["origination_date"], student["expected_payoff_date"]),
    ):
        assert ended.year - begun.year == 30
        assert begun + timedelta(3 * 365) < today < ended - timedelta(11 * 365)


def test_investments_of_a_new_day_add_to_those_before(serve: Serve, store: list[str]) -> None:
    server = serve(*clock(TODAY), *store)
    item = link(plaid_client(server), "investments")
    before = transactions_of(server, item)
    at(server, *clock(TODAY + timedelta(days=14)), *store)
    after = transactions_of(server, item)
    assert after["total_investment_transactions"] == before["total_investment_transactions"] + 11
    shown = after["investment_transactions"]
    assert {one["date"] > TODAY for one in shown[:11]} == {True}
    # The pages' ends apart, what was there stands as it did, under the same ids.
    assert shown[11:] == before["investment_transactions"][: 500 - 11]


def test_investments_transactions_get_waits_unless_told_otherwise(
    serve: Serve, store: list[str]
) -> None:
    waiting = (*store, "--product-ready-seconds", "3600")
    server = serve(*clock(TODAY), *waiting)
    api = plaid_client(server)
    patient, hurried = link(api, "auth"), link(api, "auth")
    whole = transactions_of(server, patient)["total_investment_transactions"]
    assert whole > 500

    given = {"access_token": hurried.access_token}
    asynchronous = {"options": {"async_update": True}}
    refused(api, TRANSACTIONS, NOT_READY, **given, **YEARS, **asynchronous)
    at(server, *clock(TODAY, "12:59:59"), *waiting)
    refused(api, TRANSACTIONS, NOT_READY, **given, **YEARS, **asynchronous)
    refused(api, TRANSACTIONS, NOT_READY, **given, **YEARS)
    refused(api, "investments_refresh", NOT_READY, **given)
    # What was read once is not begun anew.
    again = transactions_of(server, patient, async_update=True)
    assert again["total_investment_transactions"] == whole

    at(server, *clock(TODAY, "13:00:00"), *waiting)
    ready = transactions_of(server, hurried, async_update=True)
    assert ready["total_investment_transactions"] == whole
    call(api, "investments_refresh", **given)


def test_investments_and_liabilities_follow_from_the_seed(serve: Serve, store: list[str]) -> None:
    seeded = ("--seed", "loom", *clock(TODAY))
    expected, answers = play(serve(*seeded)), play(serve(*seeded, *store))
    assert answers == expected
    assert all(answer.startswith(b"{") and b"error_code" not in answer for answer in answers)
    assert play(serve("--seed", "shuttle", *clock(TODAY))) != expected


def play(server: Server) -> list[bytes]:
    """The bodies of the answers to a list of requests, without their request ids."""
    api = Api(server.url)
    item = api.link()
    access = {"access_token": item.access_token}
    mint = {**access, "account_id": item.accounts["401k"], "processor": "dwolla"}
    partner = {"processor_token": api.post("/processor/token/create", **mint)["processor_token"]}
    years = {name: str(day) for name, day in YEARS.items()}
    answers = [
        api.post(f"{prefix}/investments/{what}/get", **token, **fields)
        for prefix, token in (("", access), ("/processor", partner))
        for what, fields in (("holdings", {}), ("transactions", years), ("auth", {}))
    ]
    answers.append(api.post("/liabilities/get", **access))
    return [_without_request_id(answer) for answer in answers]


def _without_request_id(answer: Answer) -> bytes:
    assert answer.status == 200, answer.raw
    return re.sub(rb'"request_id":"[^"]*"', b"", answer.raw)
