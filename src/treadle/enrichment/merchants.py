"""The merchants and payees that are known by name."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import msgspec

from treadle.enrichment.phrases import Phrases
from treadle.ids import compose_identifier
from treadle.wire.common import CounterpartyType, PaymentChannel

# Those that sell something themselves, as against those that only carry the money.
_TRADERS = frozenset({CounterpartyType.MERCHANT, CounterpartyType.MARKETPLACE})


class Merchant(msgspec.Struct, frozen=True):
    name: str
    website: str | None
    category: str
    channel: PaymentChannel
    # As on statements, in capitals and without punctuation.
    aliases: list[str]
    type: CounterpartyType = CounterpartyType.MERCHANT
    # Of money that comes in. Without it that is a refund, of the same category.
    inflow: str | None = None

    @property
    def trades(self) -> bool:
        return self.type in _TRADERS


class Mention(msgspec.Struct, frozen=True):
    merchant: Merchant
    # Where in the words it stands.
    start: int
    end: int


class _Chains(msgspec.Struct):
    """Merchants of one trade, by name, of which no more is known than their aliases."""

    category: str
    channel: PaymentChannel
    merchants: dict[str, list[str]]
    type: CounterpartyType = CounterpartyType.MERCHANT
    inflow: str | None = None


def _read_merchants() -> list[Merchant]:
    data = files("treadle.enrichment")
    known = msgspec.json.decode((data / "merchants.json").read_bytes(), type=list[Merchant])
    chains = msgspec.json.decode((data / "chains.json").read_bytes(), type=list[_Chains])
    return known + [
        Merchant(name, None, one.category, one.channel, aliases, one.type, one.inflow)
        for one in chains
        for name, aliases in one.merchants.items()
    ]


MERCHANTS = _read_merchants()
_ALIASES = Phrases((alias, merchant) for merchant in MERCHANTS for alias in merchant.aliases)
_ENTITY_IDS = {
    merchant.name: compose_identifier(hashlib.sha256(merchant.name.encode()).digest())
    for merchant in MERCHANTS
}


def entity_id(merchant: Merchant) -> str:
    return _ENTITY_IDS[merchant.name]


def find_merchants(words: list[str], beginning: int) -> tuple[Mention | None, Merchant | None]:
    """Who sells, and who only carries the money: of each the first, by its longest alias."""
    seller: Mention | None = None
    carrier: Mention | None = None
    for start, end, merchant in _ALIASES.find(words, beginning):
        mention = Mention(merchant, start, end)
        if merchant.trades:
            seller = _first(seller, mention)
        else:
            carrier = _first(carrier, mention)
    return seller, carrier.merchant if carrier else None


def _first(known: Mention | None, other: Mention) -> Mention:
    if known is None or (other.start == known.start and other.end > known.end):
        return other
    return known
