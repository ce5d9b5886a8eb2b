"""Which accounts can be shared, and which products an Item then has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.plane import Planned
from tests.support.link import Frame, link_token, run


def offered(app: Planned, frame: Frame, **fields: Any) -> list[str]:
    frame.start(link_token=link_token(app, **fields))
    return [one["mask"] for one in frame.log_in()["pane"]["accounts"]]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"products": ["auth"]}, ["0000", "1111"]),
        ({"products": ["auth", "transactions"]}, ["0000", "1111"]),
        (
            {
                "products": ["transactions"],
                "account_filters": {"credit": {"account_subtypes": ["credit card"]}},
            },
            ["3333"],
        ),
        (
            {
                "products": ["transactions"],
                "account_filters": {
                    "depository": {"account_subtypes": ["savings", "cd"]},
                    "loan": {"account_subtypes": ["all"]},
                },
            },
            ["1111", "2222", "7777", "8888"],
        ),
        (
            {
                "products": ["auth"],
                "account_filters": {"depository": {"account_subtypes": ["all"]}},
            },
            ["0000", "1111"],
        ),
    ],
)
def test_accounts_are_offered_that_fit(
    app: Planned, frame: Frame, fields: dict[str, Any], expected: list[str]
) -> None:
    assert offered(app, frame, **fields) == expected


def test_without_filters_every_account_is_offered(app: Planned, frame: Frame) -> None:
    assert len(offered(app, frame, products=["transactions"])) == 9


@pytest.mark.parametrize(
    "fields",
    [
        {
            "products": ["auth"],
            "account_filters": {"credit": {"account_subtypes": ["credit card"]}},
        },
        {
            "products": ["investments"],
            "account_filters": {"depository": {"account_subtypes": ["checking"]}},
        },
    ],
)
def test_without_an_account_that_fits_it_is_an_error(app: Planned, fields: dict[str, Any]) -> None:
    result = run(app, link_token(app, **fields))
    assert result["exit"]["error"]["error_code"] == "NO_ACCOUNTS"


@pytest.mark.parametrize("accounts", [[], ["99"], ["x"]])
def test_only_what_is_offered_can_be_chosen(
    app: Planned, frame: Frame, accounts: list[str]
) -> None:
    offered(app, frame)
    assert frame.try_to("select_accounts", accounts=accounts).code == "INVALID_FIELD"


def test_an_item_has_the_accounts_that_were_chosen_and_their_data(app: Planned) -> None:
    token = link_token(app, products=["transactions"])
    result = run(app, token, account_masks=["3333", "1111"])
    access_token = app.exchange(result["public_token"])["access_token"]
    accounts = app.post("/accounts/get", access_token=access_token)["accounts"]
    assert [one["mask"] for one in accounts] == ["1111", "3333"]
    ids = {one["account_id"] for one in accounts}
    added = app.post("/transactions/sync", access_token=access_token, count=500)["added"]
    assert added
    assert {one["account_id"] for one in added} <= ids


def test_products_are_added_where_they_can_be_used(app: Planned) -> None:
    asked = {
        "products": ["auth"],
        "required_if_supported_products": ["identity"],
        "optional_products": ["investments", "transactions"],
        "additional_consented_products": ["liabilities"],
        "webhook": "https://shop.example/hook",
    }
    result = run(app, link_token(app, **asked))
    access_token = app.exchange(result["public_token"])["access_token"]
    item = app.post("/item/get", access_token=access_token)["item"]
    # None of the accounts that were shared holds investments.
    assert item["billed_products"] == ["auth", "identity", "transactions"]
    assert item["webhook"] == "https://shop.example/hook"


def test_a_mask_that_is_not_offered_is_told(app: Planned) -> None:
    unknown = app.sandbox("link/run", link_token=link_token(app), account_masks=["4242"])
    assert (unknown.code, unknown.body["error_message"]) == (
        "INVALID_FIELD",
        "account_masks must be of accounts that are offered: 0000, 1111",
    )
