"""An Item as the API shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from treadle.bank.rows import Item
from treadle.http.errors import FORCED, ErrorKind
from treadle.views.consent import consented_products
from treadle.wire import common as wire
from treadle.wire.common import PlaidError, PlaidErrorType, Products


def item_view(item: Item, now: int, institution_name: str | None) -> wire.Item:
    return wire.Item(**item_fields(item, now, institution_name))


def item_fields(item: Item, now: int, institution_name: str | None) -> dict[str, Any]:
    """The members that every form of the Item shares."""
    billed = _products(item.billed_products)
    return {
        "item_id": item.item_id,
        # Recorded answers show the empty string where no webhook is set.
        "webhook": item.webhook or "",
        "error": error_view(item, now),
        "available_products": _products(item.available_products),
        "billed_products": billed,
        "products": billed,
        "consented_products": _products(
            consented_products(item.billed_products, item.available_products)
        ),
        "consent_expiration_time": None,
        "update_type": "background",
        # An account that is known by its numbers alone has no institution.
        "institution_id": item.institution_id or None,
        "institution_name": institution_name,
    }


def _products(names: Iterable[str]) -> list[Products]:
    """Lists of products are in alphabetical order, however they came about."""
    return [Products(name) for name in sorted(names)]


def error_view(item: Item, now: int) -> PlaidError | None:
    code = item.error_at(now)
    return None if code is None else error_kind_view(FORCED[code])


def error_kind_view(kind: ErrorKind) -> PlaidError:
    """An error as Items and webhooks show it."""
    return PlaidError(
        error_type=PlaidErrorType(kind.error_type),
        error_code=kind.error_code,
        error_message=kind.message,
        display_message=kind.display_message,
        status=kind.status,
    )
