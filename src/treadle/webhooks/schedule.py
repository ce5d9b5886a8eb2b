"""When a webhook that was rejected is sent again, and when that is given up.

The figures are the documented ones but for the least number of attempts, without which one
failure would be more than 90 %.
"""

from __future__ import annotations

from treadle.clock import DAY, SECOND

FIRST_DELAY = 30 * SECOND
_FACTOR = 4
LONGEST = DAY

# What is looked at to tell whether an endpoint rejects nearly everything.
WINDOW = DAY
_REJECTED_PERCENT = 90
_LEAST_ATTEMPTS = 100
# Beyond so many attempts of either kind nothing is counted: an endpoint that accepted a ninth of
# it is not given up on early.
COUNT_LIMIT = 2_000


def next_attempt(created_at: int, attempts: int, now: int) -> int | None:
    """The instant of the attempt after `attempts` failed ones; None when it would be too late."""
    at = now + FIRST_DELAY * _FACTOR ** (attempts - 1)
    return at if at <= created_at + LONGEST else None


def rejects_nearly_all(accepted: int, rejected: int) -> bool:
    """Whether an endpoint that did this within the window is not worth a retry."""
    total = accepted + rejected
    return total >= _LEAST_ATTEMPTS and rejected * 100 > total * _REJECTED_PERCENT
