"""Introspection and revocation as RFC 7662 and RFC 7009 have them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.control.plane import Planned
from tests.delegation.conftest import DWOLLA, PAYNOTE, UNKNOWN, Developer
from tests.promises.database import records
from tests.support.server import Server

NOON = "2030-01-31T12:00:00Z"


def ask(client: Planned, what: str, /, *, basic: bool = True, **form: Any) -> httpx.Response:
    url = f"{client.url}/treadle/processor_token/{what}"
    auth = (client.client_id, client.secret) if basic else None
    if not basic:
        form = {"client_id": client.client_id, "client_secret": client.secret, **form}
    return httpx.post(url, data=form, auth=auth, trust_env=False)


@pytest.mark.parametrize("basic", [True, False], ids=["header", "form"])
def test_a_live_token_is_told_of(developer: Developer, partner: Planned, basic: bool) -> None:
    developer.sandbox("clock", now=NOON)
    linked = developer.link("auth", "identity")
    token = developer.mint(linked)
    developer.permit(token, "auth", "identity")
    developer.delegate("limits/set", processor_token=token, expires_at="2030-02-01T00:00:00Z")
    for client in (developer, partner):
        answer = ask(client, "introspect", basic=basic, token=token, token_type_hint="any")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        told = answer.json()
        told.pop("request_id")
        assert told == {
            "active": True,
            "scope": "auth identity",
            "token_type": "processor_token",
            "sub": linked.checking,
            "aud": DWOLLA,
            "exp": 1896134400,
        }


def test_nothing_is_told_of_others(developer: Developer, partner: Planned) -> None:
    linked = developer.link()
    theirs, others = developer.mint(linked), developer.mint(linked, PAYNOTE)
    developer.delegate("revoke", processor_token=theirs)
    for text in (theirs, others, theirs[:-1] + "x", linked.access_token, "nonsense"):
        answer = ask(partner, "introspect", token=text)
        assert answer.status_code == 200
        assert answer.json() | {"request_id": ""} == {"active": False, "request_id": ""}
    developer.post("/item/remove", access_token=linked.access_token)
    assert ask(developer, "introspect", token=others).json()["active"] is False


def test_asking_is_no_use_of_the_token(developer: Developer, partner: Planned) -> None:
    token = developer.mint(developer.link())
    developer.delegate("limits/set", processor_token=token, calls=1)
    for _ in range(3):
        assert ask(partner, "introspect", token=token).json()["active"] is True
    assert partner.redeem(token).code == "OK"
    for client in (developer, partner):
        assert ask(client, "introspect", token=token).json()["active"] is False
    assert developer.listed()[0]["calls"] == 1


def test_the_minter_revokes(developer: Developer, partner: Planned) -> None:
    token = developer.mint(developer.link())
    for _ in range(2):
        answer = ask(developer, "revoke", token=token, token_type_hint="processor_token")
        assert (answer.status_code, answer.content) == (200, b"")
    assert partner.redeem(token).code == UNKNOWN


def test_a_partner_gives_its_token_back(
    developer: Developer, partner: Planned, server: Server
) -> None:
    linked = developer.link()
    theirs, others = developer.mint(linked), developer.mint(linked, PAYNOTE)
    developer.delegate("limits/set", processor_token=theirs, calls=1)
    for token in (theirs, others, "nonsense"):
        answer = ask(partner, "revoke", token=token)
        assert (answer.status_code, answer.content) == (200, b"")
    assert partner.redeem(theirs).code == UNKNOWN
    assert developer.redeem(others).code == "OK"
    last = records(server, developer.client_id)[-1]
    assert (last["action"], last["actor"]) == ("processor_token.revoke", partner.client_id)
    assert last["detail"]["reason"] == "given back"


@pytest.mark.parametrize("what", ["introspect", "revoke"])
def test_errors_are_those_of_the_standard(developer: Developer, what: str) -> None:
    token = developer.mint(developer.link())
    url = f"{developer.url}/treadle/processor_token/{what}"
    own = {"client_id": developer.client_id, "client_secret": developer.secret}
    basic = (developer.client_id, developer.secret)
    for form, auth, status, error in (
        ({"token": token}, None, 401, "invalid_client"),
        ({"token": token}, (developer.client_id, "wrong"), 401, "invalid_client"),
        ({"token": token, **own, "client_secret": "wrong"}, None, 401, "invalid_client"),
        ({"token": token, **own}, basic, 400, "invalid_request"),
        ({"other": "x"}, basic, 400, "invalid_request"),
        ({"token": [token, token]}, basic, 400, "invalid_request"),
        ({"token": "x" * 20_000}, basic, 400, "invalid_request"),
        ({"token": "a\0b"}, basic, 400, "invalid_request"),
    ):
        answer = httpx.post(url, data=form, auth=auth, trust_env=False)
        assert (answer.status_code, answer.json()["error"]) == (status, error), form
        assert ("www-authenticate" in answer.headers) == (status == 401)
        assert token not in answer.text
    assert developer.redeem(token).code == "OK"


def test_other_kinds_cannot_be_revoked_so(developer: Developer) -> None:
    linked = developer.link()
    answer = ask(developer, "revoke", token=linked.access_token)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_token_type")
    assert developer.post("/item/get", access_token=linked.access_token).code == "OK"
