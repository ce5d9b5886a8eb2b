"""Stripe bank account tokens of a sandbox without a Stripe key."""

from __future__ import annotations

import pytest
from plaid.api import plaid_api

from tests.support.flows import NO_AUTH_ACCOUNTS, Linked, call, link, refused

NAME = "processor_stripe_bank_account_token_create"


@pytest.mark.parametrize("mask", ["0000", "1111"])
def test_processor_stripe_bank_account_token_create_answers_a_new_token_each_time(
    api: plaid_api.PlaidApi, shared_item: Linked, mask: str
) -> None:
    given = {"access_token": shared_item.access_token, "account_id": shared_item.account_id(mask)}
    answers = [call(api, NAME, **given) for _ in range(2)]
    tokens = {answer["stripe_bank_account_token"] for answer in answers}
    assert len(tokens) == 2
    assert all(token.startswith("btok_") and token[5:].isalnum() for token in tokens)
    assert set(answers[0]) == {"stripe_bank_account_token", "request_id"}


@pytest.mark.parametrize("mask", ["2222", "3333", "4444", "5555", "8888"])
def test_processor_stripe_bank_account_token_create_refuses_other_accounts(
    api: plaid_api.PlaidApi, shared_item: Linked, mask: str
) -> None:
    refused(
        api,
        NAME,
        NO_AUTH_ACCOUNTS,
        access_token=shared_item.access_token,
        account_id=shared_item.account_id(mask),
    )


def test_processor_stripe_bank_account_token_create_adds_auth_to_the_item(
    api: plaid_api.PlaidApi,
) -> None:
    linked = link(api, "transactions")
    call(api, NAME, access_token=linked.access_token, account_id=linked.account_id())
    item = call(api, "item_get", access_token=linked.access_token)["item"]
    assert item["billed_products"] == ["auth", "transactions"]
