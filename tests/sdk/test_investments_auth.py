"""What it takes to transfer an investment account, by access token and by processor token."""

from __future__ import annotations

from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    BANK_WITHOUT_IDENTITY,
    FIRST_PLATYPUS,
    NO_INVESTMENT_AUTH_ACCOUNTS,
    NO_SUCH_ACCOUNT,
    UNKNOWN_ACCOUNT,
    Linked,
    call,
    link,
    mint,
    not_supported,
    refused,
)

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def item(api: plaid_api.PlaidApi) -> Linked:
    return link(api, "investments_auth", "investments")


def numbers(item: Linked, mask: str) -> Answer:
    """The numbers of one account of the sandbox user, by what they are for."""
    account_id = item.account_id(mask)
    none: Answer = {"acats": [], "aton": [], "retirement_401k": []}
    if mask == "5555":
        dtc_numbers = ["1111", "2222", "3333"]
        acats = {"account_id": account_id, "account": "1111222233335555"}
        return none | {"acats": [acats | {"dtc_numbers": dtc_numbers}]}
    plan = {"account_id": account_id, "account": "1111222233336666", "plan": "401401"}
    return none | {"retirement_401k": [plan]}


def owner(item: Linked, mask: str) -> Answer:
    return {"account_id": item.account_id(mask), "names": ["Alberta Bobbeth Charleson"]}


def test_investments_auth_get_answers_all_that_a_transfer_takes(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    answer = call(api, "investments_auth_get", access_token=item.access_token)
    held = call(api, "investments_holdings_get", access_token=item.access_token)
    for members in ("accounts", "holdings", "securities"):
        assert answer[members] == held[members]
    ira, plan = numbers(item, "5555"), numbers(item, "6666")
    assert answer["numbers"] == {name: ira[name] + plan[name] for name in ira}
    assert answer["owners"] == [owner(item, "5555"), owner(item, "6666")]
    assert answer["data_sources"] == dict.fromkeys(("numbers", "owners", "holdings"), "INSTITUTION")
    [details] = answer["account_details_401k"]
    assert details["account_id"] == item.account_id("6666")


@pytest.mark.parametrize("mask", ["5555", "6666"])
def test_processor_investments_auth_get_answers_its_account_alone(
    api: plaid_api.PlaidApi, item: Linked, mask: str
) -> None:
    token = mint(api, item, mask=mask)
    answer = call(api, "processor_investments_auth_get", processor_token=token)
    expected = call(
        api,
        "investments_auth_get",
        access_token=item.access_token,
        options={"account_ids": [item.account_id(mask)]},
    )
    for members in ("holdings", "securities", "data_sources", "account_details_401k"):
        assert answer[members] == expected[members]
    for one in (answer, expected):
        assert one["numbers"] == numbers(item, mask)
        assert one["owners"] == [owner(item, mask)]
        assert {held["account_id"] for held in one["holdings"]} == {item.account_id(mask)}
    assert answer["account"]["account_id"] == item.account_id(mask)
    assert len(answer["account_details_401k"]) == (mask == "6666")


def test_investments_auth_get_refuses_when_nothing_can_be_transferred(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    wanted = [item.account_id("0000"), item.account_id("3333")]
    refused(
        api,
        "investments_auth_get",
        NO_INVESTMENT_AUTH_ACCOUNTS,
        access_token=item.access_token,
        options={"account_ids": wanted},
    )
    token = mint(api, item)
    refused(
        api, "processor_investments_auth_get", NO_INVESTMENT_AUTH_ACCOUNTS, processor_token=token
    )


def test_investments_auth_get_refuses_accounts_that_are_not_there(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    refused(
        api,
        "investments_auth_get",
        NO_SUCH_ACCOUNT,
        access_token=item.access_token,
        options={"account_ids": [UNKNOWN_ACCOUNT]},
    )


def test_investments_and_liabilities_need_a_bank_that_has_them(api: plaid_api.PlaidApi) -> None:
    item = link(api, "auth", institution_id=BANK_WITHOUT_IDENTITY)
    token = mint(api, item, mask="5555")
    for name, product in (
        ("investments_holdings_get", "investments"),
        ("investments_auth_get", "investments_auth"),
        ("liabilities_get", "liabilities"),
    ):
        refused(api, name, not_supported(product), access_token=item.access_token)
        refused(api, f"processor_{name}", not_supported(product), processor_token=token)
    answer = call(
        api,
        "institutions_get_by_id",
        institution_id=FIRST_PLATYPUS,
        country_codes=["US"],
    )
    offered = answer["institution"]["products"]
    assert {"investments", "investments_auth", "liabilities"} <= set(offered)
