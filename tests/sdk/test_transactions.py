"""Transactions by access token and, for one account, by processor token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    NO_SUCH_ACCOUNT,
    TODAY,
    UNKNOWN_ACCOUNT,
    YEARS,
    Linked,
    Refusal,
    call,
    link,
    mint,
    refused,
)
from tests.support.sdk import expect_error, plaid_client
from tests.support.server import Server

FOREIGN_CURSOR = Refusal(
    "INVALID_REQUEST", "INVALID_FIELD", "cursor not associated with access_token"
)
NOT_READY = Refusal(
    "ITEM_ERROR",
    "PRODUCT_NOT_READY",
    "the requested product is not yet ready. please provide a webhook or try the request again "
    "later",
)
NOT_ENABLED = Refusal(
    "ITEM_ERROR",
    "PRODUCT_NOT_ENABLED",
    "the transactions product has not been initialized for this item; call one of the product's "
    "own endpoints first, or name it when the item is created",
)
WRONG_WAY_ROUND = Refusal(
    "INVALID_REQUEST", "INVALID_FIELD", "start_date must not be after end_date"
)
CLOCK = "2026-03-10T12:00:00Z"
# What the documented user's cycle has on and before the day of that clock: mask, amount, date.
CYCLE = [
    ("0000", 6.33, date(2026, 2, 26)),
    ("3333", 500, date(2026, 2, 28)),
    ("1111", -4.22, date(2026, 3, 10)),
]


@pytest.fixture
def api(server: Server) -> plaid_api.PlaidApi:
    return plaid_client(server)


@pytest.fixture
def item(api: plaid_api.PlaidApi) -> Linked:
    return link(api, "transactions")


def pages(api: plaid_api.PlaidApi, name: str, count: int, **fields: Any) -> list[dict[str, Any]]:
    """All pages of a sync."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["has_more"]:
        cursor = {"cursor": found[-1]["next_cursor"]} if found else {}
        found.append(call(api, name, count=count, **cursor, **fields))
    return found


def added(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for page in found for one in page["added"]]


def test_sync_tells_all_that_get_shows(api: plaid_api.PlaidApi, item: Linked) -> None:
    shown = call(api, "transactions_get", access_token=item.access_token, **YEARS)
    assert shown["total_transactions"] == len(shown["transactions"]) > 40
    dates = [one["date"] for one in shown["transactions"]]
    assert dates == sorted(dates, reverse=True)
    assert min(dates) >= TODAY - timedelta(days=91)
    found = pages(api, "transactions_sync", 7, access_token=item.access_token)
    assert all(len(page["added"]) == 7 for page in found[:-1])
    assert {page["transactions_update_status"] for page in found} == {"HISTORICAL_UPDATE_COMPLETE"}
    by_id = {one["transaction_id"]: one for one in added(found)}
    assert by_id == {one["transaction_id"]: one for one in shown["transactions"]}
    masks = {account["mask"] for account in found[0]["accounts"]}
    assert masks == {"0000", "1111", "2222", "3333", "4444"}


def test_a_cursor_gives_the_same_page_again(api: plaid_api.PlaidApi, item: Linked) -> None:
    for name, token in (
        ("transactions_sync", {"access_token": item.access_token}),
        ("processor_transactions_sync", {"processor_token": mint(api, item)}),
    ):
        cursor: dict[str, str] = {}
        for _ in range(3):
            once = call(api, name, count=5, **cursor, **token)
            again = call(api, name, count=5, **cursor, **token)
            assert once | {"request_id": ""} == again | {"request_id": ""}
            cursor = {"cursor": once["next_cursor"]}


