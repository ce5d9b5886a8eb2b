"""Accounts that are known by their numbers, and the deposits that prove whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.plane import Planned
from tests.support.link import DEPOSIT_BANK, MATCHING_BANK, Frame, link_token, run, told

SAME_DAY = {"same_day_microdeposits_enabled": True}
NUMBERS = {
    "routing_number": "110000000",
    "account_number": "1111222233330000",
    "account_type": "checking",
}


def by_numbers(app: Planned) -> str:
    """The access token of an account whose deposit is on its way."""
    result = run(app, link_token(app, auth=SAME_DAY), account_number=NUMBERS["account_number"])
    token: str = app.exchange(result["public_token"])["access_token"]
    return token


def status(app: Planned, access_token: str) -> str:
    [account] = app.post("/accounts/get", access_token=access_token)["accounts"]
    return str(account["verification_status"])


def verifying(app: Planned, access_token: str) -> str:
    return link_token(app, access_token=access_token, products=None)


def test_numbers_make_an_item_that_waits_for_its_deposit(app: Planned) -> None:
    result = run(app, link_token(app, auth=SAME_DAY), account_number=NUMBERS["account_number"])
    assert result["metadata"]["institution"] == {"name": None, "institution_id": None}
    [account] = result["metadata"]["accounts"]
    assert (account["name"], account["verification_status"]) == (
        "Checking...0000",
        "pending_manual_verification",
    )
    masks = {one["metadata"]["account_number_mask"] for one in result["events"]}
    assert masks == {None, "0000"}
    access_token = app.exchange(result["public_token"])["access_token"]
    assert app.post("/auth/get", access_token=access_token).code == "PRODUCT_NOT_READY"
    assert app.post("/identity/get", access_token=access_token).code == "PRODUCTS_NOT_SUPPORTED"
    assert app.post("/item/get", access_token=access_token)["item"]["institution_id"] is None


def test_the_code_verifies_it(app: Planned) -> None:
    access_token = by_numbers(app)
    token = verifying(app, access_token)
    result = run(app, token, deposit_code="abc")
    assert told(result["events"]) == [
        "OPEN(SAME_DAY_MICRODEPOSIT_VERIFICATION)",
        "TV(LOADING)",
        "TV(CONNECTED)",
        "HANDOFF",
    ]
    [ach] = app.post("/auth/get", access_token=access_token)["numbers"]["ach"]
    assert (ach["account"], ach["routing"]) == (
        NUMBERS["account_number"],
        NUMBERS["routing_number"],
    )
    assert status(app, access_token) == "manually_verified"
    again = run(app, token)
    assert told(again["events"])[1:] == ["TV(CONNECTED)", "HANDOFF"]


def test_three_wrong_codes_end_it(app: Planned, frame: Frame) -> None:
    access_token = by_numbers(app)
    token = verifying(app, access_token)
    earlier = Frame(app.url)
    earlier.start(link_token=token)
    frame.start(link_token=token)
    assert frame.submit(code="XYZ")["pane"]["tries"] == 2
    # Those of another session count as well, whenever it began.
    assert earlier.submit(code="XYZ")["pane"]["tries"] == 1
    earlier.close()
    assert status(app, access_token) == "pending_manual_verification"
    assert frame.submit(code="XYZ")["pane"]["view"] == "ERROR"
    assert status(app, access_token) == "verification_failed"
    frame.start(link_token=token)
    assert frame.view == "ERROR"
    left = frame.act("exit")["finished"]
    assert left["metadata"]["status"] == "requires_code"
    assert app.post("/auth/get", access_token=access_token).code == "PRODUCT_NOT_READY"


@pytest.mark.parametrize(
    "wrong",
    [
        {"routing_number": "110000001"},
        {"routing_number": "1100"},
        {"routing_number": "\u0967\u0967\u0966\u0966\u0966\u0966\u0966\u0966\u0966"},
        {"account_number": "12x4"},
        {"account_number": "123"},
        {"account_number": "1" * 18},
    ],
)
def test_numbers_that_cannot_be_are_asked_for_again(
    app: Planned, frame: Frame, wrong: dict[str, str]
) -> None:
    frame.start(link_token=link_token(app, auth=SAME_DAY))
    frame.act("continue")
    frame.act("enter_numbers")
    assert frame.submit(**(NUMBERS | wrong))["pane"]["problem"]["display_message"]
    frame.submit(**NUMBERS)
    assert frame.view == "SAME_DAY_MICRODEPOSIT_AUTHORIZED"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"auth": SAME_DAY, "products": ["auth", "transactions"]},
        {"auth": {"instant_match_enabled": True}},
    ],
)
def test_numbers_are_entered_only_where_asked_for(
    app: Planned, frame: Frame, fields: dict[str, Any]
) -> None:
    frame.start(link_token=link_token(app, **fields))
    assert "enter_numbers" not in frame.act("continue")["pane"]["actions"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("1111222233331111", "database_insights_pass"),
        ("1111222233333333", "database_insights_pass_with_caution"),
        ("1111222233339999", "database_insights_fail"),
    ],
)
def test_a_database_may_know_the_numbers(app: Planned, number: str, expected: str) -> None:
    token = link_token(app, auth={**SAME_DAY, "database_insights_enabled": True})
    result = run(app, token, account_number=number)
    assert result["metadata"]["account"]["verification_status"] == expected


def test_numbers_that_match_what_the_bank_shows(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app))
    pane = frame.log_in(institution_id=MATCHING_BANK)["pane"]
    assert pane["several"] is False
    keys = [one["key"] for one in pane["accounts"]]
    assert frame.try_to("select_accounts", accounts=keys).code == "INVALID_FIELD"
    frame.act("select_accounts", accounts=keys[1:2])
    other = {"routing_number": "021000021", "account_number": "1111222233330000"}
    assert frame.submit(**other)["pane"]["problem"]["display_message"]
    frame.submit(**(other | {"account_number": "1111222233331111"}))
    finished = frame.act("finish")["finished"]
    assert finished["metadata"]["account"]["verification_status"] is None
    access_token = app.exchange(finished["public_token"])["access_token"]
    [ach] = app.post("/auth/get", access_token=access_token)["numbers"]["ach"]
    assert (ach["account"], ach["routing"]) == ("1111222233331111", "021000021")


def test_automatic_deposits_are_awaited(app: Planned) -> None:
    result = run(app, link_token(app), institution_id=MATCHING_BANK, password="microdeposits_good")
    expected = "pending_automatic_verification"
    assert result["metadata"]["account"]["verification_status"] == expected


def test_a_fast_bank_is_answered_at_once(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app))
    frame.act("continue")
    frame.act("select_institution", institution_id=DEPOSIT_BANK)
    frame.submit(**(NUMBERS | {"routing_number": "333333334"}))
    assert frame.view == "INSTANT_MICRODEPOSIT_AUTHORIZED"
    assert frame.submit(code="nope")["pane"]["tries"] == 2
    frame.submit(code=" abc ")
    metadata = frame.act("finish")["finished"]["metadata"]
    assert metadata["account"]["verification_status"] == "manually_verified"
    assert metadata["institution"]["institution_id"] == DEPOSIT_BANK
