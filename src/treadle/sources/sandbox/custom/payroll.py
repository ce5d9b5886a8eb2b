"""The payroll documents of an account: paystubs and W-2 forms."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from treadle.sources.sandbox.custom.part import Part
from treadle.sources.sandbox.custom.values import Amount, Currency, DecimalText, Mask, Year
from treadle.wire.income import (
    EarningsBreakdownCanonicalDescription,
    IncomeBreakdownType,
    PayPeriodDetailsPayFrequency,
)

# Amounts of a W-2 form are numbers in the SDK and texts in the API's examples.
_FormAmount = Amount | DecimalText


class PayrollAddress(Part):
    city: str | None = None
    region: str | None = None
    street: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Employer(Part):
    name: str | None = None
    address: PayrollAddress | None = None


class TaxpayerId(Part):
    id_type: str | None = None
    id_mask: str | None = None


class Employee(Part):
    name: str | None = None
    address: PayrollAddress | None = None
    marital_status: Literal["single", "married"] | None = None
    taxpayer_id: TaxpayerId | None = None


class IncomePart(Part):
    type: IncomeBreakdownType | None = None
    rate: Amount | None = None
    hours: Amount | None = None
    total: Amount | None = None


class NetPay(Part):
    description: str | None = None
    currency: Currency | None = None
    ytd_amount: Amount | None = None


class Deduction(Part):
    current_amount: Amount | None = None
    description: str | None = None
    currency: Currency | None = None
    ytd_amount: Amount | None = None


class DeductionsTotal(Part):
    current_amount: Amount | None = None
    currency: Currency | None = None
    ytd_amount: Amount | None = None


class Deductions(Part):
    breakdown: list[Deduction] | None = None
    total: DeductionsTotal | None = None


class Earning(Part):
    canonical_description: EarningsBreakdownCanonicalDescription | None = None
    current_amount: Amount | None = None
    description: str | None = None
    hours: Amount | None = None
    currency: Currency | None = None
    rate: Amount | None = None
    ytd_amount: Amount | None = None


class EarningsTotal(Part):
    hours: Amount | None = None
    currency: Currency | None = None
    ytd_amount: Amount | None = None


class Earnings(Part):
    breakdown: list[Earning] | None = None
    total: EarningsTotal | None = None


class Distribution(Part):
    account_name: str | None = None
    bank_name: str | None = None
    current_amount: Amount | None = None
    currency: Currency | None = None
    mask: Mask | None = None
    type: str | None = None


class PayPeriod(Part):
    check_amount: Amount | None = None
    distribution_breakdown: list[Distribution] | None = None
    end_date: dt.date | None = None
    gross_earnings: Amount | None = None
    pay_date: dt.date | None = None
    pay_day: dt.date | None = None
    # Earlier editions of the API's schema have it.
    pay_frequency: PayPeriodDetailsPayFrequency | None = None
    start_date: dt.date | None = None


class Paystub(Part):
    employer: Employer | None = None
    employee: Employee | None = None
    income_breakdown: list[IncomePart] | None = None
    net_pay: NetPay | None = None
    deductions: Deductions | None = None
    earnings: Earnings | None = None
    pay_period_details: PayPeriod | None = None


class Box12(Part):
    code: str | None = None
    amount: _FormAmount | None = None


class StateAndLocalWages(Part):
    state: str | None = None
    employer_state_id_number: str | None = None
    state_wages_tips: _FormAmount | None = None
    state_income_tax: _FormAmount | None = None
    local_wages_tips: _FormAmount | None = None
    local_income_tax: _FormAmount | None = None
    locality_name: str | None = None


class W2(Part):
    employer: Employer | None = None
    employee: Employee | None = None
    tax_year: Year | None = None
    employer_id_number: str | None = None
    wages_tips_other_comp: _FormAmount | None = None
    federal_income_tax_withheld: _FormAmount | None = None
    social_security_wages: _FormAmount | None = None
    social_security_tax_withheld: _FormAmount | None = None
    medicare_wages_and_tips: _FormAmount | None = None
    medicare_tax_withheld: _FormAmount | None = None
    social_security_tips: _FormAmount | None = None
    allocated_tips: _FormAmount | None = None
    box_9: str | None = None
    dependent_care_benefits: _FormAmount | None = None
    nonqualified_plans: _FormAmount | None = None
    box_12: list[Box12] | None = None
    statutory_employee: bool | None = None
    retirement_plan: bool | None = None
    third_party_sick_pay: bool | None = None
    other: str | None = None
    state_and_local_wages: list[StateAndLocalWages] | None = None


class Income(Part):
    paystubs: list[Paystub] | None = None
    w2s: list[W2] | None = None
