"""What a custom user must keep to beyond the types of its fields."""

from __future__ import annotations

from collections.abc import Iterator

from treadle.sources.sandbox.custom import bank_numbers
from treadle.sources.sandbox.custom.kinds import SUBTYPES, kind_of
from treadle.sources.sandbox.custom.liabilities import ACCOUNT_TYPES, FIELDS, liability_type
from treadle.sources.sandbox.custom.schema import (
    Account,
    CustomUser,
    InvestmentTransaction,
    Mfa,
)

MAX_ACCOUNTS = 10
MAX_TRANSACTIONS = 250

# The place of what breaks a rule, and what is wrong with it.
Fault = tuple[str, str]


def broken_rules(user: CustomUser) -> Iterator[Fault]:
    accounts = user.override_accounts
    if accounts is not None and not 1 <= len(accounts) <= MAX_ACCOUNTS:
        yield "override_accounts", f"must have from 1 to {MAX_ACCOUNTS} accounts"
    if sum(len(account.transactions or ()) for account in accounts or ()) > MAX_TRANSACTIONS:
        yield "override_accounts", f"must have at most {MAX_TRANSACTIONS} transactions in total"
    for index, account in enumerate(accounts or ()):
        for rule in _ACCOUNT_RULES:
            for place, problem in rule(account):
                yield f"override_accounts[{index}].{place}", problem
    if user.mfa is not None:
        yield from _mfa(user.mfa)


def _mfa(mfa: Mfa) -> Iterator[Fault]:
    if mfa.type == "questions":
        for name in ("question_rounds", "questions_per_round"):
            if getattr(mfa, name) is None:
                yield f"mfa.{name}", "is needed when the type is questions"


def _kind(account: Account) -> Iterator[Fault]:
    if account.type and account.subtype and account.subtype not in SUBTYPES[account.type]:
        allowed = ", ".join(SUBTYPES[account.type])
        yield "subtype", f"is not a subtype of {account.type}, which has: {allowed}"


def _balance(account: Account) -> Iterator[Fault]:
    if account.force_available_balance is not None and account.has_null_available_balance:
        yield "force_available_balance", "must not be set together with has_null_available_balance"


def _numbers(account: Account) -> Iterator[Fault]:
    numbers = account.numbers
    if numbers is None:
        return
    for one, other in _TOGETHER:
        for absent, present in ((one, other), (other, one)):
            if getattr(numbers, absent) is None and getattr(numbers, present) is not None:
                yield f"numbers.{absent}", f"is needed together with {present}"
    for name, is_valid, problem in _CHECKED_NUMBERS:
        number = getattr(numbers, name)
        if number is not None and not is_valid(number):
            yield f"numbers.{name}", problem


_TOGETHER = (("eft_institution", "eft_branch"), ("international_bic", "international_iban"))
_WRONG_ROUTING = "is not a valid routing number: its checksum is wrong"
_WRONG_IBAN = "is not a valid IBAN: its checksum or length is wrong"
_CHECKED_NUMBERS = (
    ("ach_routing", bank_numbers.is_routing_number, _WRONG_ROUTING),
    ("ach_wire_routing", bank_numbers.is_routing_number, _WRONG_ROUTING),
    ("international_iban", bank_numbers.is_iban, _WRONG_IBAN),
)


def _transactions(account: Account) -> Iterator[Fault]:
    for index, one in enumerate(account.transactions or ()):
        if one.date_transacted and one.date_posted and one.date_posted < one.date_transacted:
            place = f"transactions[{index}].date_posted"
            yield place, f"must not be before date_transacted, {one.date_transacted}"


def _investments(account: Account) -> Iterator[Fault]:
    single = isinstance(account.investment_transactions_, InvestmentTransaction)
    for index, one in enumerate(account.investment_transactions):
        place = f"investment_transactions{'' if single else f'[{index}]'}.quantity"
        if one.type == "buy" and one.quantity is not None and one.quantity <= 0:
            yield place, "must be positive for a buy"
        if one.type == "sell" and one.quantity is not None and one.quantity >= 0:
            yield place, "must be negative for a sell"


def _liability(account: Account) -> Iterator[Fault]:
    liability = account.liability
    if liability is None:
        return
    type_ = liability_type(account)
    if kind_of(account).type not in ACCOUNT_TYPES[type_]:
        owners = " or ".join(sorted(ACCOUNT_TYPES[type_]))
        place = "liability.type" if liability.type else "liability"
        yield place, f"needs an account of type {owners}"
    for name in liability.__struct_fields__:
        if getattr(liability, name) is not None and name not in FIELDS[type_]:
            yield f"liability.{name}", f"is not a field of a liability of type {type_}"


def _inflow(account: Account) -> Iterator[Fault]:
    model = account.inflow_model
    if model is None or model.type is None or model.type == "none":
        return
    if model.type != "monthly-income" and kind_of(account).type not in ("credit", "loan"):
        yield "inflow_model.type", f"{model.type} needs an account of type credit or loan"
    own = "income_amount" if model.type == "monthly-income" else "statement_day_of_month"
    for name in (own, "payment_day_of_month", "transaction_name"):
        if getattr(model, name) is None:
            yield f"inflow_model.{name}", f"is needed when the type is {model.type}"


def _income(account: Account) -> Iterator[Fault]:
    if account.income is not None and kind_of(account).type != "payroll":
        yield "income", "needs an account of type payroll"


_ACCOUNT_RULES = (
    _kind,
    _balance,
    _numbers,
    _transactions,
    _investments,
    _liability,
    _inflow,
    _income,
)
