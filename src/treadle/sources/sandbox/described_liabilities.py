"""What a described user owes: as described and, where nothing is said, as fits the account."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, TypeVar

from msgspec import structs

from treadle.bank.liability import CreditCard, Liability, LineOfCredit, Loan, StudentLoan
from treadle.bank.model import AccountData
from treadle.bank.months import add_months
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

T = TypeVar("T")

_APR: Final = 12.5
_LOAN_APR: Final = 5.25
_LEAST_PAYMENT: Final = 25.0
_PAYMENT_SHARE: Final = 0.01
# A loan is that old when its Item is made, and runs for so long.
_AGE_MONTHS: Final = 24
_TERM_MONTHS: Final = 120
_LATEST_DAY: Final = 28
_GUARANTOR: Final = "DEPT OF ED"
_DAY: Final = dt.timedelta(days=1)
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
        given = account.liability or schema.Liability()
        self.given = given
        self.name = data.name
        self.balance = data.balances.current or 0
        self.limit = data.balances.limit
        self.created = created
        self.today = today
        least = min(max(_LEAST_PAYMENT, self.balance * _PAYMENT_SHARE), max(self.balance, 0))
        self.minimum = _given(given.minimum_payment_amount, round(least, 2))
        model = account.inflow_model or schema.InflowModel()
        day = min(created.day, _LATEST_DAY)
        paid_on = model.payment_day_of_month or day
        issued = _on_or_before(today, model.statement_day_of_month or day)
        self.issued = _given(given.last_statement_issue_date, issued)
        self.payments: dict[str, Any] = {
            "last_payment_amount": _given(given.last_payment_amount, self.minimum),
            "last_payment_date": _given(given.last_payment_date, _on_or_before(today, paid_on)),
            "next_payment_due_date": _given(given.next_payment_due_date, _after(today, paid_on)),
        }
        self.origination = _given(given.origination_date, add_months(created, -_AGE_MONTHS))

    def monthly_interest(self, apr: float) -> float:
        return round(max(self.balance, 0) * apr / 100 / 12, 2)

    def months_of_year(self) -> int:
        """How many payments there were since the year began."""
        return self.today.month - 1


def _credit_card(debt: _Debt) -> CreditCard:
    given = debt.given
    rates = {
        APRAprType.BALANCE_TRANSFER_APR: given.balance_transfer_apr,
        APRAprType.CASH_APR: given.cash_apr,
        APRAprType.PURCHASE_APR: _given(given.purchase_apr, _APR),
        APRAprType.SPECIAL: given.special_apr,
    }
    return CreditCard(
        aprs=[_apr(debt, kind, rate) for kind, rate in rates.items() if rate is not None],
        is_overdue=_given(given.is_overdue, False),
        last_statement_balance=_given(given.last_statement_balance, debt.balance),
        last_statement_issue_date=debt.issued,
        minimum_payment_amount=debt.minimum,
        **debt.payments,
    )


def _apr(debt: _Debt, kind: APRAprType, rate: float) -> APR:
    """As documented, interest is for purchases alone."""
    purchase = kind is APRAprType.PURCHASE_APR
    return APR(
        apr_type=kind,
        apr_percentage=rate,
        balance_subject_to_apr=max(debt.balance, 0) if purchase else 0,
        interest_charge_amount=debt.monthly_interest(rate) if purchase else 0,
    )


def _student_loan(debt: _Debt) -> StudentLoan:
    given = debt.given
    rate = _given(given.nominal_apr, _LOAN_APR)
    interest = debt.monthly_interest(rate)
    plan_type = _given(given.repayment_plan_type, StudentRepaymentPlanType.STANDARD)
    payoff = _given(given.expected_payoff_date, add_months(debt.origination, _months_to_run(given)))
    status = given.loan_status or schema.LoanStatus()
    return StudentLoan(
        interest_rate_percentage=rate,
        loan_status=StudentLoanStatus(
            type=_given(status.type, StudentLoanStatusType.REPAYMENT),
            end_date=_given(status.end_date, payoff),
        ),
        pslf_status=PSLFStatus(**structs.asdict(given.pslf_status or schema.PslfStatus())),
        repayment_plan=StudentRepaymentPlan(
            type=plan_type,
            description=_given(given.repayment_plan_description, plan_type.capitalize()),
        ),
        servicer_address=ServicerAddressData(
            **structs.asdict(given.servicer_address or schema.AddressData())
        ),
        disbursement_dates=[debt.origination],
        expected_payoff_date=payoff,
        guarantor=_given(given.guarantor, None if given.is_federal is False else _GUARANTOR),
        is_overdue=_given(given.is_overdue, False),
        last_statement_balance=debt.minimum,
        last_statement_issue_date=debt.issued,
        loan_name=_given(given.loan_name, debt.name),
        minimum_payment_amount=debt.minimum,
        origination_date=debt.origination,
        origination_principal_amount=_given(given.principal, debt.balance),
        outstanding_interest_amount=interest,
        sequence_number=str(_given(given.sequence_number, 1)),
        ytd_interest_paid=round(interest * debt.months_of_year(), 2),
        ytd_principal_paid=round(max(debt.minimum - interest, 0) * debt.months_of_year(), 2),
        **debt.payments,
    )


def _months_to_run(given: schema.Liability) -> int:
    model = given.repayment_model or schema.RepaymentModel()
    return _given(model.non_repayment_months, 0) + _given(model.repayment_months, _TERM_MONTHS)


def _loan(debt: _Debt) -> Loan:
    given = debt.given
    rate = _interest_rate(given.interest_rate or schema.InterestRate())
    interest = debt.monthly_interest(rate.percentage or 0)
    months = _given(given.loan_term_months, _TERM_MONTHS)
    return Loan(
        interest_rate=rate,
        principal_balance=_given(given.principal_balance, debt.balance),
        origination_principal_amount=_given(given.origination_principal_amount, debt.balance),
        origination_date=debt.origination,
        loan_term_months=months,
        maturity_date=_given(given.maturity_date, add_months(debt.origination, months)),
        payment_count=_given(given.payment_count, months),
        payment_frequency=_given(given.payment_frequency, LoanPaymentFrequency.MONTHLY),
        next_payment_amount=_given(given.next_payment_amount, debt.minimum),
        payoff_amount=_given(given.payoff_amount, round(debt.balance + interest, 2)),
        ytd_interest_paid=_given(
            given.ytd_interest_paid, round(interest * debt.months_of_year(), 2)
        ),
        compounding_period=_given(given.compounding_period, LoanCompoundingPeriod.MONTHLY),
        **debt.payments,
    )


def _interest_rate(given: schema.InterestRate) -> LoanInterestRate:
    return LoanInterestRate(
        percentage=_given(given.percentage, _LOAN_APR),
        type=_given(given.type, LoanInterestRateType.FIXED),
    )


def _line_of_credit(debt: _Debt) -> LineOfCredit:
    given = debt.given
    limit = _given(given.credit_limit, debt.limit)
    left = None if limit is None else round(limit - debt.balance, 2)
    aprs = [_line_apr(debt, one) for one in _given(given.aprs, [schema.Apr()])]
    rate = aprs[0].apr_percentage if aprs else _APR
    return LineOfCredit(
        aprs=aprs,
        interest_rate=LoanInterestRate(percentage=rate, type=LoanInterestRateType.VARIABLE),
        credit_limit=limit,
        available_credit=_given(given.available_credit, left),
        principal_balance=_given(given.principal_balance, debt.balance),
        minimum_payment_amount=debt.minimum,
        next_payment_amount=_given(given.next_payment_amount, debt.minimum),
        last_statement_balance=_given(given.last_statement_balance, debt.balance),
        last_statement_issue_date=debt.issued,
        past_due_amount=_given(given.past_due_amount, 0),
        finance_charges=_given(given.finance_charges, 0),
        draw_period_end_date=_given(
            given.draw_period_end_date, add_months(debt.origination, _TERM_MONTHS)
        ),
        **debt.payments,
    )


def _line_apr(debt: _Debt, given: schema.Apr) -> APR:
    usual = _apr(
        debt,
        _given(given.apr_type, APRAprType.PURCHASE_APR),
        _given(given.apr_percentage, _APR),
    )
    return structs.replace(
        usual,
        balance_subject_to_apr=_given(given.balance_subject_to_apr, usual.balance_subject_to_apr),
        interest_charge_amount=_given(given.interest_charge_amount, usual.interest_charge_amount),
    )


def _given(given: T | None, default: T) -> T:
    return default if given is None else given


def _on_or_before(date: dt.date, day: DayOfMonth) -> dt.date:
    while not is_day_of_month(date, day):
        date -= _DAY
    return date


def _after(date: dt.date, day: DayOfMonth) -> dt.date:
    date += _DAY
    while not is_day_of_month(date, day):
        date += _DAY
    return date
