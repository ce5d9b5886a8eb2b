"""The owner of the accounts."""

from __future__ import annotations

from plaid.api import plaid_api

from tests.support.flows import Linked, call, mint

OWNER = {
    "names": ["Alberta Bobbeth Charleson"],
    "phone_numbers": [
        {"data": "1112223333", "primary": False, "type": "home"},
        {"data": "1112224444", "primary": False, "type": "work"},
        {"data": "1112225555", "primary": False, "type": "mobile1"},
    ],
    "emails": [
        {"data": "accountholder0@example.com", "primary": True, "type": "primary"},
        {"data": "accountholder1@example.com", "primary": False, "type": "secondary"},
        {
            "data": "extraordinarily.long.email.username.123456@reallylonghostname.com",
            "primary": False,
            "type": "other",
        },
    ],
    "addresses": [
        {
            "data": {
                "street": "2992 Cameron Road",
                "city": "Malakoff",
                "region": "NY",
                "postal_code": "14236",
                "country": "US",
            },
            "primary": True,
        },
        {
            "data": {
                "street": "2493 Leisure Lane",
                "city": "San Matias",
                "region": "CA",
                "postal_code": "93405-2255",
                "country": "US",
            },
            "primary": False,
        },
    ],
}


def test_identity_get_answers_the_documented_owner_of_every_account(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    accounts = call(api, "identity_get", access_token=shared_item.access_token)["accounts"]
    assert [account["owners"] for account in accounts] == [[OWNER]] * 9


def test_processor_identity_get_answers_the_owner_of_its_account(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    token = mint(api, shared_item, mask="1111")
    answer = call(api, "processor_identity_get", processor_token=token)
    assert set(answer) == {"account", "request_id"}
    assert answer["account"]["account_id"] == shared_item.account_id("1111")
    assert answer["account"]["owners"] == [OWNER]
