"""The kinds of liabilities, the fields that each has and the accounts that can have it."""

from __future__ import annotations

from typing import Final

from treadle.sources.sandbox.custom.kinds import kind_of
from treadle.sources.sandbox.custom.schema import Account
from treadle.sources.sandbox.custom.values import AccountType, LiabilityType
from treadle.wire.common import AccountSubtype

FIELDS: Final[dict[LiabilityType, frozenset[str]]] = {
    "credit": frozenset(
        {
            "type",
            "purchase_apr",
            "cash_apr",
            "balance_transfer_apr",
            "special_apr",
            "last_payment_amount",
            "last_statement_balance",
            "minimum_payment_amount",
            "is_overdue",
        }
    ),
    "student": frozenset(
        {
            "type",
            "minimum_payment_amount",
            "is_overdue",
            "origination_date",
            "principal",
            "nominal_apr",
            "interest_capitalization_grace_period_months",
            "repayment_model",
            "expected_payoff_date",
            "guarantor",
            "is_federal",
            "loan_name",
            "loan_status",
            "payment_reference_number",
            "pslf_status",
            "repayment_plan_description",
            "repayment_plan_type",
            "sequence_number",
            "servicer_address",
        }
    ),
    "loan": frozenset(
        {
            "type",
            "last_payment_amount",
            "origination_date",
            "account_number",
            "interest_rate",
            "principal_balance",
            "origination_principal_amount",
            "loan_term_months",
            "maturity_date",
            "payment_count",
            "payment_frequency",
            "next_payment_amount",
            "next_payment_due_date",
            "last_payment_date",
            "payoff_amount",
            "ytd_interest_paid",
            "compounding_period",
        }
    ),
    "line_of_credit": frozenset(
        {
            "type",
            "last_payment_amount",
            "last_statement_balance",
            "minimum_payment_amount",
            "principal_balance",
            "next_payment_amount",
            "next_payment_due_date",
            "last_payment_date",
            "credit_limit",
            "available_credit",
            "last_statement_issue_date",
            "past_due_amount",
            "finance_charges",
            "draw_period_end_date",
            "aprs",
        }
    ),
}
ACCOUNT_TYPES: Final[dict[LiabilityType, frozenset[AccountType]]] = {
    "credit": frozenset({"credit"}),
    "student": frozenset({"loan"}),
    "loan": frozenset({"loan"}),
    "line_of_credit": frozenset({"credit", "loan"}),
}


def liability_type(account: Account) -> LiabilityType:
    """The type that the liability of an account says it has or, by its account, must have."""
    if account.liability and account.liability.type:
        return account.liability.type
    kind = kind_of(account)
    if kind.type == "credit":
        return "credit"
    return "student" if kind.subtype is AccountSubtype.STUDENT else "loan"
