"""What a 401k account was paid and charged, told from its transactions."""

from __future__ import annotations

from datetime import date

from treadle.views.investments_auth import details_401k_view
from treadle.wire.common import (
    InvestmentsAuth401kContributionDetails,
    InvestmentsAuth401kFeeDetails,
    InvestmentTransaction,
    InvestmentTransactionSubtype,
    InvestmentTransactionType,
)

TODAY = date(2026, 3, 31)
CONTRIBUTION, FEE = InvestmentTransactionSubtype.CONTRIBUTION, "account fee"


def transaction(
    number: int, day: date, amount: float, subtype: str = CONTRIBUTION
) -> InvestmentTransaction:
    return InvestmentTransaction(
        investment_transaction_id=str(number),
        account_id="401k",
        security_id=None,
        date=day,
        name="PAYROLL",
        quantity=0,
        amount=amount,
        price=0,
        fees=0,
        type=InvestmentTransactionType.CASH,
        subtype=InvestmentTransactionSubtype(subtype),
        iso_currency_code="USD",
        unofficial_currency_code=None,
    )


def test_contributions_and_fees_are_counted_by_period() -> None:
    year = [
        transaction(1, date(2026, 3, 30), -9.99, "dividend"),
        transaction(2, date(2026, 3, 15), -100.10),
        transaction(3, date(2026, 3, 15), -50.05),
        transaction(4, date(2026, 3, 1), 3.5, FEE),
        # A month before the last day of March is the last day of February.
        transaction(5, date(2026, 2, 28), -100.10),
        transaction(6, date(2025, 10, 1), -100.10),
        transaction(7, date(2025, 9, 30), -100.10),
        transaction(8, date(2025, 4, 2), 3.5, FEE),
    ]
    details = details_401k_view("401k", year, TODAY)
    assert details.account_id == "401k"
    assert details.fee_details == InvestmentsAuth401kFeeDetails(
        account_fee_count_12m=2, account_fee_amount_12m=7
    )
    assert details.contribution_details == InvestmentsAuth401kContributionDetails(
        last_contribution_transactions=year[1:3],
        contribution_count_1m=2,
        contribution_amount_1m=150.15,
        contribution_count_6m=4,
        contribution_amount_6m=350.35,
        contribution_count_12m=5,
        contribution_amount_12m=450.45,
    )


def test_an_account_without_contributions_has_none_of_them() -> None:
    details = details_401k_view("401k", [transaction(1, TODAY, -1, "interest")], TODAY)
    assert details.contribution_details == InvestmentsAuth401kContributionDetails(
        last_contribution_transactions=[],
        contribution_count_1m=0,
        contribution_amount_1m=0,
        contribution_count_6m=0,
        contribution_amount_6m=0,
        contribution_count_12m=0,
        contribution_amount_12m=0,
    )
