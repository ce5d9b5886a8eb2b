"""What a bank itself tells of a transaction, in the place of what was made out."""

from __future__ import annotations

from msgspec import structs

from treadle.bank.model import TransactionData
from treadle.enrichment.enrichment import TRANSACTION_TYPES, Enrichment, Payee
from treadle.wire.common import CounterpartyType

_CERTAIN = "VERY_HIGH"


def as_told(made_out: Enrichment, told: TransactionData) -> Enrichment:
    known = made_out
    if told.counterparties is not None:
        parties = [
            Payee(one.name, one.type, one.website, None, _CERTAIN) for one in told.counterparties
        ]
        merchants = [one for one in parties if one.type is CounterpartyType.MERCHANT]
        known = structs.replace(
            known,
            merchant=merchants[0] if merchants else None,
            others=tuple(one for one in parties if one not in merchants[:1]),
        )
    if told.merchant_name is not None and (
        known.merchant is None or known.merchant.name != told.merchant_name
    ):
        merchant = Payee(told.merchant_name, CounterpartyType.MERCHANT, None, None, _CERTAIN)
        known = structs.replace(known, merchant=merchant)
    if told.detailed_category is not None:
        known = structs.replace(known, detailed=told.detailed_category, confidence_level=_CERTAIN)
    if told.payment_channel is not None:
        known = structs.replace(
            known,
            channel=told.payment_channel,
            transaction_type=TRANSACTION_TYPES[told.payment_channel],
        )
    if told.check_number is not None:
        known = structs.replace(known, check_number=told.check_number)
    return known
