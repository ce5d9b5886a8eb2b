"""Account and routing numbers."""

from __future__ import annotations

import pytest
from plaid.api import plaid_api

from tests.support.flows import NO_AUTH_ACCOUNTS, Linked, call, mint, refused

ACCOUNT_NUMBERS = {"0000": "1111222233330000", "1111": "1111222233331111"}
NETWORKS = {"ach", "eft", "international", "bacs"}


def ach(item: Linked, mask: str) -> dict[str, str]:
    return {
        "account_id": item.account_id(mask),
        "account": ACCOUNT_NUMBERS[mask],
        "routing": "011401533",
        "wire_routing": "021000021",
    }


def test_auth_get_answers_the_documented_numbers(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    numbers = call(api, "auth_get", access_token=shared_item.access_token)["numbers"]
    assert numbers["ach"] == [ach(shared_item, "0000"), ach(shared_item, "1111")]
    assert [numbers[network] for network in ("eft", "international", "bacs")] == [[], [], []]
    assert set(numbers) == NETWORKS


def test_auth_get_keeps_to_the_accounts_asked_for(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    wanted = [shared_item.account_id("1111"), shared_item.account_id("8888")]
    answer = call(
        api, "auth_get", access_token=shared_item.access_token, options={"account_ids": wanted}
    )
    assert answer["numbers"]["ach"] == [ach(shared_item, "1111")]


def test_auth_get_refuses_when_no_account_asked_for_has_numbers(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    wanted = [shared_item.account_id("2222"), shared_item.account_id("3333")]
    refused(
        api,
        "auth_get",
        NO_AUTH_ACCOUNTS,
        access_token=shared_item.access_token,
        options={"account_ids": wanted},
    )


@pytest.mark.parametrize("mask", ACCOUNT_NUMBERS)
def test_processor_auth_get_answers_the_numbers_of_its_account_alone(
    api: plaid_api.PlaidApi, shared_item: Linked, mask: str
) -> None:
    answer = call(api, "processor_auth_get", processor_token=mint(api, shared_item, mask=mask))
    assert set(answer) == {"account", "numbers", "request_id"}
    assert answer["account"]["mask"] == mask
    assert answer["numbers"] == {
        "ach": ach(shared_item, mask),
        "eft": None,
        "international": None,
        "bacs": None,
    }


@pytest.mark.parametrize("mask", ["2222", "3333", "4444", "5555", "6666", "7777", "8888"])
def test_processor_auth_get_refuses_an_account_without_numbers(
    api: plaid_api.PlaidApi, shared_item: Linked, mask: str
) -> None:
    token = mint(api, shared_item, mask=mask)
    refused(api, "processor_auth_get", NO_AUTH_ACCOUNTS, processor_token=token)
