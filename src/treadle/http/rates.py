"""How often the API's documentation lets an operation be called, for each Item and each client.

Each process counts for itself, in windows that slide: what the window before had counts by the
share of it that is still within reach. An operation that takes access away is never limited, and
neither is one for which no number is documented.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cachetools import LRUCache

from treadle.clock import stopwatch
from treadle.faults.documented import documented_error, rate_limit_code

_TYPE = "RATE_LIMIT_EXCEEDED"
# Counts that are kept at once. One that has long not moved gives way, and begins anew.
_MOST_WINDOWS = 100_000


class Rate(NamedTuple):
    times: int
    seconds: int = 60


class Rates(NamedTuple):
    of_item: Rate | None
    of_client: Rate | None


def _each(
    production: tuple[int | None, int], sandbox: tuple[int | None, int] | None = None
) -> tuple[Rates, Rates]:
    """By minute: of an Item and of a client in production, and the same in the sandbox."""
    one, other = [
        Rates(None if of_item is None else Rate(of_item), Rate(of_client))
        for of_item, of_client in (production, sandbox or production)
    ]
    return one, other


_SIGNAL = Rate(70, 3_600)

# In production, and in the sandbox.
RATES: dict[str, tuple[Rates, Rates]] = {
    "/accounts/balance/get": _each((5, 1_200), (25, 100)),
    "/accounts/get": _each((15, 15_000), (100, 5_000)),
    "/auth/get": _each((15, 12_000), (100, 500)),
    "/identity/get": _each((15, 2_000), (100, 1_000)),
    "/institutions/get": _each((None, 50), (None, 10)),
    "/institutions/get_by_id": _each((None, 400)),
    "/investments/auth/get": _each((15, 500)),
    "/investments/holdings/get": _each((15, 2_000), (100, 1_000)),
    "/investments/refresh": _each((1, 100)),
    "/investments/transactions/get": _each((30, 20_000), (100, 1_000)),
    "/item/get": _each((15, 5_000), (40, 5_000)),
    "/liabilities/get": _each((15, 1_000), (10, 1_000)),
    "/processor/token/create": _each((None, 500)),
    "/sandbox/transactions/create": _each((2, 50)),
    "/signal/decision/report": _each((None, 4_000)),
    "/signal/evaluate": (Rates(_SIGNAL, Rate(20, 1)), Rates(_SIGNAL, Rate(30, 1))),
    "/signal/prepare": _each((None, 2_000)),
    "/signal/return/report": _each((None, 4_000)),
    "/transactions/enrich": _each((None, 100)),
    "/transactions/get": _each((30, 20_000), (80, 1_000)),
    "/transactions/recurring/get": _each((20, 1_000)),
    "/transactions/refresh": _each((2, 100)),
    "/transactions/sync": _each((50, 2_500), (50, 1_000)),
}
# Where an Item's limit has another code than the client's.
_CODES_OF_ITEM = {"/accounts/balance/get": "BALANCE_LIMIT"}


class RateLimits:
    def __init__(self, *, sandbox: bool, now: Callable[[], float] = stopwatch) -> None:
        self._rates = {path: both[sandbox] for path, both in RATES.items()}
        self._now = now
        self._windows: LRUCache[tuple[str, str], _Window] = LRUCache(_MOST_WINDOWS)

    def check(self, path: str, client_id: str, item_id: str | None) -> None:
        """Count a call. Raises ApiError, and counts nothing, when it is one too many."""
        rates = self._rates.get(path)
        if rates is None:
            return
        code = rate_limit_code(path)
        windows = [
            self._with_room(rate, (path, who), code_of_who)
            for rate, who, code_of_who in (
                (rates.of_item, item_id, _CODES_OF_ITEM.get(path, code)),
                (rates.of_client, client_id, code),
            )
            if rate is not None and who is not None
        ]
        for window in windows:
            window.count += 1

    def _with_room(self, rate: Rate, key: tuple[str, str], code: str) -> _Window:
        now = self._now()
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(now)
        window.slide(now, rate.seconds)
        if window.within_reach(now, rate.seconds) >= rate.times:
            kind = documented_error(code, _TYPE)
            assert kind is not None  # noqa: S101, a test provokes each
            raise kind()
        return window


class _Window:
    def __init__(self, start: float) -> None:
        self.start = start
        self.count = 0
        self.count_before = 0

    def slide(self, now: float, seconds: int) -> None:
        passed = int((now - self.start) // seconds)
        if passed:
            self.count_before = self.count if passed == 1 else 0
            self.count = 0
            self.start += passed * seconds

    def within_reach(self, now: float, seconds: int) -> float:
        """How many calls the last `seconds` had, those of the window before taken as even."""
        return self.count + self.count_before * (1 - (now - self.start) / seconds)
