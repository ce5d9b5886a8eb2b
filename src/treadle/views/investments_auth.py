"""What a broker asks of an account before it is transferred, as the API shows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from msgspec import structs

from treadle.bank.model import Numbers, Owner
from treadle.bank.months import add_months
from treadle.wire import common as wire
from treadle.wire.common import InvestmentTransactionSubtype as Subtype


def owner_view(account_id: str, owners: list[Owner]) -> wire.InvestmentsAuthOwner:
    names = dict.fromkeys(name for owner in owners for name in owner.names)
    return wire.InvestmentsAuthOwner(account_id=account_id, names=list(names))


def numbers_view(
    numbered: Iterable[tuple[str, Numbers | None]],
) -> wire.InvestmentsAuthGetNumbers:
    acats, aton, retirement_401k = [], [], []
    for account_id, numbers in numbered:
        if numbers is None:
            continue
        if numbers.acats is not None:
            acats.append(wire.NumbersACATS(account_id=account_id, **structs.asdict(numbers.acats)))
        if numbers.aton is not None:
            aton.append(wire.NumbersATON(account_id=account_id, **structs.asdict(numbers.aton)))
        if numbers.retirement_401k is not None:
            plan = structs.asdict(numbers.retirement_401k)
            retirement_401k.append(wire.NumbersRetirement401k(account_id=account_id, **plan))
    return wire.InvestmentsAuthGetNumbers(acats=acats, aton=aton, retirement_401k=retirement_401k)


def details_401k_view(
    account_id: str, year: list[wire.InvestmentTransaction], today: dt.date
) -> wire.InvestmentsAuthAccountDetails401k:
    """The contributions and fees among the transactions of a year, newest first."""
    contributions = [one for one in year if one.subtype is Subtype.CONTRIBUTION]
    fees = [one for one in year if one.subtype is Subtype.ACCOUNT_FEE]
    last_month = _since(contributions, add_months(today, -1))
    last_half_year = _since(contributions, add_months(today, -6))
    return wire.InvestmentsAuthAccountDetails401k(
        account_id=account_id,
        fee_details=wire.InvestmentsAuth401kFeeDetails(
            account_fee_count_12m=len(fees), account_fee_amount_12m=_total(fees)
        ),
        contribution_details=wire.InvestmentsAuth401kContributionDetails(
            last_contribution_transactions=[
                one for one in contributions if one.date == contributions[0].date
            ],
            contribution_count_1m=len(last_month),
            contribution_amount_1m=_total(last_month),
            contribution_count_6m=len(last_half_year),
            contribution_amount_6m=_total(last_half_year),
            contribution_count_12m=len(contributions),
            contribution_amount_12m=_total(contributions),
        ),
    )


def _since(
    transactions: list[wire.InvestmentTransaction], day: dt.date
) -> list[wire.InvestmentTransaction]:
    return [one for one in transactions if one.date > day]


def _total(transactions: list[wire.InvestmentTransaction]) -> float:
    """How much moved in all; a contribution is cash credited, so it is negative by itself."""
    return round(abs(sum(one.amount for one in transactions)), 2)
