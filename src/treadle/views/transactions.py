"""Lists of transactions as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import msgspec

from treadle.wire.common import RemovedTransaction, Transaction

_decode = msgspec.json.Decoder(Transaction).decode


class Stored(Protocol):
    data_json: str
    original_description: str | None


class Options(Protocol):
    """The members that the options of all operations share."""

    include_original_description: bool | None


def transactions_view(stored: Sequence[Stored], options: Options) -> list[Transaction]:
    if not options.include_original_description:
        return cast("list[Transaction]", _joined(stored))
    shown = []
    for one in stored:
        transaction = _decode(one.data_json)
        transaction.original_description = one.original_description
        shown.append(transaction)
    return shown


def removed_view(stored: Sequence[Stored]) -> list[RemovedTransaction]:
    return cast("list[RemovedTransaction]", _joined(stored))


def _joined(stored: Sequence[Stored]) -> msgspec.Raw:
    """A list of what stands in the database just as the API shows it, so it is not decoded."""
    return msgspec.Raw(f"[{','.join([one.data_json for one in stored])}]".encode())
