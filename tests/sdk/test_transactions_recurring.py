"""Recurring streams by access token and, for one account, by processor token."""

from __future__ import annotations

from datetime import timedelta

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    NO_SUCH_ACCOUNT,
    TODAY,
    UNKNOWN_ACCOUNT,
    YEARS,
    Linked,
    call,
    link,
    mint,
    refused,
)
from tests.support.sdk import plaid_client
from tests.support.server import Server


@pytest.fixture
def api(server: Server) -> plaid_api.PlaidApi:
    return plaid_client(server)


@pytest.fixture
def item(api: plaid_api.PlaidApi) -> Linked:
    item = link(api, "transactions", transactions={"days_requested": 365})
    call(api, "transactions_get", access_token=item.access_token, **YEARS)
    return item


def test_the_users_cycle_makes_monthly_streams(api: plaid_api.PlaidApi, item: Linked) -> None:
    streams = call(api, "transactions_recurring_get", access_token=item.access_token)
    interest = [one for one in streams["inflow_streams"] if one["last_amount"]["amount"] == -4.22]
    assert len(interest) == 1
    assert interest[0]["account_id"] == item.account_id("1111")
    assert interest[0]["frequency"] == "MONTHLY"
    assert interest[0]["status"] == "MATURE"
    assert interest[0]["is_active"]
    assert interest[0]["predicted_next_date"] == interest[0]["last_date"] + timedelta(days=30)
    assert interest[0]["predicted_next_date"] > TODAY - timedelta(days=8)
    shown = call(
        api, "transactions_get", access_token=item.access_token, options={"count": 500}, **YEARS
    )
    ids = [one["transaction_id"] for one in shown["transactions"] if one["amount"] == -4.22]
    assert sorted(interest[0]["transaction_ids"]) == sorted(ids)
    amounts = {one["last_amount"]["amount"] for one in streams["outflow_streams"]}
    assert {25, 500, 2078.5, 78.5, 89.4} <= amounts
    # The money market account is none of those that are looked at.
    assert 5850 not in amounts


def test_partner_sees_the_streams_of_one_account(api: plaid_api.PlaidApi, item: Linked) -> None:
    token = mint(api, item, mask="3333")
    partners = call(api, "processor_transactions_recurring_get", processor_token=token)
    own = call(
        api,
        "transactions_recurring_get",
        access_token=item.access_token,
        account_ids=[item.account_id("3333")],
    )
    for member in ("inflow_streams", "outflow_streams"):
        assert partners[member] == own[member]
    assert {one["account_id"] for one in own["outflow_streams"]} == {item.account_id("3333")}


def test_unknown_accounts_are_refused(api: plaid_api.PlaidApi, item: Linked) -> None:
    refused(
        api,
        "transactions_recurring_get",
        NO_SUCH_ACCOUNT,
        access_token=item.access_token,
        account_ids=[UNKNOWN_ACCOUNT],
    )
