"""A transaction as the API shows it by default."""

from __future__ import annotations

from treadle.bank.model import SourceTransaction
from treadle.wire import common as wire
from treadle.wire.common import AccountType, TransactionAllOfPaymentChannel

_NOWHERE = wire.Location(
    address=None,
    city=None,
    region=None,
    postal_code=None,
    country=None,
    lat=None,
    lon=None,
    store_number=None,
)
_NO_META = wire.PaymentMeta(
    reference_number=None,
    ppd_id=None,
    payee=None,
    by_order_of=None,
    payer=None,
    payment_method=None,
    payment_processor=None,
    reason=None,
)


def transaction_view(
    shown: SourceTransaction,
    account_type: AccountType,
    transaction_id: str,
    pending_transaction_id: str | None,
) -> wire.Transaction:
    return wire.Transaction(
        account_id=shown.account_id,
        transaction_id=transaction_id,
        amount=shown.amount,
        iso_currency_code=shown.iso_currency_code,
        unofficial_currency_code=shown.unofficial_currency_code,
        date=shown.date,
        authorized_date=shown.authorized_date,
        authorized_datetime=None,
        datetime=None,
        name=shown.description,
        pending=shown.pending,
        pending_transaction_id=pending_transaction_id,
        account_owner=None,
        location=_NOWHERE,
        payment_meta=_NO_META,
        payment_channel=TransactionAllOfPaymentChannel.OTHER,
        transaction_code=None,
    )
