"""What custom users hold and owe is as described, and what is left open fits the account."""

from __future__ import annotations

from plaid.api import plaid_api

from tests.support.custom import link, mint
from tests.support.flows import YEARS, call

LOANS = {
    "override_accounts": [
        {
            "subtype": "student",
            "starting_balance": 9_000,
            "liability": {
                "type": "student",
                "nominal_apr": 4.5,
                "origination_date": "2020-02-29",
                "repayment_model": {"repayment_months": 12, "non_repayment_months": 6},
                "payment_reference_number": "77001234",
                "loan_status": {"type": "in school"},
                "sequence_number": 3,
            },
        },
        {
            "type": "loan",
            "subtype": "auto",
            "starting_balance": 12_000,
            "liability": {"loan_term_months": 48, "payment_frequency": "weekly"},
        },
        {
            "type": "loan",
            "subtype": "line of credit",
            "starting_balance": 400,
            "liability": {"type": "line_of_credit", "credit_limit": 1_000, "aprs": [{}]},
        },
        {"type": "loan", "subtype": "mortgage"},
    ]
}


def test_loans_are_as_described_and_the_rest_fits_the_account(
    september: plaid_api.PlaidApi,
) -> None:
    item = link(september, LOANS, "liabilities")
    owed = call(september, "liabilities_get", access_token=item.access_token)["liabilities"]
    assert owed["mortgage"] is None
    assert owed["credit"] is None
    (student,) = owed["student"]
    assert student["interest_rate_percentage"] == 4.5
    assert str(student["expected_payoff_date"]) == "2021-08-29"
    assert student["payment_reference_number"] == "77001234"
    assert student["loan_status"]["type"] == "in school"
    assert student["sequence_number"] == "3"
    assert student["minimum_payment_amount"] == 90
    assert student["outstanding_interest_amount"] == 33.75
    (loan,) = owed["loan"]
    assert (loan["loan_term_months"], loan["payment_frequency"]) == (48, "weekly")
    assert (str(loan["origination_date"]), str(loan["maturity_date"])) == (
        "2024-09-01",
        "2028-09-01",
    )
    assert loan["principal_balance"] == 12_000
    assert loan["account_number"]
    (line,) = owed["line_of_credit"]
    assert (line["credit_limit"], line["available_credit"]) == (1_000, 600)
    assert line["minimum_payment_amount"] == 25
    assert [one["apr_type"] for one in line["aprs"]] == ["purchase_apr"]


APPLE = {"ticker_symbol": "AAPL", "name": "Apple", "isin": "US0378331005", "currency": "USD"}
COIN = {"ticker_symbol": "XBT", "name": "Coin", "currency": "XBT"}
INVESTOR = {
    "override_accounts": [
        {
            "type": "investment",
            "subtype": "brokerage",
            "numbers": {"account": "5544332211"},
            "holdings": [
                {
                    "institution_price": 200.5,
                    "institution_price_as_of": "2026-08-28",
                    "cost_basis": 1_500,
                    "quantity": 10,
                    "security": APPLE,
                },
                {"institution_price": 50, "quantity": 2, "security": COIN},
            ],
            "investment_transactions": [
                {
                    "date": "2026-08-20",
                    "name": "BUY AAPL",
                    "type": "buy",
                    "quantity": 2,
                    "price": 190,
                    "fees": 4.95,
                    "security": APPLE,
                },
                {
                    "date": "2026-08-21",
                    "name": "SELL AAPL",
                    "type": "sell",
                    "quantity": -1,
                    "price": 195,
                    "fees": 4.95,
                    "security": APPLE,
                },
                {"date": "2026-08-22", "type": "cash", "quantity": -300, "price": 1},
                {"date": "2026-08-23", "type": "fee", "fees": 12},
                {"date": "2026-08-24", "type": "transfer", "quantity": 1, "price": 7},
                {"date": "2026-09-02", "name": "TOMORROW", "type": "cash"},
            ],
        },
        {"type": "investment", "subtype": "401k", "starting_balance": 812.5},
        {"type": "investment", "subtype": "ira", "holdings": [], "starting_balance": 3},
    ]
}


def test_holdings_are_as_described(september: plaid_api.PlaidApi) -> None:
    item = link(september, INVESTOR, "investments")
    answer = call(september, "investments_holdings_get", access_token=item.access_token)
    brokerage, retirement, _ = (one["account_id"] for one in answer["accounts"])
    assert answer["accounts"][0]["balances"]["current"] == 2_105
    apple, coin, cash = answer["holdings"]
    assert [one["account_id"] for one in answer["holdings"]] == [brokerage, brokerage, retirement]
    assert (apple["institution_value"], apple["cost_basis"]) == (2_005, 1_500)
    assert str(apple["institution_price_as_of"]) == "2026-08-28"
    assert (coin["iso_currency_code"], coin["unofficial_currency_code"]) == (None, "XBT")
    assert (cash["quantity"], cash["institution_value"]) == (812.5, 812.5)
    securities = {one["security_id"]: one for one in answer["securities"]}
    assert securities[apple["security_id"]]["isin"] == "US0378331005"
    assert securities[apple["security_id"]]["close_price"] == 200.5
    assert securities[cash["security_id"]]["type"] == "cash"
    token = mint(september, item, item.accounts[0])
    partners = call(september, "processor_investments_holdings_get", processor_token=token)
    assert partners["holdings"] == [apple, coin]
    other = {"override_accounts": [{"type": "investment", "holdings": {"security": APPLE}}]}
    others = link(september, other, "investments")
    same = call(september, "investments_holdings_get", access_token=others.access_token)["holdings"]
    assert [one["security_id"] for one in same] == [apple["security_id"]]


def test_holdings_of_any_worth_can_be_read(september: plaid_api.PlaidApi) -> None:
    holding = {"institution_price": 1e12, "quantity": -1e12}
    item = link(september, {"override_accounts": [{"type": "investment", "holdings": [holding]}]})
    answer = call(september, "investments_holdings_get", access_token=item.access_token)
    assert [one["institution_value"] for one in answer["holdings"]] == [-1e24]
    assert item.accounts[0]["balances"]["current"] == -1e12


def test_trades_are_as_described(september: plaid_api.PlaidApi) -> None:
    item = link(september, INVESTOR, "investments")
    answer = call(
        september, "investments_transactions_get", access_token=item.access_token, **YEARS
    )
    trades = answer["investment_transactions"]
    assert [(one["name"], one["type"], one["subtype"], one["amount"]) for one in trades] == [
        ("Transfer", "transfer", "transfer", 7),
        ("Fee", "fee", "account fee", 12),
        ("Cash", "cash", "deposit", -300),
        ("SELL AAPL", "sell", "sell", -190.05),
        ("BUY AAPL", "buy", "buy", 384.95),
    ]
    assert [one["quantity"] for one in trades] == [1, 0, -300, -1, 2]
    assert {one["ticker_symbol"] for one in answer["securities"]} == {"AAPL"}
    transfer = call(september, "investments_auth_get", access_token=item.access_token)
    assert "5544332211" in {one["account"] for one in transfer["numbers"]["acats"]}
    assert len(transfer["numbers"]["retirement_401k"]) == 1