def test_partner_sees_one_account(api: plaid_api.PlaidApi, item: Linked) -> None:
    token = mint(api, item)
    shown = call(api, "processor_transactions_get", processor_token=token, **YEARS)
    own = call(
        api,
        "transactions_get",
        access_token=item.access_token,
        options={"account_ids": [item.account_id()]},
        **YEARS,
    )
    assert shown["transactions"] == own["transactions"]
    assert shown["total_transactions"] == own["total_transactions"] > 10
    assert {one["account_id"] for one in shown["transactions"]} == {item.account_id()}
    assert shown["account"]["account_id"] == item.account_id()
    found = pages(api, "processor_transactions_sync", 6, processor_token=token)
    assert {one["transaction_id"] for one in added(found)} == {
        one["transaction_id"] for one in shown["transactions"]
    }
    assert found[0]["account"]["account_id"] == item.account_id()
    refused(
        api,
        "processor_transactions_sync",
        NO_SUCH_ACCOUNT,
        processor_token=token,
        options={"account_id": item.account_id("1111")},
    )


def test_a_cursor_is_good_for_its_own_stream_alone(api: plaid_api.PlaidApi, item: Linked) -> None:
    given = {"access_token": item.access_token}
    cursor = call(api, "transactions_sync", count=5, **given)["next_cursor"]
    other = link(api, "transactions")
    refused(api, "transactions_sync", FOREIGN_CURSOR, cursor=cursor, access_token=other[0])
    one_account = {"account_id": item.account_id()}
    refused(api, "transactions_sync", FOREIGN_CURSOR, cursor=cursor, options=one_account, **given)
    token = mint(api, item)
    refused(
        api, "processor_transactions_sync", FOREIGN_CURSOR, cursor=cursor, processor_token=token
    )
    for nonsense in ("nonsense", "AAAA", cursor[:-4], "é" * 20):
        refused(api, "transactions_sync", FOREIGN_CURSOR, cursor=nonsense, **given)


def test_now_begins_behind_what_is_there(api: plaid_api.PlaidApi, item: Linked) -> None:
    given = {"access_token": item.access_token}
    begun = call(api, "transactions_sync", cursor="now", **given)
    assert not begun["added"]
    assert not begun["has_more"]
    create(api, item, amount=3.5, description="LATER")
    later = call(api, "transactions_sync", cursor=begun["next_cursor"], **given)
    assert [one["amount"] for one in later["added"]] == [3.5]


def create(api: plaid_api.PlaidApi, item: Linked, **fields: Any) -> None:
    wanted = {"date_transacted": TODAY, "date_posted": TODAY, **fields}
    call(
        api,
        "sandbox_transactions_create",
        access_token=item.access_token,
        transactions=[wanted],
    )


def test_created_transactions_stay(api: plaid_api.PlaidApi, item: Linked) -> None:
    given = {"access_token": item.access_token}
    cursor = pages(api, "transactions_sync", 500, **given)[-1]["next_cursor"]
    create(api, item, amount=-20, description="GIFT", account_id=item.account_id("1111"))
    create(api, item, amount=7.25, description="CORNER SHOP")
    for _ in range(2):
        call(api, "transactions_refresh", **given)
    told = call(api, "transactions_sync", cursor=cursor, **given)
    assert [(one["amount"], one["account_id"]) for one in told["added"]] == [
        (-20, item.account_id("1111")),
        (7.25, item.account_id()),
    ]
    assert told["modified"] == told["removed"] == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"description": " "}, "transactions[0].description must be a non-empty string"),
        ({"account_id": "x"}, "transactions[0].account_id must be a valid account ID"),
        (
            {"date_posted": TODAY - timedelta(days=1)},
            "transactions[0].date_posted must not be before transactions[0].date_transacted",
        ),
    ],
)
def test_what_cannot_be_created_is_named(
    api: plaid_api.PlaidApi, item: Linked, change: dict[str, Any], problem: str
) -> None:
    wanted = {"date_transacted": TODAY, "date_posted": TODAY, "amount": 1.0, "description": "X"}
    refused(
        api,
        "sandbox_transactions_create",
        Refusal("INVALID_REQUEST", "INVALID_FIELD", problem),
        access_token=item.access_token,
        transactions=[wanted | change],
    )


