"""A transaction as the API shows it by default."""

from __future__ import annotations

import msgspec
from msgspec import structs

from treadle.bank.model import SourceTransaction
from treadle.enrichment.enrichment import Enrichment, enrich
from treadle.enrichment.taxonomy import first_version, icon_url, primary_category
from treadle.enrichment.text import Place
from treadle.enrichment.told import as_told
from treadle.wire import common as wire
from treadle.wire.common import (
    AccountType,
    PersonalFinanceCategoryVersion,
    TransactionAllOfPaymentChannel,
)


def transaction_view(
    shown: SourceTransaction,
    account_type: AccountType,
    transaction_id: str,
    pending_transaction_id: str | None,
) -> wire.Transaction:
    made_out = enrich(
        shown.description,
        shown.amount,
        account_type=account_type,
        mcc=shown.merchant_category_code,
    )
    enriched = as_told(made_out, shown)
    merchant = enriched.merchant
    return wire.Transaction(
        account_id=shown.account_id,
        transaction_id=transaction_id,
        amount=shown.amount,
        iso_currency_code=shown.iso_currency_code,
        unofficial_currency_code=shown.unofficial_currency_code,
        date=shown.date,
        authorized_date=shown.authorized_date,
        authorized_datetime=shown.authorized_datetime,
        datetime=shown.datetime,
        name=enriched.name,
        merchant_name=merchant.name if merchant else None,
        merchant_entity_id=merchant.entity_id if merchant else None,
        website=merchant.website if merchant else None,
        logo_url=None,
        counterparties=[
            wire.TransactionCounterparty(**structs.asdict(one), logo_url=None)
            for one in enriched.counterparties
        ],
        personal_finance_category=category_view(
            enriched.detailed, enriched.confidence_level, PersonalFinanceCategoryVersion.V2
        ),
        personal_finance_category_icon_url=icon_url(enriched.primary),
        category=None,
        category_id=None,
        check_number=enriched.check_number,
        pending=shown.pending,
        pending_transaction_id=pending_transaction_id,
        account_owner=None,
        location=location_view(enriched.place),
        payment_meta=_payment_meta(enriched),
        payment_channel=TransactionAllOfPaymentChannel(enriched.channel),
        transaction_type=enriched.transaction_type,
        transaction_code=None,
    )


def category_view(
    detailed: str,
    confidence_level: str | msgspec.UnsetType | None,
    version: PersonalFinanceCategoryVersion,
) -> wire.PersonalFinanceCategory:
    """A category of the second version, in the version that is asked for."""
    if version is PersonalFinanceCategoryVersion.V1:
        detailed = first_version(detailed)
    return wire.PersonalFinanceCategory(
        primary=primary_category(detailed, version),
        detailed=detailed,
        confidence_level=confidence_level,
        version=version,
    )


def location_view(place: Place) -> wire.Location:
    return wire.Location(
        address=None,
        city=place.city,
        region=place.region,
        postal_code=None,
        country=place.country,
        lat=None,
        lon=None,
        store_number=place.store_number,
    )


def _payment_meta(enriched: Enrichment) -> wire.PaymentMeta:
    return wire.PaymentMeta(
        reference_number=None,
        ppd_id=enriched.ppd_id,
        payee=None,
        by_order_of=None,
        payer=None,
        payment_method=enriched.payment_method,
        payment_processor=enriched.payment_processor,
        reason=None,
    )
