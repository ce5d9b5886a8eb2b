"""From the description on a statement to who was paid, for what, and how.

The first that knows decides: a movement of money, a known merchant, the merchant category code,
a trade that the name speaks of. What none of them knows gets the widest category, of low
confidence.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from treadle.enrichment import text
from treadle.enrichment.merchants import Mention, Merchant, entity_id, find_merchants
from treadle.enrichment.rules import RULES, Trade, find_trade, mcc_category, movement_category
from treadle.enrichment.taxonomy import V2
from treadle.enrichment.text import NOWHERE, Place
from treadle.wire.common import (
    AccountType,
    CounterpartyType,
    PaymentChannel,
    TransactionBaseTransactionType,
)

_PURCHASE = "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE"
_RECEIPT = "INCOME_OTHER"
_VERY_HIGH, _HIGH, _MEDIUM, _LOW = "VERY_HIGH", "HIGH", "MEDIUM", "LOW"
_ONLINE_WORDS = frozenset({"COM", "WWW", "HTTP", "HTTPS", "ONLINE"})
_TRANSFERS = frozenset({"TRANSFER_IN", "TRANSFER_OUT"})
_PAYS = frozenset({CounterpartyType.INCOME_SOURCE, CounterpartyType.FINANCIAL_INSTITUTION})
# Of whose categories nobody is a merchant.
_WITHOUT_MERCHANT = _TRANSFERS | {"INCOME", "LOAN_PAYMENTS", "LOAN_DISBURSEMENTS", "BANK_FEES"}
# What a purchase through a channel is in the older of the two ways to tell.
TRANSACTION_TYPES = {
    PaymentChannel.ONLINE: TransactionBaseTransactionType.DIGITAL,
    PaymentChannel.IN_STORE: TransactionBaseTransactionType.PLACE,
    PaymentChannel.OTHER: TransactionBaseTransactionType.UNRESOLVED,
}


class Payee(msgspec.Struct, frozen=True):
    """Somebody whom a description names."""

    name: str
    type: CounterpartyType
    website: str | None
    entity_id: str | None
    confidence_level: str


class _Known(msgspec.Struct, frozen=True):
    """What is known beside the description."""

    inflow: bool
    account_type: AccountType
    mcc: str | None


class Enrichment(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    merchant: Payee | None = None
    # Those that carried the money, or pay an income.
    others: tuple[Payee, ...] = ()
    detailed: str
    confidence_level: str
    channel: PaymentChannel = PaymentChannel.OTHER
    transaction_type: TransactionBaseTransactionType = TransactionBaseTransactionType.SPECIAL
    check_number: str | None = None
    place: Place = NOWHERE
    ppd_id: str | None = None
    payment_method: str | None = None
    payment_processor: str | None = None

    @property
    def primary(self) -> str:
        return V2[self.detailed]

    @property
    def counterparties(self) -> tuple[Payee, ...]:
        return self.others if self.merchant is None else (self.merchant, *self.others)


def enrich(
    description: str, amount: float, *, account_type: AccountType, mcc: str | None = None
) -> Enrichment:
    """What a description tells. A positive amount is money that leaves the account."""
    # Long descriptions are rare, and would fill the memory.
    read = _read_again if len(description) <= text.MAX_LENGTH else _read
    return read(description, _Known(amount < 0, account_type, mcc))


def _read(description: str, known: _Known) -> Enrichment:
    all_words = text.without_opening(text.split_words(description))
    words = [word for word in all_words if not text.is_reference(word)]
    seller, carrier = find_merchants(words, text.count_prefixes(words))
    check = text.check_number(all_words)
    moved = _movement(words, check, carrier, known.inflow)
    if moved:
        return Enrichment(
            name=text.plain_name(description),
            others=(_payee(carrier),) if carrier else (),
            detailed=moved,
            confidence_level=_VERY_HIGH,
            check_number=check,
            ppd_id=text.ppd_id(description),
            payment_method="ACH" if "ACH" in words else None,
        )
    if seller:
        return _sold(seller, all_words, words, carrier, known.inflow)
    return _unknown(description, all_words, words, carrier, known)


# Most descriptions come again, each month or with each customer of a shop.
_read_again = lru_cache(maxsize=8_192)(_read)


def _movement(
    words: list[str], check: str | None, carrier: Merchant | None, inflow: bool
) -> str | None:
    """The category of what is no purchase."""
    if check:
        return RULES.check.category(inflow)
    moved = movement_category(words, inflow)
    by_app = carrier is not None and carrier.type is CounterpartyType.PAYMENT_APP
    if carrier and by_app and moved and V2[moved] in _TRANSFERS:
        return _directed(carrier, inflow)
    return moved


def _sold(
    mention: Mention,
    all_words: list[str],
    words: list[str],
    carrier: Merchant | None,
    inflow: bool,
) -> Enrichment:
    """By a known merchant. Money that comes back from it keeps the category."""
    merchant = mention.merchant
    online = not _ONLINE_WORDS.isdisjoint(words)
    channel = PaymentChannel.ONLINE if online else merchant.channel
    in_store = channel is PaymentChannel.IN_STORE
    return Enrichment(
        name=merchant.name,
        merchant=_payee(merchant),
        others=(_payee(carrier),) if carrier else (),
        detailed=_directed(merchant, inflow),
        confidence_level=_VERY_HIGH,
        channel=channel,
        transaction_type=TRANSACTION_TYPES[channel],
        place=text.read_place(_behind(all_words, mention.end)) if in_store else NOWHERE,
        payment_processor=carrier.name if carrier else None,
    )


def _unknown(
    description: str,
    all_words: list[str],
    words: list[str],
    carrier: Merchant | None,
    known: _Known,
) -> Enrichment:
    """By nobody known: what the code, the name's own words and the carrier tell."""
    others = (_payee(carrier),) if carrier else ()
    trade = find_trade(words)
    by_code = mcc_category(known.mcc) if known.mcc else None
    if by_code:
        detailed, confidence = by_code, _HIGH
    elif trade and not _is_bank(carrier):
        detailed, confidence = trade.category, _MEDIUM
    elif carrier:
        detailed, confidence = _directed(carrier, known.inflow), _MEDIUM
    else:
        paid_in = known.inflow and known.account_type is not AccountType.CREDIT
        detailed, confidence = (_RECEIPT if paid_in else _PURCHASE), _LOW
    if V2[detailed] in _WITHOUT_MERCHANT or (carrier and carrier.type in _PAYS):
        return Enrichment(
            name=text.plain_name(description),
            others=others,
            detailed=detailed,
            confidence_level=confidence,
        )
    place = text.read_place(text.tail_behind_number(all_words))
    name = text.tidy_name(description, place)
    channel = _channel(words, trade, carrier, place)
    return Enrichment(
        name=name,
        merchant=Payee(name, CounterpartyType.MERCHANT, None, None, confidence),
        others=others,
        detailed=detailed,
        confidence_level=confidence,
        channel=channel,
        transaction_type=TRANSACTION_TYPES[channel],
        place=place if channel is PaymentChannel.IN_STORE else NOWHERE,
        payment_processor=carrier.name if carrier else None,
    )


def _is_bank(carrier: Merchant | None) -> bool:
    return carrier is not None and carrier.type is CounterpartyType.FINANCIAL_INSTITUTION


def _channel(
    words: list[str], trade: Trade | None, carrier: Merchant | None, place: Place
) -> PaymentChannel:
    if not _ONLINE_WORDS.isdisjoint(words):
        return PaymentChannel.ONLINE
    if carrier:
        return carrier.channel
    if trade:
        return trade.channel
    return PaymentChannel.IN_STORE if place.region else PaymentChannel.OTHER


def _payee(merchant: Merchant) -> Payee:
    return Payee(merchant.name, merchant.type, merchant.website, entity_id(merchant), _VERY_HIGH)


def _directed(merchant: Merchant, inflow: bool) -> str:
    return merchant.inflow if inflow and merchant.inflow else merchant.category


def _behind(all_words: list[str], end: int) -> list[str]:
    """The words behind the first `end` ones that are no references."""
    for place, word in enumerate(all_words):
        if end == 0:
            return all_words[place:]
        end -= not text.is_reference(word)
    return []
