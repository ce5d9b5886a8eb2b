"""Enriching the caller's own transactions, and the categories of those that are shown."""

from __future__ import annotations

from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import YEARS, Refusal, call, link, refused
from tests.support.sdk import plaid_client
from tests.support.server import Server


@pytest.fixture
def api(server: Server) -> plaid_api.PlaidApi:
    return plaid_client(server)


def given(number: int = 0, **fields: Any) -> dict[str, Any]:
    purchase = {
        "id": f"purchase-{number}",
        "description": "STARBUCKS STORE 05821 SEATTLE WA",
        "amount": 6.45,
        "direction": "OUTFLOW",
        "iso_currency_code": "USD",
    }
    return purchase | fields


def enrich(api: plaid_api.PlaidApi, *transactions: dict[str, Any], **fields: Any) -> list[Any]:
    fields = {"account_type": "depository", "transactions": list(transactions)} | fields
    answer: list[Any] = call(api, "transactions_enrich", **fields)["enriched_transactions"]
    return answer


def test_a_purchase_is_enriched(api: plaid_api.PlaidApi) -> None:
    (found,) = enrich(api, given(client_user_id="user-1"))
    enrichments = found.pop("enrichments")
    assert found == given(client_user_id="user-1")
    assert enrichments["merchant_name"] == "Starbucks"
    assert enrichments["website"] == "starbucks.com"
    assert enrichments["payment_channel"] == "in store"
    assert enrichments["location"]["city"] == "Seattle"
    assert enrichments["location"]["store_number"] == "05821"
    assert enrichments["personal_finance_category"] == {
        "primary": "FOOD_AND_DRINK",
        "detailed": "FOOD_AND_DRINK_COFFEE",
        "confidence_level": "VERY_HIGH",
        "version": "v2",
    }
    icon = "https://plaid-category-icons.plaid.com/PFC_FOOD_AND_DRINK.png"
    assert enrichments["personal_finance_category_icon_url"] == icon
    (counterparty,) = enrichments["counterparties"]
    assert counterparty["type"] == "merchant"
    assert counterparty["entity_id"] == enrichments["entity_id"]
    assert enrichments["legacy_category_id"] is None


def test_the_direction_decides(api: plaid_api.PlaidApi) -> None:
    description = "ACME CORP PAYROLL"
    paid_in, paid_out = enrich(
        api,
        given(1, description=description, direction="INFLOW"),
        given(2, description=description),
    )
    categories = [
        one["enrichments"]["personal_finance_category"]["primary"] for one in (paid_in, paid_out)
    ]
    assert categories == ["INCOME", "TRANSFER_OUT"]


def test_the_first_version_and_the_legacy_category_come_when_asked_for(
    api: plaid_api.PlaidApi,
) -> None:
    (found,) = enrich(
        api,
        given(description="ACME LOAN PROCEEDS", direction="INFLOW"),
        options={"include_legacy_category": True, "personal_finance_category_version": "v1"},
    )
    enrichments = found["enrichments"]
    category = enrichments["personal_finance_category"]
    assert category["detailed"] == "TRANSFER_IN_CASH_ADVANCES_AND_LOANS"
    assert (category["primary"], category["version"]) == ("TRANSFER_IN", "v1")
    assert enrichments["personal_finance_category_icon_url"].endswith("/PFC_TRANSFER_IN.png")
    assert enrichments["legacy_category_id"] == "21000000"
    assert enrichments["legacy_category"] == ["Transfer"]


def test_the_place_and_the_code_that_the_caller_knows_count(api: plaid_api.PlaidApi) -> None:
    (found,) = enrich(api, given(description="QZX", mcc="5814", location={"city": "Reno"}))
    enrichments = found["enrichments"]
    assert enrichments["personal_finance_category"]["detailed"] == "FOOD_AND_DRINK_FAST_FOOD"
    assert enrichments["location"]["city"] == "Reno"


def test_a_hundred_transactions_are_taken(api: plaid_api.PlaidApi) -> None:
    assert len(enrich(api, *[given(number) for number in range(100)])) == 100


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"id": ""}, "id must be a non-empty string"),
        ({"id": "purchase-0"}, "id must be unique among the transactions"),
        ({"description": " "}, "description must be a non-empty string"),
        ({"amount": -1.0}, "amount must be at least 0; direction says which way the money went"),
        ({"iso_currency_code": "usd"}, 'iso_currency_code must be an ISO 4217 code such as "USD"'),
        ({"mcc": "58"}, "mcc must be four digits"),
    ],
)
def test_a_wrong_transaction_is_refused_by_its_place(
    api: plaid_api.PlaidApi, wrong: dict[str, Any], problem: str
) -> None:
    refused(
        api,
        "transactions_enrich",
        Refusal("INVALID_REQUEST", "INVALID_FIELD", f"transactions[1].{problem}"),
        account_type="credit",
        transactions=[given(0), given(1, **wrong)],
    )


@pytest.mark.parametrize("count", [0, 101])
def test_none_and_too_many_are_refused(api: plaid_api.PlaidApi, count: int) -> None:
    refused(
        api,
        "transactions_enrich",
        Refusal(
            "INVALID_REQUEST",
            "INVALID_FIELD",
            "transactions must be a list of 1 to 100 transactions",
        ),
        account_type="credit",
        transactions=[given(number) for number in range(count)],
    )


def test_another_type_of_account_is_refused(api: plaid_api.PlaidApi) -> None:
    refused(
        api,
        "transactions_enrich",
        Refusal(
            "INVALID_REQUEST", "INVALID_FIELD", 'account_type must be "depository" or "credit"'
        ),
        account_type="loan",
        transactions=[given()],
    )


def test_shown_transactions_are_enriched_in_the_version_asked_for(
    api: plaid_api.PlaidApi,
) -> None:
    token = link(api, "transactions").access_token
    shown = {
        version: call(
            api,
            "transactions_get",
            access_token=token,
            options={"personal_finance_category_version": version} if version else {},
            **YEARS,
        )["transactions"]
        for version in (None, "v1")
    }
    uber = next(one for one in shown[None] if one["merchant_name"] == "Uber")
    assert uber["name"] == "Uber"
    assert uber["website"] == "uber.com"
    assert uber["merchant_entity_id"] == uber["counterparties"][0]["entity_id"]
    assert uber["personal_finance_category"]["version"] == "v2"
    assert len(shown["v1"]) == len(shown[None])
    assert {one["personal_finance_category"]["version"] for one in shown["v1"]} == {"v1"}
    assert "original_description" not in shown["v1"][0]
