"""Link tokens through the official SDK: every rule of what may be asked, and what is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plaid.api import plaid_api

from tests.control.plane import Planned
from tests.support.flows import FURTHER_FIELDS, Linked, Refusal, call, refused
from tests.support.link import PLAIN_BANK, Frame
from tests.support.sdk import expect_error
from tests.support.server import Server

ASKED = {**FURTHER_FIELDS["link_token_create"], "products": ["auth"]}


def create(api: plaid_api.PlaidApi, **fields: Any) -> dict[str, Any]:
    asked = {name: value for name, value in (ASKED | fields).items() if value is not None}
    return call(api, "link_token_create", **asked)


def test_link_token_create_answers_a_token_for_four_hours(api: plaid_api.PlaidApi) -> None:
    created = create(api)
    assert created["link_token"].startswith("link-sandbox-")
    left = created["expiration"] - datetime.now(UTC)
    assert timedelta(hours=4, seconds=-10) < left <= timedelta(hours=4)
    assert "hosted_link_url" not in created


@pytest.mark.parametrize(
    ("hosted", "minutes"),
    [
        ({}, 30),
        ({"delivery_method": "sms"}, 24 * 60),
        ({"delivery_method": "email"}, 7 * 24 * 60),
        ({"url_lifetime_seconds": 600}, 10),
    ],
)
def test_link_token_create_for_a_page_of_its_own_lasts_as_long_as_that(
    api: plaid_api.PlaidApi, hosted: dict[str, Any], minutes: int
) -> None:
    created = create(api, hosted_link=hosted)
    left = created["expiration"] - datetime.now(UTC)
    assert abs(left - timedelta(minutes=minutes)) < timedelta(seconds=10)
    assert "/link/lp" in created["hosted_link_url"]


def test_link_token_create_for_an_item_lasts_half_an_hour(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    created = create(api, access_token=shared_item.access_token, products=[])
    left = created["expiration"] - datetime.now(UTC)
    assert abs(left - timedelta(minutes=30)) < timedelta(seconds=10)


FIELD = ("INVALID_REQUEST", "INVALID_FIELD")
PRODUCT = ("INVALID_INPUT", "INVALID_PRODUCT")
MISSING = ("INVALID_REQUEST", "MISSING_FIELDS")
DASHBOARD = "OAuth redirect URI must be configured in the developer dashboard"
REFUSED: list[tuple[dict[str, Any], tuple[str, str], str]] = [
    ({"user": None}, MISSING, "the following required fields are missing: user"),
    ({"language": "xx"}, FIELD, "language must be one of"),
    ({"products": []}, FIELD, "products must be a list of strings containing at least one"),
    ({"products": None}, FIELD, "products must be a list of strings containing at least one"),
    ({"products": ["auth", "balance"]}, PRODUCT, 'following products: ["balance"]'),
    ({"products": ["identity_verification"]}, PRODUCT, '["identity_verification"]'),
    ({"optional_products": ["balance"]}, PRODUCT, '["balance"]'),
    ({"optional_products": ["auth"]}, FIELD, "optional_products must not repeat"),
    (
        {"optional_products": ["identity"], "additional_consented_products": ["identity"]},
        FIELD,
        "additional_consented_products must not repeat",
    ),
    ({"products": ["statements"]}, MISSING, "statements"),
    ({"user": {"client_user_id": "a", "phone_number": "0"}}, FIELD, "user.phone_number"),
    ({"redirect_uri": "https://shop.example/return"}, FIELD, DASHBOARD),
    ({"redirect_uri": "http://localhost/return?a=1"}, FIELD, "redirect_uri must be a URL"),
    ({"redirect_uri": "http://localhost/#a"}, FIELD, "redirect_uri must be a URL"),
    ({"redirect_uri": "return"}, FIELD, "redirect_uri must be a URL"),
    (
        {"redirect_uri": "http://localhost/", "android_package_name": "example.shop"},
        FIELD,
        "android_package_name",
    ),
    (
        {"auth": {"same_day_microdeposits_enabled": True}, "country_codes": ["US", "CA"]},
        FIELD,
        "country_codes to be ['US']",
    ),
    ({"hosted_link": {"url_lifetime_seconds": 0}}, FIELD, "from 1 to 1814400"),
    ({"hosted_link": {"url_lifetime_seconds": 1_814_401}}, FIELD, "from 1 to 1814400"),
    (
        {"hosted_link": {"completion_redirect_uri": "javascript:alert(1)"}},
        FIELD,
        "completion_redirect_uri must be a URI",
    ),
    (
        {"enable_multi_item_link": True, "auth": {"auth_type_select_enabled": True}},
        ("INVALID_REQUEST", "INVALID_CONFIGURATION"),
        "does not go together",
    ),
    ({"webhook": "nowhere"}, FIELD, "webhook must be a non-empty string URL"),
    ({"user_token": "user-sandbox-x"}, ("INVALID_INPUT", "INVALID_USER_TOKEN"), "user token"),
    ({"user_id": "usr_x"}, ("USER_ERROR", "USER_NOT_FOUND"), "user"),
    ({"access_token": "nonsense"}, ("INVALID_INPUT", "INVALID_ACCESS_TOKEN"), "invalid format"),
    ({"access_tokens": ["nonsense"]}, FIELD, "access_tokens is not supported"),
]


@pytest.mark.parametrize(("fields", "error", "message"), REFUSED, ids=lambda one: str(one)[:60])
def test_link_token_create_refuses(
    api: plaid_api.PlaidApi, fields: dict[str, Any], error: tuple[str, str], message: str
) -> None:
    body = expect_error(lambda: create(api, **fields), *error)
    assert message in body["error_message"]


def test_link_token_create_takes_what_is_documented(
    api: plaid_api.PlaidApi, server: Server
) -> None:
    token = create(
        api,
        client_name="A name of more than thirty characters",
        country_codes=["US"],
        user={
            "client_user_id": "somebody",
            "legal_name": "Somebody Else",
            "phone_number": "+14155550011",
            "email_address": "somebody@shop.example",
        },
        required_if_supported_products=["identity"],
        optional_products=["transactions"],
        additional_consented_products=["liabilities"],
        webhook="https://shop.example/hook",
        link_customization_name="default",
        appearance_mode="DARK",
        redirect_uri="http://127.0.0.1:3000/return",
        institution_data={"routing_number": "999900033"},
        account_filters={"depository": {"account_subtypes": ["checking"]}},
        auth={"instant_match_enabled": True},
        transactions={"days_requested": 730},
    )["link_token"]
    got = call(api, "link_token_get", link_token=token)
    metadata = got["metadata"]
    assert [str(one) for one in metadata["initial_products"]] == ["auth"]
    assert metadata["webhook"] == "https://shop.example/hook"
    assert metadata["redirect_uri"] == "http://127.0.0.1:3000/return"
    assert metadata["client_name"] == "A name of more than thirty characters"
    assert metadata["institution_data"] == {"routing_number": "999900033"}
    subtypes = metadata["account_filters"]["depository"]["account_subtypes"]
    assert [str(one) for one in subtypes] == ["checking"]
    assert got["link_sessions"] == []
    frame = Frame(server.url)
    about = frame.start(link_token=token)["about"]
    assert (about["client_name"], about["appearance_mode"]) == ("This Application", "DARK")
    assert frame.turn["pane"]["phone_ending"] == "0011"
    frame.close()


def test_link_token_get_tells_what_became_of_it(api: plaid_api.PlaidApi, server: Server) -> None:
    token = create(api)["link_token"]
    plane = Planned(server.url)
    plane.sandbox("link/run", link_token=token, institution_id=PLAIN_BANK)
    plane.sandbox("link/run", link_token=token, institution_id=PLAIN_BANK, password="wrong")
    plane.sandbox("link/start", link_token=token)
    plane.close()
    done, left, begun = call(api, "link_token_get", link_token=token)["link_sessions"]
    [added] = done["results"]["item_add_results"]
    assert added["institution"] == {"name": "Tartan Bank", "institution_id": PLAIN_BANK}
    assert [one["mask"] for one in added["accounts"]] == ["0000", "1111"]
    assert done["on_success"]["public_token"] == added["public_token"]
    assert done["exit"] is None
    assert done["finished_at"] >= done["started_at"]
    exchanged = call(api, "item_public_token_exchange", public_token=added["public_token"])
    assert call(api, "accounts_get", access_token=exchanged["access_token"])["accounts"]
    assert left["on_success"] is None
    assert left["exit"]["error"]["error_code"] == "INVALID_CREDENTIALS"
    assert left["exit"]["metadata"]["status"] == "requires_credentials"
    assert begun["finished_at"] is None
    assert [one["event_name"] for one in begun["events"]] == ["OPEN"]


def test_link_token_get_keeps_a_public_token_for_as_long_as_it_lives(server: Server) -> None:
    plane = Planned(server.url)
    made = plane.sandbox("clients")
    own = Planned(server.url, made["client"]["client_id"], made["secret"])
    own.sandbox("clock", now="2026-03-01T12:00:00Z")
    token = own.post("/link/token/create", **ASKED)["link_token"]
    public_token = own.sandbox("link/run", link_token=token)["public_token"]

    def kept() -> str:
        [session] = own.post("/link/token/get", link_token=token)["link_sessions"]
        return str(session["results"]["item_add_results"][0]["public_token"])

    own.sandbox("clock/advance", seconds=1_799)
    assert kept() == public_token
    own.sandbox("clock/advance", seconds=1)
    assert kept() != public_token
    assert own.exchange(kept()).body["error_message"] == "could not find matching public token"
    own.close()
    plane.close()


def test_redirects_are_allowed_by_name_where_any_are(serve: Any, store: list[str]) -> None:
    allowed = ["--redirect-uri", "https://*.shop.example/return"]
    server = serve(*allowed, "--redirect-uri", "https://bank.example/", *store)
    plane = Planned(server.url)
    for uri, code in {
        "https://eu.shop.example/return": "OK",
        "https://bank.example/": "OK",
        "https://a.b.shop.example/return": "INVALID_FIELD",
        "https://shop.example/return": "INVALID_FIELD",
        "https://eu.shop.example/other": "INVALID_FIELD",
        "http://localhost/return": "INVALID_FIELD",
    }.items():
        assert plane.post("/link/token/create", **ASKED, redirect_uri=uri).code == code
    plane.close()


def test_the_sdk_refuses_what_is_no_link_token(api: plaid_api.PlaidApi) -> None:
    invalid = Refusal("INVALID_INPUT", "INVALID_LINK_TOKEN", "invalid link_token provided")
    refused(api, "link_token_get", invalid, link_token="nonsense")
