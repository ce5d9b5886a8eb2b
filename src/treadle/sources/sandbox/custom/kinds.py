"""Types and subtypes of accounts: which go together, and what an account is that says neither."""

from __future__ import annotations

from typing import Final, NamedTuple

from treadle.sources.sandbox.custom.schema import Account
from treadle.sources.sandbox.custom.values import AccountType, LiabilityType
from treadle.wire.common import AccountSubtype, DepositoryAccountSubtype
from treadle.wire.link import (
    CreditAccountSubtype,
    InvestmentAccountSubtype,
    LoanAccountSubtype,
    OtherAccountSubtype,
)


class Kind(NamedTuple):
    type: AccountType
    subtype: AccountSubtype


# Of types that share a subtype, the likelier stands first.
SUBTYPES: Final[dict[AccountType, list[AccountSubtype]]] = {
    "other": [AccountSubtype(one) for one in OtherAccountSubtype if one != "all"],
    "depository": [AccountSubtype(one) for one in DepositoryAccountSubtype if one != "all"],
    "credit": [AccountSubtype(one) for one in CreditAccountSubtype if one != "all"],
    "loan": [AccountSubtype(one) for one in LoanAccountSubtype if one != "all"],
    "investment": [AccountSubtype(one) for one in InvestmentAccountSubtype if one != "all"],
    "payroll": [AccountSubtype.PAYROLL],
}
_USUAL_SUBTYPES: Final[dict[AccountType, AccountSubtype]] = {
    "depository": AccountSubtype.CHECKING,
    "credit": AccountSubtype.CREDIT_CARD,
    "loan": AccountSubtype.LOAN,
    "investment": AccountSubtype.BROKERAGE,
    "payroll": AccountSubtype.PAYROLL,
    "other": AccountSubtype.OTHER,
}
_LIABILITIES: Final[dict[LiabilityType, Kind]] = {
    "credit": Kind("credit", AccountSubtype.CREDIT_CARD),
    "student": Kind("loan", AccountSubtype.STUDENT),
    "loan": Kind("loan", AccountSubtype.LOAN),
    "line_of_credit": Kind("loan", AccountSubtype.LINE_OF_CREDIT),
}


def kind_of(account: Account) -> Kind:
    """What an account is: as it says or, where it does not, as its data suggests."""
    liability = account.liability.type if account.liability else None
    if account.type and account.subtype:
        return Kind(account.type, account.subtype)
    if account.subtype:
        types = (one for one, subtypes in SUBTYPES.items() if account.subtype in subtypes)
        return Kind(next(types), account.subtype)
    if liability and account.type in (None, _LIABILITIES[liability].type):
        return _LIABILITIES[liability]
    return _usual(account.type or _suggested_type(account))


def _suggested_type(account: Account) -> AccountType:
    if account.income:
        return "payroll"
    return "investment" if account.holdings or account.investment_transactions else "depository"


def _usual(type_: AccountType) -> Kind:
    return Kind(type_, _USUAL_SUBTYPES[type_])
