"""Lists of transactions as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import msgspec

from treadle.bank.entries import Shown
from treadle.enrichment.taxonomy import icon_url
from treadle.views.transaction import category_view
from treadle.wire.common import PersonalFinanceCategoryVersion, Transaction

_decode = msgspec.json.Decoder(Transaction).decode


class Options(Protocol):
    """The members that the options of all operations share."""

    include_original_description: bool | None


def transactions_view(stored: Sequence[Shown], options: Options) -> list[Transaction]:
    if shown_as_stored(options):
        joined = ",".join([one.data_json for one in stored])
        # What stands in the database is not decoded only to be encoded again.
        return cast("list[Transaction]", msgspec.Raw(f"[{joined}]".encode()))
    transactions = [_decode(one.data_json) for one in stored]
    for one, transaction in zip(stored, transactions, strict=True):
        show_with_options(transaction, options, one.original_description)
    return transactions


def shown_as_stored(options: Options) -> bool:
    return not options.include_original_description and not _in_first_version(options)


def show_with_options(
    transaction: Transaction, options: Options, original_description: str | None
) -> None:
    if options.include_original_description:
        transaction.original_description = original_description
    if _in_first_version(options):
        _show_first_version(transaction)


def _in_first_version(options: Options) -> bool:
    # `/processor/transactions/get` has no such option.
    version = getattr(options, "personal_finance_category_version", None)
    return version is PersonalFinanceCategoryVersion.V1


def _show_first_version(transaction: Transaction) -> None:
    """Categories are stored in the second version, which few ask to have otherwise."""
    category = transaction.personal_finance_category
    if not category:
        return
    shown = category_view(
        category.detailed, category.confidence_level, PersonalFinanceCategoryVersion.V1
    )
    transaction.personal_finance_category = shown
    transaction.personal_finance_category_icon_url = icon_url(shown.primary)
