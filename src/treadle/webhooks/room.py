"""How many webhooks may be on their way at once, so that no receiver holds up another's."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from treadle.webhooks.bell import Line

K = TypeVar("K")

_MAX_REMEMBERED = 10_000


class Room:
    """What is on its way from this process.

    A client may have half of what the others leave free, so that something is left for one that
    comes later. An endpoint that let the last webhook time out has room for few.
    """

    def __init__(self, total: int, per_endpoint: int, per_slow_endpoint: int) -> None:
        self._total = total
        self._per_endpoint = per_endpoint
        self._per_slow_endpoint = per_slow_endpoint
        self._clients: Counter[str] = Counter()
        self._lines: Counter[Line] = Counter()
        self._slow: set[Line] = set()

    def places(self, line: Line) -> int:
        """How many more may be sent here now."""
        mine = self._clients[line.client_id]
        others = self._clients.total() - mine
        limit = self._per_slow_endpoint if line in self._slow else self._per_endpoint
        return max(min((self._total - others) // 2 - mine, limit - self._lines[line]), 0)

    def enter(self, line: Line, count: int = 1) -> None:
        self._clients[line.client_id] += count
        self._lines[line] += count

    def leave(self, line: Line, count: int = 1) -> None:
        _take(self._clients, line.client_id, count)
        _take(self._lines, line, count)

    def note(self, line: Line, *, timed_out: bool) -> None:
        """Remember how an endpoint took the last webhook."""
        if not timed_out:
            self._slow.discard(line)
        elif len(self._slow) < _MAX_REMEMBERED:
            self._slow.add(line)


def _take(counter: Counter[K], key: K, count: int) -> None:
    counter[key] -= count
    if not counter[key]:
        del counter[key]