def test_creating_is_bounded(api: plaid_api.PlaidApi, item: Linked) -> None:
    wanted = {"date_transacted": TODAY, "date_posted": TODAY, "amount": 1.0, "description": "X"}
    given = {"access_token": item.access_token}
    problem = "transactions must be a list of 1 to 10 transactions"
    for many in ([], [wanted] * 11):
        refused(
            api,
            "sandbox_transactions_create",
            Refusal("INVALID_REQUEST", "INVALID_FIELD", problem),
            transactions=many,
            **given,
        )
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    for name in ("date_transacted", "date_posted"):
        answer = expect_field_problem(api, item, wanted | {name: tomorrow})
        assert answer.startswith(f"transactions[0].{name} must lie between ")
    student = wanted | {"account_id": item.account_id("7777")}
    refused(api, "sandbox_transactions_create", NO_SUCH_ACCOUNT, transactions=[student], **given)


def expect_field_problem(api: plaid_api.PlaidApi, item: Linked, wanted: dict[str, Any]) -> str:
    body = expect_error(
        lambda: call(
            api,
            "sandbox_transactions_create",
            access_token=item.access_token,
            transactions=[wanted],
        ),
        "INVALID_REQUEST",
        "INVALID_FIELD",
    )
    message: str = body["error_message"]
    return message


