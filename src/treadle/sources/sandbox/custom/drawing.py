"""Values that look random and follow from a seed."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A sequence of values. It depends on the seed and on the labels that led to it, and on
    nothing that was drawn elsewhere."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._drawn = 0

    def of(self, *labels: object) -> Draw:
        """The sequence for something that the labels name."""
        return Draw(hmac.digest(self._seed, repr(labels).encode(), "sha256"))

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        self._drawn += 1
        digest = hmac.digest(self._seed, self._drawn.to_bytes(8), "sha256")
        return low + int.from_bytes(digest) % (high - low + 1)

    def money(self, low: float, high: float) -> float:
        """An amount from low to high, in cents."""
        return self.whole(round(low * 100), round(high * 100)) / 100

    def chance(self, percent: int) -> bool:
        return self.whole(1, 100) <= percent

    def choice(self, options: Sequence[T]) -> T:
        return options[self.whole(0, len(options) - 1)]

    def digits(self, length: int) -> str:
        return str(self.whole(0, 10**length - 1)).zfill(length)
