"""What a described user owes: as described and, where nothing is said, as fits the account."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
from msgspec import structs

from treadle.bank.liability import CreditCard, Liability, LineOfCredit, Loan, StudentLoan
from treadle.bank.model import AccountData
from treadle.bank.months import add_months, whole_months
from treadle.sources.sandbox.custom import schema
from treadle.sources.sandbox.custom.liabilities import liability_type
from treadle.sources.sandbox.custom.movement import is_day_of_month
from treadle.sources.sandbox.custom.values import DayOfMonth
from treadle.wire.common import (
    APR,
    AccountSubtype,
    APRAprType,
    LoanCompoundingPeriod,
    LoanInterestRate,
    LoanInterestRateType,
    LoanPaymentFrequency,
    PSLFStatus,
    ServicerAddressData,
    StudentLoanStatus,
    StudentLoanStatusType,
    StudentRepaymentPlan,
    StudentRepaymentPlanType,
)

_APR: Final = 12.5
_LOAN_APR: Final = 5.25
_LEAST_PAYMENT: Final = 25.0
_PAYMENT_SHARE: Final = 0.01
# A loan is that old when its Item is made, and runs for so long.
_AGE_MONTHS: Final = 24
_TERM_MONTHS: Final = 120
_LATEST_DAY: Final = 28
_LINES: Final = {AccountSubtype.LINE_OF_CREDIT, AccountSubtype.COMMERCIAL_LINE_OF_CREDIT}


def described_liability(
    account: schema.Account, data: AccountData, created: dt.date, today: dt.date
) -> Liability | None:
    """None for an account on which nothing is owed, or nothing that can be described."""
    if account.type not in ("credit", "loan"):
        return None
    given = account.liability
    if given is None and account.subtype is AccountSubtype.MORTGAGE:
        return None
    debt = _Debt(account, data, created, today)
    if given is None and account.subtype in _LINES:
        return _line_of_credit(debt)
    match liability_type(account):
        case "credit":
            return _credit_card(debt)
        case "student":
            return _student_loan(debt)
        case "line_of_credit":
            return _line_of_credit(debt)
        case "loan":
            return _loan(debt)


class _Debt:
    """What the kinds have in common."""

    def __init__(
        self, account: schema.Account, data: AccountData, created: dt.date, today: dt.date
    ) -> None:
        self.name = data.name
        self.given = account.liability or schema.Liability()
        self.limit = data.balances.limit
        self.balance = data.balances.current or 0
        self.created = created
        self.today = today
        model = account.inflow_model or schema.InflowModel()
        own_day = min(created.day, _LATEST_DAY)
        payment_day = model.payment_day_of_month or own_day
        issued = _on_or_before(today, model.statement_day_of_month or own_day)
        self.payments = {
            "last_payment_date": _either(
                self.given.last_payment_date, _on_or_before(today, payment_day)
            ),
            "next_payment_due_date": _either(
                self.given.next_payment_due_date, _after(today, payment_day)
            ),
            "last_payment_amount": _either(self.given.last_payment_amount, self.minimum_payment),
        }
        self.statement = {
            "last_statement_issue_date": _either(self.given.last_statement_issue_date, issued),
            "minimum_payment_amount": self.minimum_payment,
        }
