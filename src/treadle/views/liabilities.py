"""What is owed on accounts, as the API shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import structs

from treadle.bank.liability import (
    CreditCard,
    Liability,
    LineOfCredit,
    Loan,
    Mortgage,
    StudentLoan,
)
from treadle.bank.model import LoanNumbers, Numbers
from treadle.bank.rows import Account
from treadle.keys import Keys
from treadle.wire import common as wire

_VIEWS: dict[type[Liability], type[msgspec.Struct]] = {
    CreditCard: wire.CreditCardLiability,
    Mortgage: wire.MortgageLiability,
    StudentLoan: wire.StudentLoan,
    Loan: wire.LoanLiability,
    LineOfCredit: wire.LineOfCreditLiability,
}


def liabilities_view(
    owed: Iterable[tuple[Account, Liability]], keys: Keys
) -> wire.LiabilitiesObject:
    """A list for each kind; null, as recorded, where there would be nothing in it."""
    lists: defaultdict[str, list[Any]] = defaultdict(list)
    for account, liability in owed:
        lists[str(type(liability).__struct_config__.tag)].append(_view(account, liability, keys))
    return wire.LiabilitiesObject(
        credit=lists.get("credit"),
        mortgage=lists.get("mortgage"),
        student=lists.get("student"),
        loan=lists.get("loan"),
        line_of_credit=lists.get("line_of_credit"),
    )


def _view(account: Account, liability: Liability, keys: Keys) -> msgspec.Struct:
    view = _VIEWS[type(liability)]
    numbers = account.numbers(keys) or Numbers()
    loan = structs.asdict(numbers.loan or LoanNumbers())
    return view(
        account_id=account.account_id,
        **structs.asdict(liability),
        **{name: number for name, number in loan.items() if name in view.__struct_fields__},
    )
