"""Records as the model has them."""

from __future__ import annotations

from treadle.bank.holding import Holding
from treadle.bank.model import Balances, NamedParty
from treadle.enrichment.taxonomy import V2
from treadle.ingest import records
from treadle.ingest.checking import Refused, check_currency, check_date, money, optional_money
from treadle.sources.stored.rows import StoredTransaction


def as_balances(given: records.Balances) -> Balances:
    check_currency(given.iso_currency_code, given.unofficial_currency_code, "balances.")
    return Balances(
        available=optional_money(given.available, "balances.available"),
        current=optional_money(given.current, "balances.current"),
        limit=optional_money(given.limit, "balances.limit"),
        iso_currency_code=given.iso_currency_code,
        unofficial_currency_code=given.unofficial_currency_code,
    )


def as_transaction(record: records.Transaction) -> StoredTransaction:
    check_date(record.date, "date")
    check_date(record.authorized_date, "authorized_date")
    check_currency(record.iso_currency_code, record.unofficial_currency_code)
    if record.pending_transaction_id is not None and record.pending:
        raise Refused("pending_transaction_id must be of a transaction that is pending no more")
    if record.pending_transaction_id == record.transaction_id:
        raise Refused("pending_transaction_id must be that of another transaction")
    category = record.personal_finance_category
    if category is not None and category.detailed not in V2:
        raise Refused("personal_finance_category.detailed must be one of the API's categories")
    parties = record.counterparties
    return StoredTransaction(
        date=record.date,
        amount=money(record.amount, "amount"),
        description=record.description,
        iso_currency_code=record.iso_currency_code,
        unofficial_currency_code=record.unofficial_currency_code,
        authorized_date=record.authorized_date,
        datetime=record.datetime,
        authorized_datetime=record.authorized_datetime,
        pending=record.pending,
        check_number=record.check_number,
        merchant_category_code=record.merchant_category_code,
        merchant_name=record.merchant_name,
        detailed_category=category.detailed if category else None,
        counterparties=None
        if parties is None
        else [NamedParty(one.name, one.type, one.website) for one in parties],
        payment_channel=record.payment_channel,
        pending_transaction_id=record.pending_transaction_id,
    )


def as_holding(given: records.Holding, place: str) -> Holding:
    check_currency(given.iso_currency_code, given.unofficial_currency_code, place)
    check_date(given.institution_price_as_of, f"{place}institution_price_as_of")
    return Holding(
        security_id=given.security_id,
        quantity=money(given.quantity, f"{place}quantity"),
        institution_price=money(given.institution_price, f"{place}institution_price"),
        institution_value=money(given.institution_value, f"{place}institution_value"),
        institution_price_as_of=given.institution_price_as_of,
        cost_basis=optional_money(given.cost_basis, f"{place}cost_basis"),
        vested_quantity=optional_money(given.vested_quantity, f"{place}vested_quantity"),
        vested_value=optional_money(given.vested_value, f"{place}vested_value"),
        iso_currency_code=given.iso_currency_code,
        unofficial_currency_code=given.unofficial_currency_code,
    )
