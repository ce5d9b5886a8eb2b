"""Every operation that takes a token, given one that it must not take."""

from __future__ import annotations

from typing import Any

import pytest
from plaid import ApiValueError
from plaid.api import plaid_api

from tests.support.flows import (
    FURTHER_FIELDS,
    LOGIN_REQUIRED,
    MALFORMED_TOKEN,
    REMOVED,
    UNKNOWN_TOKEN,
    Linked,
    call,
    link,
    mint,
    refused,
    token_operations,
    unknown_token,
)

TAKING_A_TOKEN = list(token_operations("access", "public", "processor"))
TAKING_AN_ACCESS_TOKEN = [name for name, _ in token_operations("access")]
MALFORMED = [
    "",
    "{kind}",
    "{kind}-sandbox",
    "{kind}-sandbox-",
    "{kind}-staging-{uuid}",
    "{kind}sandbox{uuid}",
    " {kind}-sandbox-{uuid}",
    "other-sandbox-{uuid}",
]
UNKNOWN = [
    "{kind}-sandbox-{uuid}",
    "{kind}-production-{uuid}",
    "{kind}-sandbox-0asd1-a92nc",
    "{genuine}",
    "{genuine} ",
    "{genuine}\n",
    "{genuine_elsewhere}",
]

# What needs no data of the bank, and so goes on when the bank asks for a new login.
NEEDS_NO_LOGIN = {
    "item_access_token_invalidate",
    "item_create_public_token",
    "item_get",
    "item_products_terminate",
    "item_public_token_exchange",
    "item_remove",
    "item_webhook_update",
    "link_token_create",
    "processor_apex_processor_token_create",
    "processor_token_create",
    "processor_token_permissions_get",
    "processor_token_permissions_set",
    "processor_token_webhook_update",
    "sandbox_item_fire_webhook",
    "sandbox_item_reset_login",
}


def fields(name: str, kind: str, token: str, item: Linked | None = None) -> dict[str, Any]:
    further = dict(FURTHER_FIELDS.get(name, {}))
    if item is not None and "account_id" in further:
        further["account_id"] = item.account_id()
    return {f"{kind}_token": token, **further}


def filled(template: str, kind: str) -> str:
    return template.format(
        kind=kind,
        uuid="6b8d4bd1-5c6a-4e4e-9d0e-1f2a3b4c5d6e",
        genuine=unknown_token(kind),
        genuine_elsewhere=unknown_token(kind, "production"),
    )


@pytest.mark.parametrize("template", MALFORMED)
@pytest.mark.parametrize(("name", "kind"), TAKING_A_TOKEN)
def test_malformed_token_is_refused(
    api: plaid_api.PlaidApi, name: str, kind: str, template: str
) -> None:
    given = fields(name, kind, filled(template, kind))
    if name == "link_token_create" and not template:
        # Here the SDK does not send an empty one.
        with pytest.raises(ApiValueError):
            call(api, name, **given)
    else:
        refused(api, name, MALFORMED_TOKEN[kind], **given)


@pytest.mark.parametrize("template", UNKNOWN)
@pytest.mark.parametrize(("name", "kind"), TAKING_A_TOKEN)
def test_unknown_token_is_refused(
    api: plaid_api.PlaidApi, name: str, kind: str, template: str
) -> None:
    given = fields(name, kind, filled(template, kind))
    refused(api, name, UNKNOWN_TOKEN[kind], **given)


@pytest.mark.parametrize(("name", "kind"), TAKING_A_TOKEN)
def test_token_of_another_kind_is_refused(
    api: plaid_api.PlaidApi, shared_item: Linked, name: str, kind: str
) -> None:
    again = call(api, "item_create_public_token", access_token=shared_item.access_token)
    live = {
        "access": shared_item.access_token,
        "public": again["public_token"],
        "processor": mint(api, shared_item),
    }
    for other in live.keys() - {kind}:
        refused(api, name, MALFORMED_TOKEN[kind], **fields(name, kind, live[other]))
        disguised = kind + live[other].removeprefix(other)
        refused(api, name, UNKNOWN_TOKEN[kind], **fields(name, kind, disguised))


@pytest.mark.parametrize("name", TAKING_AN_ACCESS_TOKEN)
def test_rotated_token_is_refused(api: plaid_api.PlaidApi, name: str) -> None:
    linked = link(api)
    call(api, "item_access_token_invalidate", access_token=linked.access_token)
    given = fields(name, "access", linked.access_token, linked)
    refused(api, name, UNKNOWN_TOKEN["access"], **given)


def one_of_each(api: plaid_api.PlaidApi, linked: Linked) -> dict[str, str]:
    """A live token of each kind that leads to an Item."""
    again = call(api, "item_create_public_token", access_token=linked.access_token)
    return {
        "access": linked.access_token,
        "public": again["public_token"],
        "processor": mint(api, linked),
    }


@pytest.fixture(scope="module")
def removed_item(api: plaid_api.PlaidApi) -> tuple[Linked, dict[str, str]]:
    """An Item that was removed, and the tokens that lead to it."""
    linked = link(api, "auth", "identity")
    tokens = one_of_each(api, linked)
    call(api, "item_remove", access_token=linked.access_token)
    return linked, tokens


@pytest.mark.parametrize(("name", "kind"), TAKING_A_TOKEN)
def test_token_of_a_removed_item_is_refused(
    api: plaid_api.PlaidApi,
    removed_item: tuple[Linked, dict[str, str]],
    name: str,
    kind: str,
) -> None:
    linked, tokens = removed_item
    refused(api, name, REMOVED, **fields(name, kind, tokens[kind], linked))


@pytest.mark.parametrize(("name", "kind"), TAKING_A_TOKEN)
def test_item_that_needs_a_login_refuses_its_data_alone(
    api: plaid_api.PlaidApi, name: str, kind: str
) -> None:
    linked = link(api, "auth", "identity", webhook="http://127.0.0.1:9/")
    tokens = one_of_each(api, linked)
    call(api, "sandbox_item_reset_login", access_token=linked.access_token)
    given = fields(name, kind, tokens[kind], linked)
    if name in NEEDS_NO_LOGIN:
        call(api, name, **given)
    else:
        refused(api, name, LOGIN_REQUIRED, **given)


def test_processor_token_is_independent_of_others_and_of_rotation(api: plaid_api.PlaidApi) -> None:
    linked = link(api)
    first, second = mint(api, linked), mint(api, linked)
    assert first != second
    call(api, "item_access_token_invalidate", access_token=linked.access_token)
    for token in (first, second):
        call(api, "processor_auth_get", processor_token=token)
