"""What ends something is in force for the very next call."""

from __future__ import annotations

import pytest

from tests.support.raw import Api

REDEEMS = ("account", "auth", "identity", "balance")


def test_narrowing_holds_for_the_next_call(api: Api) -> None:
    token = api.mint(api.link("auth", "identity"))
    for products, admitted in (
        (["identity"], {"account", "identity"}),
        (["auth", "balance"], {"account", "auth", "balance"}),
        ([], set(REDEEMS)),
        (["transactions"], {"account"}),
    ):
        assert api.permit(token, *products).code == "OK"
        answers = {what: api.redeem(token, what).code for what in REDEEMS}
        refused = {what: "OK" if what in admitted else "INVALID_PRODUCT" for what in REDEEMS}
        assert answers == refused
        assert api.permissions(token) == products


def test_rotation_holds_for_the_next_call(api: Api) -> None:
    linked = api.link()
    token = api.mint(linked)
    old = linked.access_token
    assert api.post("/item/get", access_token=old).code == "OK"
    new = api.post("/item/access_token/invalidate", access_token=old)["new_access_token"]
    assert api.post("/item/get", access_token=old).code == "INVALID_ACCESS_TOKEN"
    assert api.post("/accounts/get", access_token=new).code == "OK"
    assert api.redeem(token, "auth").code == "OK"


def test_rotation_ends_every_access_token_of_the_item(api: Api) -> None:
    linked = api.link()
    answer = api.post("/item/public_token/create", access_token=linked.access_token)
    second = api.exchange(answer["public_token"])["access_token"]
    api.post("/item/access_token/invalidate", access_token=second)["new_access_token"]
    for dead in (linked.access_token, second):
        assert api.post("/item/get", access_token=dead).code == "INVALID_ACCESS_TOKEN"


def test_removal_holds_for_the_next_call(api: Api) -> None:
    linked = api.link()
    tokens = [api.mint(linked, processor) for processor in ("dwolla", "paynote")]
    spare = api.post("/item/public_token/create", access_token=linked.access_token)["public_token"]
    assert {api.redeem(token, "auth").code for token in tokens} == {"OK"}
    assert api.post("/item/remove", access_token=linked.access_token).code == "OK"
    for token in tokens:
        assert {api.redeem(token, what).code for what in REDEEMS} == {"ITEM_NOT_FOUND"}
        assert api.permit(token).code == "ITEM_NOT_FOUND"
        answer = api.post("/processor/token/permissions/get", processor_token=token)
        assert answer.code == "ITEM_NOT_FOUND"
    assert api.exchange(spare).code == "ITEM_NOT_FOUND"
    for path in ("/item/get", "/accounts/get", "/auth/get", "/item/remove"):
        assert api.post(path, access_token=linked.access_token).code == "ITEM_NOT_FOUND"


@pytest.mark.parametrize("what", REDEEMS)
def test_broken_login_holds_for_the_next_call(api: Api, what: str) -> None:
    linked = api.link("auth", "identity")
    token = api.mint(linked)
    assert api.redeem(token, what).code == "OK"
    assert api.post("/sandbox/item/reset_login", access_token=linked.access_token).code == "OK"
    assert api.redeem(token, what).code == "ITEM_LOGIN_REQUIRED"


def test_a_token_means_nothing_to_another_client(api: Api, stranger: Api) -> None:
    linked = api.link()
    token = api.mint(linked)
    public = api.public_token()
    assert stranger.exchange(public).code == "INVALID_PUBLIC_TOKEN"
    for path in ("/item/get", "/item/remove", "/item/access_token/invalidate", "/auth/get"):
        answer = stranger.post(path, access_token=linked.access_token)
        assert answer.code == "INVALID_ACCESS_TOKEN"
    assert {stranger.redeem(token, what).code for what in REDEEMS} == {"INVALID_PROCESSOR_TOKEN"}
    assert stranger.permit(token, "auth").code == "INVALID_PROCESSOR_TOKEN"
    # Its owner loses nothing by the attempts.
    assert api.exchange(public).code == "OK"
    assert api.redeem(token, "auth").code == "OK"
