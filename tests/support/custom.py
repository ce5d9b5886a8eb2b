"""Items of custom users, made and read through the SDK."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from plaid.api import plaid_api

from tests.support.flows import FIRST_PLATYPUS, YEARS, call

PRODUCTS = ("identity", "transactions")


class Item(NamedTuple):
    access_token: str
    # In the order of the description.
    accounts: list[dict[str, Any]]


def create(
    api: plaid_api.PlaidApi,
    user: Any,
    *products: str,
    institution_id: str = FIRST_PLATYPUS,
    username: str = "user_custom",
    days: int = 90,
) -> dict[str, Any]:
    """`user` is a custom user, or a password as it stands."""
    return call(
        api,
        "sandbox_public_token_create",
        institution_id=institution_id,
        initial_products=list(products or PRODUCTS),
        options={
            "override_username": username,
            "override_password": user if isinstance(user, str) else json.dumps(user),
            "transactions": {"days_requested": days},
        },
    )


def link(api: plaid_api.PlaidApi, user: Any, *products: str, **options: Any) -> Item:
    created = create(api, user, *products, **options)
    exchanged = call(api, "item_public_token_exchange", public_token=created["public_token"])
    access_token = exchanged["access_token"]
    return Item(access_token, call(api, "accounts_get", access_token=access_token)["accounts"])


def mint(api: plaid_api.PlaidApi, item: Item, account: dict[str, Any]) -> str:
    token: str = call(
        api,
        "processor_token_create",
        access_token=item.access_token,
        account_id=account["account_id"],
        processor="dwolla",
    )["processor_token"]
    return token


def transactions(api: plaid_api.PlaidApi, item: Item) -> list[dict[str, Any]]:
    options = {"count": 500, "include_original_description": True}
    answer = call(api, "transactions_get", access_token=item.access_token, options=options, **YEARS)
    assert answer["total_transactions"] == len(answer["transactions"])
    found: list[dict[str, Any]] = answer["transactions"]
    return found
