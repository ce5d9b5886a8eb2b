"""What phrases of a description say when no merchant does: movements of money, and trades."""

from __future__ import annotations

from importlib.resources import files

import msgspec

from treadle.enrichment.phrases import Phrases
from treadle.wire.common import PaymentChannel

# Ranges of merchant category codes that stand for single airlines, car rentals and hotels.
_MCC_RANGES = (
    ("3000", "3299", "TRAVEL_FLIGHTS"),
    ("3351", "3441", "TRAVEL_RENTAL_CARS"),
    ("3501", "3999", "TRAVEL_LODGING"),
)


class Movement(msgspec.Struct, frozen=True):
    """Money that moves without a merchant. A direction without a category is another thing."""

    phrases: list[str] = []
    inflow: str | None = None
    outflow: str | None = None

    def category(self, inflow: bool) -> str | None:
        return self.inflow if inflow else self.outflow


class Trade(msgspec.Struct, frozen=True):
    """A kind of merchant, told by a word of its name."""

    phrases: list[str]
    category: str
    channel: PaymentChannel = PaymentChannel.IN_STORE


class _Rules(msgspec.Struct):
    check: Movement
    movements: list[Movement]
    trades: list[Trade]
    mcc: dict[str, str]


RULES = msgspec.json.decode((files("treadle.enrichment") / "rules.json").read_bytes(), type=_Rules)
_MOVEMENTS = Phrases(
    (phrase, (order, movement))
    for order, movement in enumerate(RULES.movements)
    for phrase in movement.phrases
)
_TRADES = Phrases(
    (phrase, (order, trade)) for order, trade in enumerate(RULES.trades) for phrase in trade.phrases
)


def movement_category(words: list[str], inflow: bool) -> str | None:
    """The category of the first movement, in the order of the rules, that goes this way."""
    first, category = len(RULES.movements), None
    for _, _, (order, movement) in _MOVEMENTS.find(words, 0):
        if order < first and (directed := movement.category(inflow)):
            first, category = order, directed
    return category


def find_trade(words: list[str]) -> Trade | None:
    """The first trade, in the order of the rules, that a name speaks of."""
    found = [ordered for _, _, ordered in _TRADES.find(words, 0)]
    return min(found, key=lambda ordered: ordered[0])[1] if found else None


def mcc_category(mcc: str) -> str | None:
    for first, last, category in _MCC_RANGES:
        if first <= mcc <= last:
            return category
    return RULES.mcc.get(mcc)
