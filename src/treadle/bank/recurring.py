"""Finding recurring streams among an Item's transactions: pay, rent, bills and subscriptions."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from collections import defaultdict
from itertools import pairwise
from statistics import median_low
from typing import NamedTuple

import msgspec

from treadle.bank.cadence import Rhythm, find_rhythm
from treadle.ids import compose_identifier
from treadle.wire.common import (
    PersonalFinanceCategory,
    RecurringTransactionFrequency,
    TransactionStreamStatus,
)

# Amounts whose neighbours are within this ratio are one price that moves a little.
_ALIKE = 1.1
# Beyond this ratio they may belong to different things that were bought.
_APART = 1.25
# So many amounts of one price tell it from a coincidence.
_ENOUGH = 3
# After so many usual intervals without a payment, the next one is a new beginning.
_INTERRUPTION = 3
# What is so late is not coming.
_GRACE_DAYS = 7

_REFERENCE = re.compile(r"\S*\d\S*")
_WORD = re.compile(r"[^\W\d_]+")


class Occurrence(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is read of a posted transaction, in the API's own names."""

    transaction_id: str
    account_id: str
    date: dt.date
    # Positive when it leaves the account.
    amount: float
    name: str
    iso_currency_code: str | None = None
    unofficial_currency_code: str | None = None
    merchant_name: str | None = None
    personal_finance_category: PersonalFinanceCategory | None = None
    category: list[str] | None = None
    category_id: str | None = None


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """Transactions that recur, and what is expected of them."""

    stream_id: str
    inflow: bool
    # The oldest first.
    occurrences: list[Occurrence]
    frequency: RecurringTransactionFrequency
    status: TransactionStreamStatus
    average_amount: float
    # None once the stream has ended.
    predicted_next_date: dt.date | None

    @property
    def first(self) -> Occurrence:
        return self.occurrences[0]

    @property
    def last(self) -> Occurrence:
        return self.occurrences[-1]


class _Group(NamedTuple):
    """What the transactions of a stream have in common."""

    account_id: str
    inflow: bool
    counterparty: str
    iso_currency_code: str | None
    unofficial_currency_code: str | None


class _Recurring(NamedTuple):
    occurrences: list[Occurrence]
    rhythm: Rhythm

    @property
    def found_on(self) -> dt.date:
        """The day since when it could be seen, which later occurrences do not change."""
        mature = self.rhythm.cadence.mature
        return self.occurrences[min(len(self.occurrences), mature) - 1].date


def find_streams(occurrences: list[Occurrence], today: dt.date) -> list[Stream]:
    """The streams of each account, in the order in which they began."""
    groups: dict[_Group, list[Occurrence]] = defaultdict(list)
    for one in sorted(occurrences, key=_place):
        if one.amount:
            groups[_group(one)].append(one)
    streams = []
    for group, members in groups.items():
        found = sorted(_find(members), key=lambda one: (one.found_on, _place(one.occurrences[0])))
        streams += [_stream(group, number, one, today) for number, one in enumerate(found)]
    streams.sort(key=lambda one: (one.first.account_id, one.first.date, one.stream_id))
    return streams


def _place(one: Occurrence) -> tuple[dt.date, str]:
    return one.date, one.transaction_id


def _group(one: Occurrence) -> _Group:
    return _Group(
        one.account_id,
        one.amount < 0,
        (one.merchant_name or _without_references(one.name)).casefold(),
        one.iso_currency_code,
        one.unofficial_currency_code,
    )


def _without_references(name: str) -> str:
    """The words of a description, without the dates and numbers that differ each time."""
    words = _WORD.findall(_REFERENCE.sub(" ", name)) or _WORD.findall(name)
    return " ".join(words) or name


def _find(members: list[Occurrence]) -> list[_Recurring]:
    """The streams among what one counterparty took or gave. The members stand in order."""
    parts = _by_amount(members, _APART)
    several = _all_recurring(parts) if len(parts) > 1 else []
    if several and _side_by_side(several):
        return several
    whole = _recurring(members)
    if whole is not None:
        return [whole]
    return _pick_out(members) if len(members) > _ENOUGH else []


