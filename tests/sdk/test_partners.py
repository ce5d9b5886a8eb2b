"""Who may use a processor token: its minter, and the partners registered for its processor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    FURTHER_FIELDS,
    REMOVED,
    UNKNOWN_TOKEN,
    Linked,
    call,
    client_of,
    evaluate_first,
    link,
    manage_clients,
    mask_for,
    mint,
    narrow,
    new_client,
    not_authorized,
    refused,
    token_operations,
)
from tests.support.sdk import plaid_client
from tests.support.server import Server

ADMINISTERING = ["processor_token_permissions_get", "processor_token_permissions_set"]
REDEEMING = [name for name, _ in token_operations("processor") if name not in ADMINISTERING]
UNKNOWN = UNKNOWN_TOKEN["processor"]


@pytest.fixture(scope="module")
def dwolla(server: Server) -> plaid_api.PlaidApi:
    """A client that is a partner for one processor."""
    return client_of(server, new_client(server, "Dwolla", "--processors", "dwolla"))


@pytest.mark.parametrize("name", REDEEMING)
def test_partner_redeems_the_tokens_of_its_processor_alone(
    api: plaid_api.PlaidApi, dwolla: plaid_api.PlaidApi, shared_item: Linked, name: str
) -> None:
    further = FURTHER_FIELDS.get(name, {})
    token = mint(api, shared_item, mask=mask_for(name))
    evaluate_first(dwolla, name, token)
    call(dwolla, name, processor_token=token, **further)
    other = mint(api, shared_item, "paynote")
    refused(dwolla, name, UNKNOWN, processor_token=other, **further)


@pytest.mark.parametrize("name", REDEEMING)
def test_partner_does_not_redeem_the_sandboxs_own_tokens(
    api: plaid_api.PlaidApi, dwolla: plaid_api.PlaidApi, name: str
) -> None:
    created = call(api, "sandbox_processor_token_create", institution_id="ins_109508")
    refused(
        dwolla,
        name,
        UNKNOWN,
        processor_token=created["processor_token"],
        **FURTHER_FIELDS.get(name, {}),
    )


def test_partner_reads_what_the_developer_reads(
    api: plaid_api.PlaidApi, dwolla: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item, mask="1111")
    for name in ("processor_auth_get", "processor_identity_get", "processor_account_get"):
        answers = [call(one, name, processor_token=token) for one in (api, dwolla)]
        for answer in answers:
            del answer["request_id"]
        assert answers[0] == answers[1]


@pytest.mark.parametrize("name", ADMINISTERING)
def test_partner_neither_sees_nor_sets_permissions(
    api: plaid_api.PlaidApi, dwolla: plaid_api.PlaidApi, shared_item: Linked, name: str
) -> None:
    token = mint(api, shared_item)
    narrow(api, token, "identity")
    refused(dwolla, name, UNKNOWN, processor_token=token, **FURTHER_FIELDS.get(name, {}))
    refused(dwolla, "processor_auth_get", not_authorized("auth"), processor_token=token)
    answer = call(api, "processor_token_permissions_get", processor_token=token)
    assert answer["products"] == ["identity"]


def test_partner_loses_access_when_the_item_is_removed(
    api: plaid_api.PlaidApi, dwolla: plaid_api.PlaidApi
) -> None:
    linked = link(api)
    token = mint(api, linked)
    call(dwolla, "processor_auth_get", processor_token=token)
    call(api, "item_remove", access_token=linked.access_token)
    refused(dwolla, "processor_auth_get", REMOVED, processor_token=token)


def test_partner_loses_access_when_the_developer_is_removed(
    server: Server, dwolla: plaid_api.PlaidApi
) -> None:
    keys = new_client(server, "Leaver")
    developer = client_of(server, keys)
    token = mint(developer, link(developer))
    call(dwolla, "processor_auth_get", processor_token=token)
    manage_clients(server, "remove", keys.client_id)
    for name in ("processor_auth_get", "processor_account_get"):
        refused(dwolla, name, REMOVED, processor_token=token)


@pytest.mark.slow
def test_strict_partners_keep_the_minter_out(
    serve: Callable[..., Server], store: list[str]
) -> None:
    server = serve("--strict-partners", *store)
    developer = plaid_client(server)
    partner = client_of(server, new_client(server, "Dwolla", "--processors", "dwolla"))
    item = link(developer, "auth", "identity")
    for name in REDEEMING:
        token = mint(developer, item, mask=mask_for(name))
        further = FURTHER_FIELDS.get(name, {})
        refused(developer, name, UNKNOWN, processor_token=token, **further)
        evaluate_first(partner, name, token)
        call(partner, name, processor_token=token, **further)
    # The token stays the developer's to administer.
    narrow(developer, token, "auth")
    call(developer, "processor_token_permissions_get", processor_token=token)
