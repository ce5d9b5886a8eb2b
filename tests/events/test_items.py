"""What an Item's webhook is told of the Item itself, and of its accounts' verification."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.control.plane import Planned
from tests.events.hearing import Ear
from tests.support.flows import LOGIN_REQUIRED, Linked, call, link
from treadle.clock import parse_instant, to_datetime

Ears = Callable[[str], Ear]

HOUNDSTOOTH = "ins_109512"
NOW = to_datetime(parse_instant("2026-03-01T12:00:00Z"))


def last_webhook(api: plaid_api.PlaidApi, item: Linked) -> Any:
    return call(api, "item_get", access_token=item.access_token)["status"]["last_webhook"]


def test_a_login_that_was_reset_is_an_error(api: plaid_api.PlaidApi, ear: Ears) -> None:
    own = ear("own")
    item = link(api, "auth", webhook=own.url)
    for _ in range(2):
        call(api, "sandbox_item_reset_login", access_token=item.access_token)
    assert own.hear_of("ITEM:ERROR") == {
        "item_id": item.item_id,
        "error": {
            "error_type": "ITEM_ERROR",
            "error_code": "ITEM_LOGIN_REQUIRED",
            "error_message": LOGIN_REQUIRED.message,
            "display_message": None,
            "status": 400,
        },
    }


def test_a_new_webhook_is_acknowledged_where_it_is(api: plaid_api.PlaidApi, ear: Ears) -> None:
    before, after = ear("before"), ear("after")
    item = link(api, "auth", webhook=before.url)
    call(api, "item_webhook_update", access_token=item.access_token, webhook=after.url)
    assert after.hear_of("ITEM:WEBHOOK_UPDATE_ACKNOWLEDGED") == {
        "item_id": item.item_id,
        "new_webhook_url": after.url,
        "error": None,
    }
    call(api, "item_webhook_update", access_token=item.access_token, webhook="")
    before.hear()
    after.hear()


@pytest.mark.parametrize("status", ["automatically_verified", "verification_expired"])
def test_the_end_of_a_verification_is_told(api: plaid_api.PlaidApi, ear: Ears, status: str) -> None:
    own = ear("own")
    item = link(
        api,
        "auth",
        institution_id=HOUNDSTOOTH,
        override_password="microdeposits_good",
        webhook=own.url,
    )
    call(
        api,
        "sandbox_item_set_verification_status",
        access_token=item.access_token,
        account_id=item.account_id(),
        verification_status=status,
    )
    assert own.hear_of(f"AUTH:{status.upper()}") == {
        "item_id": item.item_id,
        "account_id": item.account_id(),
        "error": None,
    }


def test_item_get_shows_the_last_webhook(api: plaid_api.PlaidApi, app: Planned, ear: Ears) -> None:
    own, partner = ear("own"), ear("partner")
    item = link(api, "auth", "transactions")
    assert last_webhook(api, item) is None
    call(api, "item_webhook_update", access_token=item.access_token, webhook=own.url)
    app.sandbox("clock/advance", hours=1)
    call(api, "sandbox_item_reset_login", access_token=item.access_token)
    assert last_webhook(api, item) == {
        "code_sent": "ERROR",
        "sent_at": NOW + timedelta(hours=1),
    }
    app.sandbox("clock/advance", hours=1)
    minted = call(
        api,
        "processor_token_create",
        access_token=item.access_token,
        account_id=item.account_id(),
        processor="dwolla",
    )
    token = minted["processor_token"]
    call(api, "processor_token_webhook_update", processor_token=token, webhook=partner.url)
    # What a partner is told is none of the Item's own.
    assert last_webhook(api, item)["code_sent"] == "ERROR"


def test_item_get_tells_of_the_products_in_use(api: plaid_api.PlaidApi, app: Planned) -> None:
    item = link(api, "investments")
    call(api, "investments_holdings_get", access_token=item.access_token)
    app.sandbox("clock/advance", hours=1)
    status = call(api, "item_get", access_token=item.access_token)["status"]
    assert status == {
        "investments": {"last_successful_update": NOW, "last_failed_update": None},
        "last_webhook": None,
    }