def _pick_out(members: list[Occurrence]) -> list[_Recurring]:
    """The streams of one price each, among single purchases or interrupted for a time."""
    found = []
    for ratio in (1.0, _ALIKE):
        rest: list[Occurrence] = []
        for part in _by_amount(members, ratio):
            recurring = _all_recurring(_runs(part))
            found += recurring
            rest += [] if recurring else part
        members = sorted(rest, key=_place)
    return found


def _all_recurring(parts: list[list[Occurrence]]) -> list[_Recurring]:
    """Each part as a stream of its own; nothing unless all of them are beyond a coincidence."""
    if min(len(part) for part in parts) < _ENOUGH:
        return []
    found = [one for part in parts if (one := _recurring(part))]
    return found if len(found) == len(parts) else []


def _recurring(members: list[Occurrence]) -> _Recurring | None:
    """The stream that these are as a whole, if they are one."""
    if len(members) < _ENOUGH and len(_by_amount(members, _ALIKE)) > 1:
        return None
    rhythm = find_rhythm([one.date for one in members])
    return _Recurring(members, rhythm) if rhythm else None


def _by_amount(members: list[Occurrence], ratio: float) -> list[list[Occurrence]]:
    """The members in parts, each with neighbouring amounts within the ratio, and in order."""
    part_of: dict[float, int] = {}
    part, highest = 0, math.inf
    for amount in sorted({abs(one.amount) for one in members}):
        part += amount > highest * ratio
        part_of[amount], highest = part, amount
    parts: dict[int, list[Occurrence]] = defaultdict(list)
    for one in members:
        parts[part_of[abs(one.amount)]].append(one)
    return list(parts.values())


def _runs(members: list[Occurrence]) -> list[list[Occurrence]]:
    """The members in runs that long breaks divide, without a last one that is too short yet."""
    if len(members) < _ENOUGH:
        return [members]
    gaps = [(after.date - before.date).days for before, after in pairwise(members)]
    longest = _INTERRUPTION * median_low(gaps)
    runs = [members[:1]]
    for one, gap in zip(members[1:], gaps, strict=True):
        if gap > longest:
            runs.append([])
        runs[-1].append(one)
    return runs if len(runs[-1]) >= _ENOUGH else runs[:-1] or runs


def _side_by_side(found: list[_Recurring]) -> bool:
    """Whether all ran at the same time. Prices that follow each other are of one thing."""
    last_begin = max(one.occurrences[0].date for one in found)
    return last_begin < min(one.occurrences[-1].date for one in found)


def _stream(group: _Group, number: int, found: _Recurring, today: dt.date) -> Stream:
    occurrences, rhythm = found
    predicted = rhythm.next_day
    ended = today > predicted + dt.timedelta(days=_GRACE_DAYS)
    if ended:
        status = TransactionStreamStatus.TOMBSTONED
    elif len(occurrences) >= rhythm.cadence.mature:
        status = TransactionStreamStatus.MATURE
    else:
        status = TransactionStreamStatus.EARLY_DETECTION
    return Stream(
        stream_id=_stream_id(group, number),
        inflow=group.inflow,
        occurrences=occurrences,
        frequency=rhythm.cadence.frequency,
        status=status,
        average_amount=_average(occurrences),
        predicted_next_date=None if ended else predicted,
    )


def _stream_id(group: _Group, number: int) -> str:
    """The same for as long as the stream grows: it names what the stream was found by."""
    name = msgspec.json.encode(("stream", group, number))
    return compose_identifier(hashlib.sha256(name).digest())


def _average(occurrences: list[Occurrence]) -> float:
    average = math.fsum(one.amount for one in occurrences) / len(occurrences)
    # Currencies that are not official, such as cryptocurrencies, are counted in small fractions.
    return round(average, 8 if occurrences[0].iso_currency_code is None else 2)
