"""What is owed on an account, in the API's own words.

The tag of each kind is the API's name for the list it stands in. Numbers that identify a loan are
no part of it: they are kept sealed with the account's other numbers.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from treadle.wire.common import (
    APR,
    LoanCompoundingPeriod,
    LoanInterestRate,
    LoanPaymentFrequency,
    MortgageInterestRate,
    MortgagePropertyAddress,
    PSLFStatus,
    ServicerAddressData,
    StudentLoanStatus,
    StudentRepaymentPlan,
)


class _Payments(msgspec.Struct, kw_only=True):
    """The members that every kind has."""

    last_payment_amount: float | None = None
    last_payment_date: dt.date | None = None
    next_payment_due_date: dt.date | None = None


class CreditCard(_Payments, kw_only=True, tag="credit"):
    aprs: list[APR] = []
    is_overdue: bool | None = None
    last_statement_balance: float | None = None
    last_statement_issue_date: dt.date | None = None
    minimum_payment_amount: float | None = None


class Mortgage(_Payments, kw_only=True, tag="mortgage"):
    interest_rate: MortgageInterestRate
    property_address: MortgagePropertyAddress
    current_late_fee: float | None = None
    escrow_balance: float | None = None
    has_pmi: bool | None = None
    has_prepayment_penalty: bool | None = None
    loan_term: str | None = None
    loan_type_description: str | None = None
    maturity_date: dt.date | None = None
    next_monthly_payment: float | None = None
    origination_date: dt.date | None = None
    origination_principal_amount: float | None = None
    past_due_amount: float | None = None
    ytd_interest_paid: float | None = None
    ytd_principal_paid: float | None = None


class StudentLoan(_Payments, kw_only=True, tag="student"):
    interest_rate_percentage: float
    loan_status: StudentLoanStatus
    pslf_status: PSLFStatus
    repayment_plan: StudentRepaymentPlan
    servicer_address: ServicerAddressData
    disbursement_dates: list[dt.date] | None = None
    expected_payoff_date: dt.date | None = None
    guarantor: str | None = None
    is_overdue: bool | None = None
    last_statement_balance: float | None = None
    last_statement_issue_date: dt.date | None = None
    loan_name: str | None = None
    minimum_payment_amount: float | None = None
    origination_date: dt.date | None = None
    origination_principal_amount: float | None = None
    outstanding_interest_amount: float | None = None
    sequence_number: str | None = None
    ytd_interest_paid: float | None = None
    ytd_principal_paid: float | None = None


class Loan(_Payments, kw_only=True, tag="loan"):
    interest_rate: LoanInterestRate | None = None
    principal_balance: float | None = None
    origination_principal_amount: float | None = None
    origination_date: dt.date | None = None
    loan_term_months: int | None = None
    maturity_date: dt.date | None = None
    payment_count: int | None = None
    payment_frequency: LoanPaymentFrequency | None = None
    next_payment_amount: float | None = None
    payoff_amount: float | None = None
    ytd_interest_paid: float | None = None
    compounding_period: LoanCompoundingPeriod | None = None


class LineOfCredit(_Payments, kw_only=True, tag="line_of_credit"):
    aprs: list[APR] = []
    interest_rate: LoanInterestRate | None = None
    credit_limit: float | None = None
    available_credit: float | None = None
    principal_balance: float | None = None
    minimum_payment_amount: float | None = None
    next_payment_amount: float | None = None
    last_statement_balance: float | None = None
    last_statement_issue_date: dt.date | None = None
    past_due_amount: float | None = None
    finance_charges: float | None = None
    draw_period_end_date: dt.date | None = None


Liability = CreditCard | Mortgage | StudentLoan | Loan | LineOfCredit
