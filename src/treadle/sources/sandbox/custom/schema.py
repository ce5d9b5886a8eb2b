"""What a custom user may say of itself and its accounts. Every field may be left out or null.

The payroll documents of an account are in `payroll.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, field

from treadle.sources.sandbox.custom.part import Part
from treadle.sources.sandbox.custom.payroll import Income
from treadle.sources.sandbox.custom.values import (
    AccountNumber,
    AccountType,
    Amount,
    AnyCurrency,
    Bic,
    Count,
    Country,
    Currency,
    Cusip,
    DayOfMonth,
    EftBranch,
    EftInstitution,
    ForcedError,
    Iban,
    InflowType,
    InvestmentType,
    Isin,
    LiabilityType,
    Mask,
    MfaType,
    Percentage,
    Rounds,
    RoutingNumber,
    Sedol,
    SortCode,
)
from treadle.wire.common import (
    AccountSubtype,
    APRAprType,
    EmailType,
    LoanCompoundingPeriod,
    LoanInterestRateType,
    LoanPaymentFrequency,
    PhoneNumberType,
    StudentLoanStatusType,
    StudentRepaymentPlanType,
)


class AccountMeta(Part):
    name: str | None = None
    official_name: str | None = None
    limit: Amount | None = None
    mask: Mask | None = None
    apy: Percentage | None = None


class Numbers(Part):
    account: AccountNumber | None = None
    ach_routing: RoutingNumber | None = None
    ach_wire_routing: RoutingNumber | None = None
    eft_institution: EftInstitution | None = None
    eft_branch: EftBranch | None = None
    international_bic: Bic | None = None
    international_iban: Iban | None = None
    bacs_sort_code: SortCode | None = None


class Transaction(Part):
    """Positive amounts leave the account. It is pending until the day it is posted."""

    date_transacted: dt.date | None = None
    date_posted: dt.date | None = None
    amount: Amount | None = None
    description: str | None = None
    currency: Currency | None = None


class Security(Part):
    currency: AnyCurrency | None = None
    isin: Isin | None = None
    cusip: Cusip | None = None
    sedol: Sedol | None = None
    name: str | None = None
    ticker_symbol: str | None = None


class Holding(Part):
    institution_price: Amount | None = None
    quantity: Amount | None = None
    currency: AnyCurrency | None = None
    security: Security | None = None
    institution_price_as_of: dt.date | None = None
    cost_basis: Amount | None = None


class InvestmentTransaction(Part):
    date: dt.date | None = None
    name: str | None = None
    quantity: Amount | None = None
    price: Amount | None = None
    type: InvestmentType | None = None
    currency: AnyCurrency | None = None
    fees: Amount | None = None
    security: Security | None = None


class PhoneNumber(Part):
    data: str | None = None
    primary: bool | None = None
    type: PhoneNumberType | None = None


class Email(Part):
    data: str | None = None
    primary: bool | None = None
    type: EmailType | None = None


class AddressData(Part):
    city: str | None = None
    street: str | None = None
    country: Country | None = None
    region: str | None = None
    postal_code: str | None = None


class Address(Part):
    data: AddressData | None = None
    primary: bool | None = None


class Identity(Part):
    names: list[str] | None = None
    phone_numbers: list[PhoneNumber] | None = None
    emails: list[Email] | None = None
    addresses: list[Address] | None = None


class RepaymentModel(Part):
    type: Literal["standard"] | None = None
    non_repayment_months: Count | None = None
    repayment_months: Count | None = None


class LoanStatus(Part):
    end_date: dt.date | None = None
    type: StudentLoanStatusType | None = None


class PslfStatus(Part):
    estimated_eligibility_date: dt.date | None = None
    payments_made: Count | None = None
    payments_remaining: Count | None = None


class InterestRate(Part):
    percentage: Percentage | None = None
    type: LoanInterestRateType | None = None


class Apr(Part):
    apr_type: APRAprType | None = None
    apr_percentage: Percentage | None = None
    balance_subject_to_apr: Amount | None = None
    interest_charge_amount: Amount | None = None


class Liability(Part):
    """Which of the fields a kind of liability has is told in `liabilities.py`."""

    type: LiabilityType | None = None
    purchase_apr: Percentage | None = None
    cash_apr: Percentage | None = None
    balance_transfer_apr: Percentage | None = None
    special_apr: Percentage | None = None
    last_payment_amount: Amount | None = None
    last_statement_balance: Amount | None = None
    minimum_payment_amount: Amount | None = None
    is_overdue: bool | None = None
    origination_date: dt.date | None = None
    principal: Amount | None = None
    nominal_apr: Percentage | None = None
    interest_capitalization_grace_period_months: Count | None = None
    repayment_model: RepaymentModel | None = None
    expected_payoff_date: dt.date | None = None
    guarantor: str | None = None
    is_federal: bool | None = None
    loan_name: str | None = None
    loan_status: LoanStatus | None = None
    payment_reference_number: str | None = None
    pslf_status: PslfStatus | None = None
    repayment_plan_description: str | None = None
    repayment_plan_type: StudentRepaymentPlanType | None = None
    sequence_number: Count | None = None
    servicer_address: AddressData | None = None
    account_number: str | None = None
    interest_rate: InterestRate | None = None
    principal_balance: Amount | None = None
    origination_principal_amount: Amount | None = None
    loan_term_months: Count | None = None
    maturity_date: dt.date | None = None
    payment_count: Count | None = None
    payment_frequency: LoanPaymentFrequency | None = None
    next_payment_amount: Amount | None = None
    next_payment_due_date: dt.date | None = None
    last_payment_date: dt.date | None = None
    payoff_amount: Amount | None = None
    ytd_interest_paid: Amount | None = None
    compounding_period: LoanCompoundingPeriod | None = None
    credit_limit: Amount | None = None
    available_credit: Amount | None = None
    last_statement_issue_date: dt.date | None = None
    past_due_amount: Amount | None = None
    finance_charges: Amount | None = None
    draw_period_end_date: dt.date | None = None
    aprs: list[Apr] | None = None


class InflowModel(Part):
    type: InflowType | None = None
    income_amount: Amount | None = None
    payment_day_of_month: DayOfMonth | None = None
    transaction_name: str | None = None
    statement_day_of_month: DayOfMonth | None = None


class Account(Part):
    type: AccountType | None = None
    subtype: Annotated[AccountSubtype, Meta(description="an account subtype of the API")] | None = (
        None
    )
    starting_balance: Amount | None = None
    force_available_balance: Amount | None = None
    has_null_available_balance: bool | None = None
    currency: Currency | None = None
    meta: AccountMeta | None = None
    numbers: Numbers | None = None
    transactions: list[Transaction] | None = None
    # The API's schema has single objects here, its examples have arrays: both are taken.
    holdings_: list[Holding] | Holding | None = field(default=None, name="holdings")
    investment_transactions_: list[InvestmentTransaction] | InvestmentTransaction | None = field(
        default=None, name="investment_transactions"
    )
    identity: Identity | None = None
    liability: Liability | None = None
    inflow_model: InflowModel | None = None
    income: Income | None = None

    @property
    def holdings(self) -> Sequence[Holding]:
        given = self.holdings_
        return [given] if isinstance(given, Holding) else given or ()

    @property
    def investment_transactions(self) -> Sequence[InvestmentTransaction]:
        given = self.investment_transactions_
        return [given] if isinstance(given, InvestmentTransaction) else given or ()


class Mfa(Part):
    type: MfaType | None = None
    question_rounds: Rounds | None = None
    questions_per_round: Rounds | None = None
    selection_rounds: Rounds | None = None
    selections_per_question: Rounds | None = None


class CustomUser(Part):
    version: Literal[1, 2, "1", "2"] | None = None
    seed: str | None = None
    roll_dates_forward: bool | None = None
    override_accounts: list[Account] | None = None
    mfa: Mfa | None = None
    recaptcha: Literal["good", "bad"] | None = None
    force_error: ForcedError | None = None
