"""Institutions: paging, filters, search and look-up."""

from __future__ import annotations

from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    FIRST_PLATYPUS,
    NO_SUCH_INSTITUTION,
    OAUTH_BANK,
    Keys,
    Refusal,
    call,
    post,
    refused,
)
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

READY = Keys(CLIENT_ID, SECRET)
ROYAL_BANK = "ins_117650"
TARTAN_DOMINION = "ins_43"
DOCUMENTED = {
    "ins_43": "Tartan-Dominion Bank of Canada",
    "ins_109508": "First Platypus Bank",
    "ins_109509": "First Gingham Credit Union",
    "ins_109510": "Tattersall Federal Credit Union",
    "ins_109511": "Tartan Bank",
    "ins_109512": "Houndstooth Bank",
    "ins_116834": "Flexible Platypus Open Banking",
    "ins_117650": "Royal Bank of Plaid",
    "ins_127287": "Platypus OAuth Bank",
    "ins_130016": "First Platypus Balance Bank",
    "ins_132241": "First Platypus OAuth App2App Bank",
}
METADATA = {"url", "primary_color", "logo", "auth_metadata", "payment_initiation_metadata"}


def listed(api: plaid_api.PlaidApi, *countries: str, **options: Any) -> list[dict[str, Any]]:
    given = {"options": options} if options else {}
    answer = call(
        api,
        "institutions_get",
        count=500,
        offset=0,
        country_codes=list(countries or ("US", "CA", "GB")),
        **given,
    )
    institutions: list[dict[str, Any]] = answer["institutions"]
    assert answer["total"] == len(institutions)
    return institutions


def ids(institutions: list[dict[str, Any]]) -> list[str]:
    return [one["institution_id"] for one in institutions]


def search(api: plaid_api.PlaidApi, query: str, **given: Any) -> list[dict[str, Any]]:
    fields = {"country_codes": ["US"], **given}
    answer = call(api, "institutions_search", query=query, **fields)
    institutions: list[dict[str, Any]] = answer["institutions"]
    return institutions


def by_id(api: plaid_api.PlaidApi, institution_id: str, **options: bool) -> dict[str, Any]:
    given = {"options": options} if options else {}
    answer = call(
        api,
        "institutions_get_by_id",
        institution_id=institution_id,
        country_codes=["US", "GB", "CA"],
        **given,
    )
    institution: dict[str, Any] = answer["institution"]
    return institution


def test_institutions_get_lists_the_documented_ones(api: plaid_api.PlaidApi) -> None:
    names = {one["institution_id"]: one["name"] for one in listed(api)}
    assert DOCUMENTED.items() <= names.items()


def test_institutions_get_pages(api: plaid_api.PlaidApi) -> None:
    every = ids(listed(api))
    paged: list[str] = []
    for offset in range(0, len(every) + 3, 3):
        answer = call(
            api,
            "institutions_get",
            count=3,
            offset=offset,
            country_codes=["US", "CA", "GB"],
        )
        assert answer["total"] == len(every)
        assert len(answer["institutions"]) <= 3
        paged += ids(answer["institutions"])
    assert paged == every
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("count", 0, "count must be an integer from 1 to 500"),
        ("count", 501, "count must be an integer from 1 to 500"),
        ("count", "10", "count must be an integer"),
        ("offset", -1, "offset must be an integer of at least 0"),
        ("country_codes", ["XX"], None),
        ("country_codes", "US", None),
    ],
)
def test_institutions_get_refuses_malformed_fields(
    server: Server, field: str, value: object, message: str | None
) -> None:
    body = {"count": 10, "offset": 0, "country_codes": ["US"], field: value}
    answer = post(server, "/institutions/get", body, READY)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_FIELD")
    assert answer.json()["error_message"].startswith(message or field)


def test_institutions_get_filters_by_country(api: plaid_api.PlaidApi) -> None:
    assert ROYAL_BANK in ids(listed(api, "GB"))
    assert TARTAN_DOMINION in ids(listed(api, "CA"))
    american = ids(listed(api, "US"))
    assert FIRST_PLATYPUS in american
    assert not {ROYAL_BANK, TARTAN_DOMINION} & set(american)


def test_institutions_get_filters_by_products(api: plaid_api.PlaidApi) -> None:
    wanted = {"auth", "identity"}
    kept = listed(api, products=sorted(wanted))
    assert FIRST_PLATYPUS in ids(kept)
    assert ids(kept) == [
        one["institution_id"] for one in listed(api) if wanted <= set(one["products"])
    ]


def test_institutions_get_filters_by_oauth(api: plaid_api.PlaidApi) -> None:
    with_oauth, without = ids(listed(api, oauth=True)), ids(listed(api, oauth=False))
    assert OAUTH_BANK in with_oauth
    assert FIRST_PLATYPUS in without
    assert sorted(with_oauth + without) == sorted(ids(listed(api)))


def test_institutions_get_filters_by_routing_number(api: plaid_api.PlaidApi) -> None:
    with_numbers = [one for one in listed(api) if one["routing_numbers"]]
    number = with_numbers[0]["routing_numbers"][0]
    kept = listed(api, routing_numbers=[number, "000000000"])
    assert all(number in one["routing_numbers"] for one in kept)
    assert kept
    assert listed(api, routing_numbers=["000000000"]) == []


