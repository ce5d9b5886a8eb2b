"""A product's entries between two days."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import msgspec

from treadle.bank.entries import (
    BY_DATE,
    BY_DATE_OF_ACCOUNTS,
    COUNT,
    COUNT_OF_ACCOUNTS,
    Shown,
)
from treadle.bank.rows import Account
from treadle.bank.updates import Update
from treadle.call import ClientCall
from treadle.http import errors

_DEFAULT_COUNT = 100


class DateRange(Protocol):
    """The members that the requests share."""

    start_date: dt.date
    end_date: dt.date


class PageOptions(Protocol):
    count: int | None
    offset: int | None


def check_range(request: DateRange) -> None:
    """Raises ApiError when the days are the wrong way round."""
    if request.start_date > request.end_date:
        raise errors.INVALID_FIELD(problem="start_date must not be after end_date")


async def read_range(
    call: ClientCall,
    update: Update,
    request: DateRange,
    options: PageOptions,
    accounts: list[Account] | None,
) -> tuple[int, list[Shown]]:
    """How many entries the accounts have in the range, and those of one page, newest first.

    No accounts stand for all of the Item. What the caller may not read is not there for it.
    """
    first_date = max(request.start_date, call.transactions_from or request.start_date)
    rows = {
        "item_id": update.item_id,
        "product": update.product,
        "client_id": update.client_id,
        "first_date": first_date.isoformat(),
        "last_date": request.end_date.isoformat(),
    }
    by_date, count = BY_DATE, COUNT
    if accounts is not None:
        names = [account.account_id for account in accounts]
        rows["account_ids"] = msgspec.json.encode(names).decode()
        by_date, count = BY_DATE_OF_ACCOUNTS, COUNT_OF_ACCOUNTS
    page = {"count": options.count or _DEFAULT_COUNT, "offset": options.offset or 0}
    return await call.first(count, **rows) or 0, await call.all(by_date, **rows, **page)
