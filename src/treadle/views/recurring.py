"""A recurring stream as the API shows it."""

from __future__ import annotations

from treadle.bank.recurring import Occurrence, Stream
from treadle.wire import common as wire
from treadle.wire.common import TransactionStreamStatus


def stream_view(stream: Stream) -> wire.TransactionStream:
    """Named, and put in its category, as its newest transaction is."""
    last = stream.last
    return wire.TransactionStream(
        account_id=last.account_id,
        stream_id=stream.stream_id,
        category=last.category,
        category_id=last.category_id,
        description=last.name,
        merchant_name=last.merchant_name,
        first_date=stream.first.date,
        last_date=last.date,
        frequency=stream.frequency,
        transaction_ids=[one.transaction_id for one in stream.occurrences],
        average_amount=_amount_view(last, stream.average_amount),
        last_amount=_amount_view(last, last.amount),
        is_active=stream.status is not TransactionStreamStatus.TOMBSTONED,
        status=stream.status,
        is_user_modified=False,
        predicted_next_date=stream.predicted_next_date,
        personal_finance_category=last.personal_finance_category,
    )


def _amount_view(one: Occurrence, amount: float) -> wire.TransactionStreamAmount:
    return wire.TransactionStreamAmount(
        amount=amount,
        iso_currency_code=one.iso_currency_code,
        unofficial_currency_code=one.unofficial_currency_code,
    )
