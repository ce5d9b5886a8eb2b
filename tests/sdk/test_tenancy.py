"""To a second client, all that belongs to the first looks like what nobody knows."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import httpx
import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    FURTHER_FIELDS,
    UNKNOWN_ACCOUNT,
    Keys,
    Linked,
    call,
    client_of,
    implemented,
    link,
    mint,
    narrow,
    new_client,
    post,
    request_fields,
    token_operations,
    unknown_token,
)
from tests.support.server import Server

TAKING_A_TOKEN = list(token_operations("access", "public", "processor"))
TAKING_AN_ACCOUNT = [
    name for name, operation in implemented().items() if "account_id" in request_fields(operation)
]
LISTING = [
    "accounts_get",
    "accounts_balance_get",
    "auth_get",
    "identity_get",
    "investments_auth_get",
    "investments_holdings_get",
    "investments_transactions_get",
    "liabilities_get",
]
# Fields that name what belongs to a client. Whoever adds an operation with another one adds a
# test for it here.
COVERED = {
    "access_token",
    "public_token",
    "processor_token",
    "account_id",
    "account_ids",
    "client_transaction_id",
    # These two in tests/link/test_frame.py.
    "link_token",
    "oauth_state_id",
}
# What a client calls its own users is told to the server, which keeps nothing by that name.
OF_NO_CLIENT = {
    "institution_id",
    "client_id",
    "client_user_id",
    "user_id",
    "user_token",
    "third_party_user_token",
    "key_id",
}


class Owned(NamedTuple):
    """Everything that the first client has."""

    item: Linked
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def owned(api: plaid_api.PlaidApi) -> Owned:
    item = link(api, "auth", "identity")
    again = call(api, "item_create_public_token", access_token=item.access_token)
    tokens = {
        "access": item.access_token,
        "public": again["public_token"],
        "processor": mint(api, item),
    }
    narrow(api, tokens["processor"], "identity")
    return Owned(item, tokens)


@pytest.fixture(scope="module")
def stranger(server: Server) -> Keys:
    return new_client(server, "Stranger")


def seen(response: httpx.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """All of an answer by which two of them could be told apart."""
    body = response.json()
    del body["request_id"]
    headers = {name: value for name, value in response.headers.items() if name != "date"}
    return response.status_code, body, headers


def test_every_field_that_names_a_clients_own_is_covered() -> None:
    names = {name for one in implemented().values() for name in request_fields(one)}
    naming = {name for name in names if name.endswith(("_token", "_id", "_ids"))}
    assert naming - OF_NO_CLIENT == COVERED


@pytest.mark.parametrize(("name", "kind"), TAKING_A_TOKEN)
def test_token_of_another_client_looks_unknown(
    server: Server, stranger: Keys, owned: Owned, name: str, kind: str
) -> None:
    further = dict(FURTHER_FIELDS.get(name, {}))
    if "account_id" in further:
        further["account_id"] = owned.item.account_id()
    ask = functools.partial(post, server, implemented()[name].path, keys=stranger)
    foreign = ask(body={f"{kind}_token": owned.tokens[kind], **further})
    unknown = ask(body={f"{kind}_token": unknown_token(kind), **further})
    assert foreign.json().get("error_code") == f"INVALID_{kind.upper()}_TOKEN"
    assert seen(foreign) == seen(unknown)


@pytest.mark.parametrize("name", TAKING_AN_ACCOUNT)
def test_account_of_another_client_looks_unknown(
    server: Server, stranger: Keys, owned: Owned, name: str
) -> None:
    own = link(client_of(server, stranger))
    body = {**FURTHER_FIELDS.get(name, {}), "access_token": own.access_token}
    ask = functools.partial(post, server, implemented()[name].path, keys=stranger)
    foreign = ask(body=body | {"account_id": owned.item.account_id()})
    unknown = ask(body=body | {"account_id": UNKNOWN_ACCOUNT})
    assert foreign.json().get("error_code") == "INVALID_ACCOUNT_ID"
    assert seen(foreign) == seen(unknown)


@pytest.mark.parametrize("name", LISTING)
def test_account_of_another_client_looks_unknown_in_a_list(
    server: Server, stranger: Keys, owned: Owned, name: str
) -> None:
    own = link(client_of(server, stranger), "auth", "identity")
    ask = functools.partial(post, server, implemented()[name].path, keys=stranger)
    foreign, unknown = (
        ask(
            body={
                **FURTHER_FIELDS.get(name, {}),
                "access_token": own.access_token,
                "options": {"account_ids": [own.account_id(), account_id]},
            }
        )
        for account_id in (owned.item.account_id(), UNKNOWN_ACCOUNT)
    )
    assert foreign.json().get("error_code") == "INVALID_ACCOUNT_ID"
    assert seen(foreign) == seen(unknown)


def test_account_ids_of_another_client_look_unknown(
    server: Server, stranger: Keys, owned: Owned
) -> None:
    own = link(client_of(server, stranger), "transactions")
    foreign, unknown = (
        post(
            server,
            "/transactions/recurring/get",
            {"access_token": own.access_token, "account_ids": [own.account_id(), account_id]},
            stranger,
        )
        for account_id in (owned.item.account_id(), UNKNOWN_ACCOUNT)
    )
    assert foreign.json().get("error_code") == "INVALID_ACCOUNT_ID"
    assert seen(foreign) == seen(unknown)


@pytest.mark.parametrize(
    ("what", "report"), [("decision", {"initiated": True}), ("return", {"return_code": "R01"})]
)
def test_transaction_of_another_client_looks_unknown(
    server: Server,
    api: plaid_api.PlaidApi,
    stranger: Keys,
    owned: Owned,
    what: str,
    report: dict[str, Any],
) -> None:
    call(
        api,
        "signal_evaluate",
        access_token=owned.item.access_token,
        account_id=owned.item.account_id(),
        client_transaction_id="the owner's",
        amount=10.0,
    )
    ask = functools.partial(post, server, f"/signal/{what}/report", keys=stranger)
    foreign = ask(body={"client_transaction_id": "the owner's", **report})
    unknown = ask(body={"client_transaction_id": "nobody's", **report})
    assert foreign.json().get("error_code") == "INVALID_FIELD"
    assert seen(foreign) == seen(unknown)


def test_attempts_of_another_client_change_nothing(
    server: Server, api: plaid_api.PlaidApi, stranger: Keys
) -> None:
    item = link(api, "auth", webhook="https://shop.example/hook")
    again = call(api, "item_create_public_token", access_token=item.access_token)
    tokens = {
        "access": item.access_token,
        "public": again["public_token"],
        "processor": mint(api, item),
    }
    narrow(api, tokens["processor"], "balance")
    before = call(api, "item_get", access_token=item.access_token)
    for name, kind in TAKING_A_TOKEN:
        body = {f"{kind}_token": tokens[kind], **FURTHER_FIELDS.get(name, {})}
        assert post(server, implemented()[name].path, body, stranger).status_code == 400
    after = call(api, "item_get", access_token=item.access_token)
    assert after | {"request_id": ""} == before | {"request_id": ""}
    call(api, "item_public_token_exchange", public_token=tokens["public"])
    answer = call(api, "processor_token_permissions_get", processor_token=tokens["processor"])
    assert answer["products"] == ["balance"]
