"""Holdings and investment transactions, by access token and by processor token."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    MALFORMED_ACCOUNTS,
    NO_INVESTMENT_ACCOUNTS,
    NO_SUCH_ACCOUNT,
    UNKNOWN_ACCOUNT,
    YEARS,
    Keys,
    Linked,
    Refusal,
    call,
    link,
    mint,
    post,
    refused,
)
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

INVESTMENT_MASKS = ("5555", "6666")
OTHER_MASKS = ("0000", "1111", "2222", "3333", "4444", "7777", "8888")

# As recorded: account, ticker, type, quantity, price, value, cost.
HOLDINGS = [
    ("5555", "USD", "cash", 0.01, 1, 0.01, 1),
    ("5555", "NFLX180201C00355000", "derivative", 10000, 0.011, 110, 0.01),
    ("5555", "EWZ", "etf", 5, 42.15, 210.75, 40),
    ("6666", "ACHN", "equity", 1, 2.11, 2.11, 1.5),
    ("6666", "DBLTX", "mutual fund", 2, 10.42, 20.84, 10),
    ("6666", "MIPTX", "mutual fund", 23.567, 27, 636.309, 23),
    ("6666", "NHX105509", "etf", 100.05, 13.73, 1373.6865, 15),
    ("6666", "CAMYX", "mutual fund", 75.75, 24.5, 1855.875, 22),
    ("6666", "SBSI", "equity", 213, 34.73, 7397.49, 30),
    ("6666", "USD", "cash", 12345.67, 1, 12345.67, 1),
]
# As recorded: account, ticker, type, subtype, amount, price, fees. One cycle of two weeks.
TRADES = [
    ("5555", "EWZ", "sell", "sell", -2066.58, 41.62, 0),
    ("5555", "NFLX180201C00355000", "buy", "buy", 46.32, 0.01, 5),
    ("5555", None, "cash", "deposit", -1200, 0, 0),
    ("6666", "ACHN", "buy", "buy", 1.1, 2.16, 7.99),
    ("6666", "CAMYX", "sell", "sell", -0.22, 25, 5),
    ("6666", "DBLTX", "buy", "buy", 7.7, 10.42, 7.99),
    ("6666", "MIPTX", "sell", "sell", -1289.01, 27.53, 7.99),
    ("6666", "NHX105509", "buy", "buy", 466.71, 13.57, 1.95),
    ("6666", "SBSI", "cash", "dividend", -8.72, 0, 0),
    ("6666", "SBSI", "sell", "sell", -14961.99, 34.12, 0),
    ("6666", None, "cash", "interest", -0.1, 0, 0),
]

WRONG_WAY_ROUND = Refusal(
    "INVALID_REQUEST", "INVALID_FIELD", "start_date must not be after end_date"
)

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def item(api: plaid_api.PlaidApi) -> Linked:
    return link(api, "investments")


def holdings_of(api: plaid_api.PlaidApi, item: Linked, *masks: str) -> Answer:
    return call(api, "investments_holdings_get", **by_access_token(item, *masks))


def by_access_token(item: Linked, *masks: str) -> dict[str, Any]:
    """The members of a request for some accounts of an Item, or for all."""
    if not masks:
        return {"access_token": item.access_token}
    wanted = {"account_ids": [item.account_id(mask) for mask in masks]}
    return {"access_token": item.access_token, "options": wanted}


def tickers(answer: Answer) -> dict[str | None, str | None]:
    """The tickers of the securities that an answer tells of, by their ids; each is told once."""
    ids = [security["security_id"] for security in answer["securities"]]
    assert len(set(ids)) == len(ids)
    return {one["security_id"]: one["ticker_symbol"] for one in answer["securities"]}


def named(members: list[Answer]) -> set[str]:
    return {one["security_id"] for one in members if one["security_id"]}


def masks(item: Linked) -> dict[str, str]:
    return {account["account_id"]: mask for mask, account in item.accounts.items()}


def test_investments_holdings_get_answers_the_documented_holdings(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    answer = holdings_of(api, item)
    ticker, mask = tickers(answer), masks(item)
    types = {one["security_id"]: one["type"] for one in answer["securities"]}
    assert [
        (
            mask[one["account_id"]],
            ticker[one["security_id"]],
            types[one["security_id"]],
            one["quantity"],
            one["institution_price"],
            one["institution_value"],
            one["cost_basis"],
        )
        for one in answer["holdings"]
    ] == HOLDINGS
    assert named(answer["holdings"]) == set(ticker)
    assert answer["is_investments_fallback_item"] is False


def test_investments_holdings_get_adds_up_to_the_balances(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    answer = holdings_of(api, item)
    for account in answer["accounts"]:
        assert account["balances"]["margin_loan_amount"] is None
        if account["type"] != "investment":
            continue
        values = [
            one["institution_value"]
            for one in answer["holdings"]
            if one["account_id"] == account["account_id"]
        ]
        assert round(sum(values), 4) == account["balances"]["current"]


def test_investments_holdings_get_tells_what_kind_of_option_is_held(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    securities = holdings_of(api, item, "5555")["securities"]
    contracts = {one["ticker_symbol"]: one["option_contract"] for one in securities}
    assert contracts == {
        "USD": None,
        "EWZ": None,
        "NFLX180201C00355000": {
            "contract_type": "call",
            "expiration_date": date(2018, 2, 1),
            "strike_price": 355,
            "underlying_security_ticker": "NFLX",
        },
    }
    # Both need a licence that nobody has been granted here.
    assert all(one["cusip"] is one["isin"] is None for one in securities)


def test_investments_holdings_get_keeps_to_the_accounts_asked_for(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    answer = holdings_of(api, item, "5555", "0000")
    assert [account["mask"] for account in answer["accounts"]] == ["0000", "5555"]
    assert {one["account_id"] for one in answer["holdings"]} == {item.account_id("5555")}
    assert len(answer["securities"]) == 3


@pytest.mark.parametrize("mask", INVESTMENT_MASKS)
def test_processor_investments_holdings_get_answers_its_account_alone(
    api: plaid_api.PlaidApi, item: Linked, mask: str
) -> None:
    answer = call(
        api, "processor_investments_holdings_get", processor_token=mint(api, item, mask=mask)
    )
    expected = holdings_of(api, item, mask)
    assert answer["account"] == expected["accounts"][0]
    for members in ("holdings", "securities", "is_investments_fallback_item"):
        assert answer[members] == expected[members]
    assert {one["account_id"] for one in answer["holdings"]} == {item.account_id(mask)}
    assert named(answer["holdings"]) == set(tickers(answer))


def trades_of(
    api: plaid_api.PlaidApi, item: Linked, start: date, end: date, **options: Any
) -> Answer:
    return call(
        api,
        "investments_transactions_get",
        access_token=item.access_token,
        start_date=start,
        end_date=end,
        options=options,
    )


def processor_trades_of(
    api: plaid_api.PlaidApi, token: str, start: date, end: date, **options: Any
) -> Answer:
    return call(
        api,
        "processor_investments_transactions_get",
        processor_token=token,
        start_date=start,
        end_date=end,
        options=options,
    )


def test_investments_transactions_get_answers_the_documented_cycle(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    newest = trades_of(api, item, **_years())["investment_transactions"][0]["date"]
    first = newest - timedelta(days=13)
    answer = trades_of(api, item, first, newest)
    ticker, mask = tickers(answer), masks(item)
    shown = [
        (
            mask[one["account_id"]],
            ticker[one["security_id"]] if one["security_id"] else None,
            one["type"],
            one["subtype"],
            one["amount"],
            one["price"],
            one["fees"],
        )
        for one in answer["investment_transactions"]
    ]
    assert sorted(shown, key=str) == sorted(TRADES, key=str)
    assert answer["total_investment_transactions"] == len(TRADES)
    assert named(answer["investment_transactions"]) == set(ticker)
    days = [one["date"] for one in answer["investment_transactions"]]
    assert days == sorted(days, reverse=True)
    assert days[0] == newest
    assert days[-1] >= first


def test_investments_transactions_get_signs_quantities_by_their_direction(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    for one in trades_of(api, item, **_years())["investment_transactions"]:
        if one["type"] == "cash":
            assert one["quantity"] == 0
        else:
            assert (one["quantity"] > 0) is (one["type"] == "buy")
            assert (one["quantity"] > 0) is (one["amount"] > 0)


def test_investments_transactions_get_goes_back_24_months(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    total = trades_of(api, item, **_years())["total_investment_transactions"]
    last = trades_of(api, item, **_years(), offset=total - 1)["investment_transactions"]
    newest = trades_of(api, item, **_years(), count=1)["investment_transactions"]
    assert 730 - 2 * 14 < (newest[0]["date"] - last[0]["date"]).days <= 730


def _years() -> dict[str, date]:
    return {"start": YEARS["start_date"], "end": YEARS["end_date"]}


@pytest.mark.parametrize("count", [41, 97, 500])
def test_investments_transactions_get_pages_add_up(
    api: plaid_api.PlaidApi, item: Linked, count: int
) -> None:
    """All pages one after another are everything, nothing twice, each with its own securities."""
    token = mint(api, item, mask="5555")
    start, end = YEARS["start_date"], YEARS["end_date"]
    everything: dict[str, Answer] = {}
    offset, total = 0, 1
    while offset < total:
        page = trades_of(api, item, start, end, count=count, offset=offset)
        shown = page["investment_transactions"]
        assert 0 < len(shown) <= count
        assert named(shown) == set(tickers(page))
        assert everything.keys().isdisjoint(one["investment_transaction_id"] for one in shown)
        everything |= {one["investment_transaction_id"]: one for one in shown}
        offset, total = offset + count, page["total_investment_transactions"]
    assert len(everything) == total
    assert trades_of(api, item, start, end, offset=total)["investment_transactions"] == []
    of_account = [
        one for one in everything.values() if one["account_id"] == item.account_id("5555")
    ]
    partner: list[Answer] = []
    while page := processor_trades_of(api, token, start, end, count=count, offset=len(partner))[
        "investment_transactions"
    ]:
        partner += page
    assert partner == of_account


@pytest.mark.parametrize("mask", INVESTMENT_MASKS)
def test_processor_investments_transactions_get_answers_its_account_alone(
    api: plaid_api.PlaidApi, item: Linked, mask: str
) -> None:
    account_id = item.account_id(mask)
    answer = processor_trades_of(api, mint(api, item, mask=mask), **_years(), count=500)
    expected = trades_of(api, item, **_years(), count=500, account_ids=[account_id])
    assert answer["account"] == expected["accounts"][0]
    for members in ("investment_transactions", "securities", "total_investment_transactions"):
        assert answer[members] == expected[members]
    assert {one["account_id"] for one in answer["investment_transactions"]} == {account_id}


def test_processor_investments_transactions_get_refuses_another_account(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    refused(
        api,
        "processor_investments_transactions_get",
        NO_SUCH_ACCOUNT,
        processor_token=mint(api, item, mask="5555"),
        options={"account_ids": [item.account_id("6666")]},
        **YEARS,
    )


def test_investments_get_refuses_when_no_account_asked_for_can_hold_anything(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    given = by_access_token(item, *OTHER_MASKS)
    refused(api, "investments_holdings_get", NO_INVESTMENT_ACCOUNTS, **given)
    refused(api, "investments_transactions_get", NO_INVESTMENT_ACCOUNTS, **given, **YEARS)


@pytest.mark.parametrize("mask", OTHER_MASKS)
def test_processor_investments_get_refuses_an_account_that_holds_nothing(
    api: plaid_api.PlaidApi, item: Linked, mask: str
) -> None:
    given = {"processor_token": mint(api, item, mask=mask)}
    refused(api, "processor_investments_holdings_get", NO_INVESTMENT_ACCOUNTS, **given)
    name = "processor_investments_transactions_get"
    refused(api, name, NO_INVESTMENT_ACCOUNTS, **given, **YEARS)


@pytest.mark.parametrize("name", ["investments_holdings_get", "investments_transactions_get"])
def test_investments_get_refuses_accounts_that_are_not_there(
    api: plaid_api.PlaidApi, item: Linked, name: str
) -> None:
    given: dict[str, Any] = {"access_token": item.access_token}
    if name == "investments_transactions_get":
        given |= YEARS
    wanted = [item.account_id("5555"), UNKNOWN_ACCOUNT]
    refused(api, name, NO_SUCH_ACCOUNT, **given, options={"account_ids": wanted})
    for malformed in ([], ["5555"]):
        refused(api, name, MALFORMED_ACCOUNTS, **given, options={"account_ids": malformed})


def test_investments_transactions_get_refuses_days_the_wrong_way_round(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    given = {"start_date": date(2026, 1, 2), "end_date": date(2026, 1, 1)}
    name = "investments_transactions_get"
    refused(api, name, WRONG_WAY_ROUND, access_token=item.access_token, **given)
    token = mint(api, item, mask="5555")
    refused(api, f"processor_{name}", WRONG_WAY_ROUND, processor_token=token, **given)


@pytest.mark.parametrize("options", [{"count": 0}, {"count": 501}, {"offset": -1}])
def test_investments_transactions_get_refuses_a_page_out_of_bounds(
    server: Server, item: Linked, options: dict[str, int]
) -> None:
    body = {"access_token": item.access_token, **YEARS, "options": options}
    answer = post(server, "/investments/transactions/get", body, Keys(CLIENT_ID, SECRET))
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_FIELD")
    assert f"options.{next(iter(options))}" in answer.json()["error_message"]


def test_investments_transactions_get_is_empty_where_nothing_was_traded(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    answer = trades_of(api, item, date(2001, 1, 1), date(2001, 12, 31))
    assert answer["total_investment_transactions"] == 0
    assert answer["investment_transactions"] == answer["securities"] == []


def test_investments_refresh_needs_the_product(api: plaid_api.PlaidApi) -> None:
    item = link(api, "auth")
    refused(
        api,
        "investments_refresh",
        Refusal(
            "ITEM_ERROR",
            "PRODUCT_NOT_ENABLED",
            "the investments product has not been initialized for this item; call one of the "
            "product's own endpoints first, or name it when the item is created",
        ),
        access_token=item.access_token,
    )
    assert "investments" in holdings_of(api, item)["item"]["billed_products"]
    call(api, "investments_refresh", access_token=item.access_token)


def test_investments_refresh_keeps_what_stands(api: plaid_api.PlaidApi, item: Linked) -> None:
    before = trades_of(api, item, **_years(), count=500), holdings_of(api, item)["holdings"]
    assert call(api, "investments_refresh", access_token=item.access_token).keys() == {"request_id"}
    after = trades_of(api, item, **_years(), count=500), holdings_of(api, item)["holdings"]
    for one in (before[0], after[0]):
        del one["request_id"]
    assert after == before
