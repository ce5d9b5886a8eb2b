"""What is owed, by access token and by processor token."""

from __future__ import annotations

from typing import Any

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    NO_LIABILITY_ACCOUNTS,
    NO_SUCH_ACCOUNT,
    UNKNOWN_ACCOUNT,
    Linked,
    call,
    link,
    mint,
    refused,
)

# The account that each kind stands on; of the last two the sandbox user has none.
KINDS = {"credit": "3333", "mortgage": "8888", "student": "7777"}
NONE = dict.fromkeys((*KINDS, "loan", "line_of_credit"))

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def item(api: plaid_api.PlaidApi) -> Linked:
    return link(api, "liabilities")


@pytest.fixture(scope="module")
def owed(api: plaid_api.PlaidApi, item: Linked) -> Answer:
    answer = call(api, "liabilities_get", access_token=item.access_token)
    assert [account["mask"] for account in answer["accounts"]] == list(item.accounts)
    liabilities: Answer = answer["liabilities"]
    return liabilities


def test_liabilities_get_answers_one_of_each_documented_kind(item: Linked, owed: Answer) -> None:
    assert owed.keys() == NONE.keys()
    for kind, mask in KINDS.items():
        assert [one["account_id"] for one in owed[kind]] == [item.account_id(mask)]
    assert owed["loan"] is owed["line_of_credit"] is None


def test_liabilities_get_answers_the_documented_credit_card(owed: Answer) -> None:
    [card] = owed["credit"]
    assert [tuple(apr.values()) for apr in card["aprs"]] == [
        (15.24, "balance_transfer_apr", 1562.32, 130.22),
        (27.95, "cash_apr", 56.22, 14.81),
        (12.5, "purchase_apr", 157.01, 25.66),
        (0, "special", 1000, 0),
    ]
    assert card["is_overdue"] is False
    assert card["last_payment_amount"] == 168.25
    assert card["last_statement_balance"] == 1708.77
    assert card["minimum_payment_amount"] == 20


def test_liabilities_get_answers_the_documented_mortgage(owed: Answer) -> None:
    [mortgage] = owed["mortgage"]
    assert mortgage["account_number"] == "3120194154"
    assert mortgage["interest_rate"] == {"percentage": 3.99, "type": "fixed"}
    assert mortgage["property_address"]["street"] == "2992 Cameron Road"
    assert mortgage["loan_term"] == "30 year"
    assert mortgage["origination_principal_amount"] == 425000
    assert mortgage["past_due_amount"] == 2304
    assert mortgage["next_payment_due_date"] is None


def test_liabilities_get_answers_the_documented_student_loan(owed: Answer) -> None:
    [loan] = owed["student"]
    assert loan["account_number"] == loan["payment_reference_number"] == "4277075694"
    assert loan["guarantor"] == "DEPT OF ED"
    assert loan["loan_status"]["type"] == "repayment"
    assert loan["loan_status"]["end_date"] == loan["expected_payoff_date"]
    assert loan["disbursement_dates"] == [loan["origination_date"]]
    assert loan["pslf_status"]["payments_made"] == 200
    assert loan["servicer_address"]["city"] == "San Matias"
    assert (loan["ytd_interest_paid"], loan["ytd_principal_paid"]) == (280.55, 271.65)


@pytest.mark.parametrize("kind", KINDS)
def test_liabilities_get_leaves_out_the_kinds_that_were_not_asked_for(
    api: plaid_api.PlaidApi, item: Linked, owed: Answer, kind: str
) -> None:
    answer = call(
        api,
        "liabilities_get",
        access_token=item.access_token,
        options={"account_ids": [item.account_id(KINDS[kind]), item.account_id("0000")]},
    )
    assert answer["liabilities"] == NONE | {kind: owed[kind]}
    assert {account["mask"] for account in answer["accounts"]} == {KINDS[kind], "0000"}


@pytest.mark.parametrize("kind", KINDS)
def test_processor_liabilities_get_answers_its_account_alone(
    api: plaid_api.PlaidApi, item: Linked, owed: Answer, kind: str
) -> None:
    token = mint(api, item, mask=KINDS[kind])
    answer = call(api, "processor_liabilities_get", processor_token=token)
    assert answer.keys() == {"account", "liabilities", "request_id"}
    assert answer["liabilities"] == NONE | {kind: owed[kind]}
    assert answer["account"]["mask"] == KINDS[kind]


def test_liabilities_get_refuses_when_nothing_can_be_owed(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    wanted = [item.account_id(mask) for mask in ("0000", "5555")]
    refused(
        api,
        "liabilities_get",
        NO_LIABILITY_ACCOUNTS,
        access_token=item.access_token,
        options={"account_ids": wanted},
    )


@pytest.mark.parametrize("mask", ["0000", "2222", "6666"])
def test_processor_liabilities_get_refuses_an_account_that_owes_nothing(
    api: plaid_api.PlaidApi, item: Linked, mask: str
) -> None:
    token = mint(api, item, mask=mask)
    refused(api, "processor_liabilities_get", NO_LIABILITY_ACCOUNTS, processor_token=token)


def test_liabilities_get_refuses_accounts_that_are_not_there(
    api: plaid_api.PlaidApi, item: Linked
) -> None:
    refused(
        api,
        "liabilities_get",
        NO_SUCH_ACCOUNT,
        access_token=item.access_token,
        options={"account_ids": [UNKNOWN_ACCOUNT]},
    )