def test_paging_by_offset_shows_each_transaction_once(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    given = {"access_token": item.access_token, **YEARS}
    everything = call(api, "transactions_get", options={"count": 500}, **given)
    found: list[dict[str, Any]] = []
    while len(found) < everything["total_transactions"]:
        page = {"count": 11, "offset": len(found)}
        found += call(api, "transactions_get", options=page, **given)["transactions"]
    assert found == everything["transactions"]
    past_the_end = {"offset": everything["total_transactions"]}
    assert call(api, "transactions_get", options=past_the_end, **given)["transactions"] == []


def test_dates_bound_what_is_shown(api: plaid_api.PlaidApi, item: Linked) -> None:
    for name, given in (
        ("transactions_get", {"access_token": item.access_token}),
        ("processor_transactions_get", {"processor_token": mint(api, item)}),
    ):
        days = {"start_date": TODAY - timedelta(days=40), "end_date": TODAY - timedelta(days=10)}
        dates = [one["date"] for one in call(api, name, **given, **days)["transactions"]]
        assert dates
        assert days["start_date"] <= min(dates) <= max(dates) <= days["end_date"]
        swapped = {"start_date": days["end_date"], "end_date": days["start_date"]}
        refused(api, name, WRONG_WAY_ROUND, **given, **swapped)


def test_original_descriptions_come_when_asked_for(api: plaid_api.PlaidApi, item: Linked) -> None:
    token = mint(api, item)
    options = {"include_original_description": True}
    for name, given in (
        ("transactions_get", {"access_token": item.access_token, **YEARS}),
        ("processor_transactions_get", {"processor_token": token, **YEARS}),
        ("transactions_sync", {"access_token": item.access_token}),
        ("processor_transactions_sync", {"processor_token": token}),
    ):
        member = "added" if name.endswith("sync") else "transactions"
        plain = call(api, name, **given)[member]
        full = call(api, name, options=options, **given)[member]
        assert not any("original_description" in one for one in plain)
        assert "Uber 072515 SF**POOL**" in {one["original_description"] for one in full}
        assert [{**one, "original_description": ""} for one in plain] == [
            {**one, "original_description": ""} for one in full
        ]


def test_unknown_accounts_are_refused(api: plaid_api.PlaidApi, item: Linked) -> None:
    given = {"access_token": item.access_token}
    unknown = {"account_ids": [UNKNOWN_ACCOUNT]}
    refused(api, "transactions_get", NO_SUCH_ACCOUNT, options=unknown, **given, **YEARS)
    options = {"account_id": UNKNOWN_ACCOUNT}
    refused(api, "transactions_sync", NO_SUCH_ACCOUNT, options=options, **given)


def test_refresh_needs_the_product_in_use(api: plaid_api.PlaidApi) -> None:
    item = link(api, "auth")
    token = mint(api, item)
    refused(api, "transactions_refresh", NOT_ENABLED, access_token=item.access_token)
    refused(api, "processor_transactions_refresh", NOT_ENABLED, processor_token=token)
    call(api, "processor_transactions_sync", processor_token=token)
    call(api, "processor_transactions_refresh", processor_token=token)
    billed = call(api, "item_get", access_token=item.access_token)["item"]["billed_products"]
    assert billed == ["auth", "transactions"]


def test_days_requested_count_from_the_start(api: plaid_api.PlaidApi) -> None:
    asked = link(api, "transactions", transactions={"days_requested": 365})
    given = {"access_token": asked.access_token}
    oldest = min(one["date"] for one in added(pages(api, "transactions_sync", 500, **given)))
    assert TODAY - timedelta(days=366) <= oldest <= TODAY - timedelta(days=350)
    # Later wishes change nothing.
    later = call(api, "transactions_sync", count=500, options={"days_requested": 700}, **given)
    assert min(one["date"] for one in later["added"]) == oldest
    lazily = link(api, "auth")
    options = {"days_requested": 180}
    first = call(
        api, "transactions_sync", access_token=lazily.access_token, count=500, options=options
    )
    oldest = min(one["date"] for one in first["added"])
    assert TODAY - timedelta(days=181) <= oldest <= TODAY - timedelta(days=165)


@pytest.mark.slow
def test_data_follow_the_clock(serve: Callable[..., Server], store: list[str]) -> None:
    server = serve("--clock", CLOCK, *store)
    api = plaid_client(server)
    item = link(api, "transactions")
    given = {"access_token": item.access_token}
    found = added(pages(api, "transactions_sync", 500, **given))
    masks = {account["account_id"]: mask for mask, account in item.accounts.items()}
    cycle = {(masks[one["account_id"]], one["amount"], one["date"]) for one in found}
    assert cycle.issuperset(CYCLE)
    assert max(one["date"] for one in found) <= date(2026, 3, 10)
    cursor = call(api, "transactions_sync", count=500, **given)["next_cursor"]
    server.stop()
    later = serve("--clock", "2026-03-17T12:00:00Z", *store, data=server.data)
    told = call(plaid_client(later), "transactions_sync", cursor=cursor, count=500, **given)
    assert told["added"]
    assert all(date(2026, 3, 10) < one["date"] <= date(2026, 3, 17) for one in told["added"])
    assert told["modified"] == told["removed"] == []


@pytest.mark.slow
def test_a_young_item_has_no_transactions_yet(
    serve: Callable[..., Server], store: list[str]
) -> None:
    options = [*store, "--product-ready-seconds", "600"]
    server = serve("--clock", CLOCK, *options)
    api = plaid_client(server)
    item = link(api, "transactions")
    given, token = {"access_token": item.access_token}, mint(api, item)
    refused(api, "transactions_get", NOT_READY, **given, **YEARS)
    refused(api, "processor_transactions_get", NOT_READY, processor_token=token, **YEARS)
    for name, its_token in (
        ("transactions_sync", given),
        ("processor_transactions_sync", {"processor_token": token}),
    ):
        empty = call(api, name, **its_token)
        assert empty["transactions_update_status"] == "NOT_READY"
        assert empty["next_cursor"] == ""
        assert not empty["has_more"]
        assert empty["added"] == empty["modified"] == empty["removed"] == []
    lazily = {"access_token": link(api, "auth").access_token}
    refused(api, "transactions_get", NOT_READY, **lazily, **YEARS)
    counts = {}
    for clock, status in (
        ("2026-03-10T12:10:00Z", "INITIAL_UPDATE_COMPLETE"),
        ("2026-03-10T12:20:00Z", "HISTORICAL_UPDATE_COMPLETE"),
    ):
        server.stop()
        server = serve("--clock", clock, *options, data=server.data)
        page = call(plaid_client(server), "transactions_sync", count=500, **given)
        assert page["transactions_update_status"] == status
        counts[status] = len(page["added"])
        begun_late = call(plaid_client(server), "transactions_sync", count=500, **lazily)
        assert begun_late["transactions_update_status"] == status
    assert 10 < counts["INITIAL_UPDATE_COMPLETE"] < counts["HISTORICAL_UPDATE_COMPLETE"]