@pytest.mark.parametrize("path", ["/institutions/get", "/institutions/search"])
def test_institutions_refuse_an_unknown_product(server: Server, path: str) -> None:
    if path == "/institutions/get":
        body = {"count": 1, "offset": 0, "country_codes": ["US"], "options": {"products": ["x"]}}
    else:
        body = {"query": "bank", "country_codes": ["US"], "products": ["x"]}
    answer = post(server, path, body, READY).json()
    assert (answer["error_type"], answer["error_code"]) == ("INVALID_INPUT", "INVALID_PRODUCT")
    assert answer["error_message"] == 'invalid product in products: "x"'


def test_institutions_search_finds_every_word_in_any_case(api: plaid_api.PlaidApi) -> None:
    found = ids(search(api, "PLATYPUS first"))
    assert FIRST_PLATYPUS in found
    assert "ins_109511" not in found
    assert search(api, "no such institution") == []


def test_institutions_search_answers_ten_at_most_and_beginnings_first(
    api: plaid_api.PlaidApi,
) -> None:
    found = search(api, "platypus", country_codes=["US", "GB", "CA"])
    assert 2 <= len(found) <= 10
    starts = [one["name"].lower().startswith("platypus") for one in found]
    assert starts == sorted(starts, reverse=True)
    assert starts[0]


def test_institutions_search_keeps_to_country_and_products(api: plaid_api.PlaidApi) -> None:
    assert ids(search(api, "royal bank of plaid")) == []
    assert ids(search(api, "royal bank of plaid", country_codes=["GB"])) == [ROYAL_BANK]
    assert FIRST_PLATYPUS in ids(search(api, "first platypus", products=["auth"]))
    assert FIRST_PLATYPUS in ids(search(api, "first platypus", products=None))


@pytest.mark.parametrize("query", ["", "   "])
def test_institutions_search_refuses_an_empty_query(server: Server, query: str) -> None:
    body = {"query": query, "country_codes": ["US"], "products": None}
    answer = post(server, "/institutions/search", body, READY).json()
    assert answer["error_code"] == "INVALID_FIELD"
    assert "query" in answer["error_message"]


def test_institutions_get_by_id_answers_first_platypus(api: plaid_api.PlaidApi) -> None:
    institution = by_id(api, FIRST_PLATYPUS)
    assert institution["name"] == "First Platypus Bank"
    assert institution["country_codes"] == ["US"]
    assert institution["oauth"] is False
    assert institution["routing_numbers"] == []
    documented = {"assets", "auth", "balance", "transactions", "identity", "investments"}
    assert documented | {"liabilities"} <= set(institution["products"])
    assert not METADATA & set(institution)
    assert "status" not in institution


def test_institutions_get_by_id_adds_what_is_asked_for(api: plaid_api.PlaidApi) -> None:
    institution = by_id(api, FIRST_PLATYPUS, include_optional_metadata=True)
    assert institution["url"] == "https://www.plaid.com/"
    assert institution["primary_color"] == "#0075a3"
    assert institution["logo"] is None
    assert "auth_metadata" in by_id(api, FIRST_PLATYPUS, include_auth_metadata=True)
    assert by_id(api, FIRST_PLATYPUS, include_status=True)["status"] is None
    paying = by_id(api, ROYAL_BANK, include_payment_initiation_metadata=True)
    assert paying["payment_initiation_metadata"]["maximum_payment_amount"]["GBP"] == "1000000"


@pytest.mark.parametrize(
    ("institution_id", "countries"),
    [("ins_0", ["US"]), ("FIRST", ["US"]), (FIRST_PLATYPUS, ["GB"]), (ROYAL_BANK, ["US"])],
)
def test_institutions_get_by_id_refuses_an_unknown_institution(
    api: plaid_api.PlaidApi, institution_id: str, countries: list[str]
) -> None:
    refused(
        api,
        "institutions_get_by_id",
        NO_SUCH_INSTITUTION,
        institution_id=institution_id,
        country_codes=countries,
    )


def test_institutions_get_by_id_needs_its_countries(server: Server) -> None:
    answer = post(server, "/institutions/get_by_id", {"institution_id": FIRST_PLATYPUS}, READY)
    error = answer.json()
    shown = Refusal(error["error_type"], error["error_code"], error["error_message"])
    message = "the following required fields are missing: country_codes"
    assert shown == Refusal("INVALID_REQUEST", "MISSING_FIELDS", message)


def test_categories_get_lists_the_hierarchy(api: plaid_api.PlaidApi) -> None:
    categories = call(api, "categories_get")["categories"]
    by_number = {one["category_id"]: one for one in categories}
    assert len(by_number) == len(categories) > 400
    fast_food = by_number["13005032"]
    assert fast_food["hierarchy"] == ["Food and Drink", "Restaurants", "Fast Food"]
    assert fast_food["group"] == "place"
    assert by_number["16001000"]["hierarchy"] == ["Payment", "Credit Card"]
