"""Update mode: an Item is repaired or shares other accounts, and stays the Item it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.plane import Planned
from tests.support.link import OAUTH_BANK, Frame, create, link_token, run, told


def updating(app: Planned, access_token: str, **fields: Any) -> str:
    return link_token(app, access_token=access_token, products=None, **fields)


def masks(app: Planned, access_token: str) -> list[str]:
    accounts = app.post("/accounts/get", access_token=access_token)["accounts"]
    return [one["mask"] for one in accounts]


def test_a_repaired_item_keeps_its_access_token(app: Planned) -> None:
    linked = app.link("transactions")
    app.post("/sandbox/item/reset_login", access_token=linked.access_token)
    assert app.post("/accounts/get", access_token=linked.access_token).code == "ITEM_LOGIN_REQUIRED"
    token = updating(app, linked.access_token)
    result = run(app, token)
    assert told(result["events"]) == [
        "OPEN(CONSENT)",
        "TV(CREDENTIAL)",
        "SUBMIT_CREDENTIALS",
        "TV(LOADING)",
        "TV(CONNECTED)",
        "HANDOFF",
    ]
    assert result["events"][0]["metadata"]["is_update_mode"] == "true"
    accounts = app.post("/accounts/get", access_token=linked.access_token)["accounts"]
    shared = [one["id"] for one in result["metadata"]["accounts"]]
    assert shared == [one["account_id"] for one in accounts]
    assert linked.checking in shared
    assert app.exchange(result["public_token"])["item_id"] == linked.item_id


def test_an_old_login_is_renewed(app: Planned) -> None:
    app.sandbox("clock", now="2026-03-01T12:00:00Z")
    linked = app.link()
    app.sandbox("clock/advance", days=30)
    assert app.post("/accounts/get", access_token=linked.access_token).code == "ITEM_LOGIN_REQUIRED"
    run(app, updating(app, linked.access_token))
    app.sandbox("clock/advance", days=29)
    assert app.post("/accounts/get", access_token=linked.access_token).code == "OK"


def test_a_repair_changes_no_transaction(app: Planned) -> None:
    app.sandbox("clock", now="2026-03-01T12:00:00Z")
    login = {"override_username": "user_transactions_dynamic", "override_password": "any"}
    linked = app.link("transactions", **login)
    body = {"access_token": linked.access_token}
    cursor = app.post("/transactions/sync", **body, count=500)["next_cursor"]
    result = run(
        app,
        updating(app, linked.access_token),
        username="user_transactions_dynamic",
        password="any",
    )
    assert result["public_token"]
    synced = app.post("/transactions/sync", **body, cursor=cursor, count=500)
    assert (synced["removed"], synced["modified"]) == ([], [])


def test_another_user_cannot_repair_it(app: Planned) -> None:
    linked = app.link()
    app.post("/sandbox/item/reset_login", access_token=linked.access_token)
    token = updating(app, linked.access_token)
    result = run(app, token, username="user_transactions_dynamic")
    assert result["exit"]["error"]["error_code"] == "INVALID_UPDATED_USERNAME"
    assert app.post("/accounts/get", access_token=linked.access_token).code == "ITEM_LOGIN_REQUIRED"


def test_accounts_can_be_shared_and_withdrawn(app: Planned) -> None:
    linked = app.link("transactions")
    body = {"access_token": linked.access_token}
    first = app.post("/transactions/sync", **body, count=500)
    mine = [one for one in first["added"] if one["account_id"] == linked.checking]
    assert 0 < len(mine) < len(first["added"])
    token = updating(app, linked.access_token, update={"account_selection_enabled": True})
    run(app, token, account_masks=["0000"])
    assert masks(app, linked.access_token) == ["0000"]
    synced = app.post("/transactions/sync", **body, cursor=first["next_cursor"], count=500)
    assert len(synced["removed"]) == len(first["added"]) - len(mine)
    result = run(app, token, account_masks=["0000", "1111"])
    assert masks(app, linked.access_token) == ["0000", "1111"]
    assert result["metadata"]["accounts"][0]["id"] == linked.checking


def test_accounts_that_are_shared_are_ticked(app: Planned, frame: Frame) -> None:
    linked = app.link()
    both = updating(app, linked.access_token, update={"account_selection_enabled": True})
    run(app, both, account_masks=["0000", "3333"])
    frame.start(link_token=both)
    assert frame.turn["pane"]["institution"]["institution_id"] == "ins_109508"
    frame.act("continue")
    frame.submit(username="user_good", password="pass_good")
    ticked = [one["mask"] for one in frame.turn["pane"]["accounts"] if one["selected"]]
    assert ticked == ["0000", "3333"]


def test_at_a_bank_of_its_own_page_too(app: Planned) -> None:
    public_token = app.post(
        "/sandbox/public_token/create", institution_id=OAUTH_BANK, initial_products=["auth"]
    )["public_token"]
    access_token = app.exchange(public_token)["access_token"]
    app.post("/sandbox/item/reset_login", access_token=access_token)
    result = run(app, updating(app, access_token))
    assert "OPEN_OAUTH" in told(result["events"])
    assert len(masks(app, access_token)) == 9


def test_products_can_be_added(app: Planned) -> None:
    linked = app.link("auth")
    token = link_token(app, access_token=linked.access_token, products=["assets"])
    run(app, token)
    item = app.post("/item/get", access_token=linked.access_token)["item"]
    assert item["billed_products"] == ["assets", "auth"]
    assert "assets" not in item["available_products"]


def test_an_item_that_is_gone_cannot_be_repaired(app: Planned, frame: Frame) -> None:
    linked = app.link()
    token = updating(app, linked.access_token)
    frame.start(link_token=token)
    frame.act("continue")
    app.post("/item/remove", access_token=linked.access_token)
    pane = frame.submit(username="user_good", password="pass_good")["pane"]
    assert pane["problem"]["error_code"] == "ITEM_NOT_FOUND"
    assert frame.start(link_token=token).code == "ITEM_NOT_FOUND"
    refused = create(app, access_token=linked.access_token, products=None)
    assert refused.code == "ITEM_NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"products": ["transactions"]}, "INVALID_FIELD"),
        ({"account_filters": {"credit": {"account_subtypes": ["all"]}}}, "INVALID_FIELD"),
        ({"enable_multi_item_link": True}, "INVALID_CONFIGURATION"),
        ({"products": []}, "OK"),
    ],
)
def test_what_update_mode_takes(app: Planned, fields: dict[str, Any], code: str) -> None:
    linked = app.link()
    asked = {"access_token": linked.access_token, "products": None, **fields}
    assert create(app, **asked).code == code
