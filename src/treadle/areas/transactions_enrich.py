"""Enriching transactions that the caller has from elsewhere."""

from __future__ import annotations

import math
import re

from msgspec import structs

from treadle.call import ClientCall
from treadle.enrichment.enrichment import Enrichment, enrich
from treadle.enrichment.taxonomy import icon_url, legacy_category
from treadle.enrichment.text import Place
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import operation
from treadle.views.transaction import category_view, location_view
from treadle.wire.common import AccountType, Location, PersonalFinanceCategoryVersion
from treadle.wire.transactions import (
    ClientProvidedEnrichedTransaction,
    ClientProvidedTransaction,
    Counterparty,
    Enrichments,
    EnrichTransactionDirection,
    TransactionsEnrichRequest,
    TransactionsEnrichRequestOptions,
    TransactionsEnrichResponse,
)

_MAX_TRANSACTIONS = 100
_ACCOUNT_TYPES = (AccountType.DEPOSITORY, AccountType.CREDIT)
_CURRENCY = re.compile(r"[A-Z]{3}")
_MCC = re.compile(r"[0-9]{4}")
# What the answer repeats of a transaction.
_REPEATED = (
    "id",
    "description",
    "amount",
    "iso_currency_code",
    "direction",
    "client_user_id",
    "client_account_id",
    "account_type",
    "account_subtype",
)


@operation("/transactions/enrich", gate=ClientGate())
async def transactions_enrich(
    call: ClientCall, request: TransactionsEnrichRequest
) -> TransactionsEnrichResponse:
    options = request.options or TransactionsEnrichRequestOptions()
    _check(request)
    return TransactionsEnrichResponse(
        enriched_transactions=[
            _enriched(given, AccountType(request.account_type), options)
            for given in request.transactions
        ],
        request_id=call.request_id,
    )


def _check(request: TransactionsEnrichRequest) -> None:
    """Raises ApiError that names what is wrong first."""
    if request.account_type not in _ACCOUNT_TYPES:
        choices = " or ".join(f'"{one}"' for one in _ACCOUNT_TYPES)
        raise errors.INVALID_FIELD(problem=f"account_type must be {choices}")
    if not 1 <= len(request.transactions) <= _MAX_TRANSACTIONS:
        problem = f"transactions must be a list of 1 to {_MAX_TRANSACTIONS} transactions"
        raise errors.INVALID_FIELD(problem=problem)
    ids: set[str] = set()
    for number, given in enumerate(request.transactions):
        if fault := _fault(given, ids):
            raise errors.INVALID_FIELD(problem=f"transactions[{number}].{fault}")
        ids.add(given.id)


def _fault(given: ClientProvidedTransaction, ids: set[str]) -> str | None:
    """What is wrong with a transaction, of those after which `ids` are taken."""
    if not given.id:
        return "id must be a non-empty string"
    if given.id in ids:
        return "id must be unique among the transactions"
    if not given.description.strip():
        return "description must be a non-empty string"
    if not (math.isfinite(given.amount) and given.amount >= 0):
        return "amount must be at least 0; direction says which way the money went"
    if not _CURRENCY.fullmatch(given.iso_currency_code):
        return 'iso_currency_code must be an ISO 4217 code such as "USD"'
    if given.mcc is not None and not _MCC.fullmatch(given.mcc):
        return "mcc must be four digits"
    return None


def _enriched(
    given: ClientProvidedTransaction,
    account_type: AccountType,
    options: TransactionsEnrichRequestOptions,
) -> ClientProvidedEnrichedTransaction:
    inflow = given.direction is EnrichTransactionDirection.INFLOW
    amount = -given.amount if inflow else given.amount
    enriched = enrich(given.description, amount, account_type=account_type, mcc=given.mcc)
    repeated = {name: getattr(given, name) for name in _REPEATED}
    return ClientProvidedEnrichedTransaction(
        **{name: value for name, value in repeated.items() if value is not None},
        enrichments=_enrichments(given, enriched, options),
    )


def _enrichments(
    given: ClientProvidedTransaction,
    enriched: Enrichment,
    options: TransactionsEnrichRequestOptions,
) -> Enrichments:
    version = options.personal_finance_category_version or PersonalFinanceCategoryVersion.V2
    category = category_view(enriched.detailed, enriched.confidence_level, version)
    legacy = legacy_category(enriched.detailed) if options.include_legacy_category else None
    first = next(iter(enriched.counterparties), None)
    return Enrichments(
        counterparties=[
            Counterparty(**structs.asdict(one), logo_url=None, phone_number=None)
            for one in enriched.counterparties
        ],
        location=_location(given, enriched.place),
        logo_url=None,
        merchant_name=first.name if first else None,
        payment_channel=enriched.channel,
        phone_number=None,
        personal_finance_category=category,
        personal_finance_category_icon_url=icon_url(category.primary),
        website=first.website if first else None,
        check_number=enriched.check_number,
        entity_id=first.entity_id if first else None,
        legacy_category_id=legacy[0] if legacy else None,
        legacy_category=legacy[1] if legacy else None,
    )


def _location(given: ClientProvidedTransaction, place: Place) -> Location:
    """Where the caller says that it was, and else what the description tells."""
    location = location_view(place)
    if given.location:
        for name, value in structs.asdict(given.location).items():
            if value is not None:
                setattr(location, name, value)
    return location
