"""Which product each partner read belongs to, and which permissions admit it.

The API publishes no such table; this one follows the names, and `docs/permissions.md` is generated
from it. A permission narrows: what is not listed here for an operation does not admit it.
"""

from __future__ import annotations

import msgspec

from treadle.wire.common import Products

PRODUCT_NAMES: frozenset[str] = frozenset(Products)


class Scope(msgspec.Struct, frozen=True):
    """What a partner's operation needs."""

    # The product that the Item must have; None when the operation reads no product.
    product: Products | None
    # The permissions of which any one admits the operation.
    admitted_by: frozenset[Products]
    # Whether an Item in error refuses it.
    reads_data: bool = True
    # Whether the call adds the product to an Item that could have it.
    initialises: bool = True


def _scope(product: Products, *further: Products, initialises: bool = True) -> Scope:
    return Scope(product, frozenset((product, *further)), initialises=initialises)


_ANY = Scope(None, frozenset())

PROCESSOR_SCOPES: dict[str, Scope] = {
    "/processor/account/get": _ANY,
    "/processor/token/webhook/update": Scope(None, frozenset(), reads_data=False),
    "/processor/auth/get": _scope(Products.AUTH),
    "/processor/balance/get": _scope(Products.BALANCE),
    "/processor/identity/get": _scope(Products.IDENTITY),
    "/processor/identity/match": _scope(Products.IDENTITY, Products.IDENTITY_MATCH),
    "/processor/investments/auth/get": _scope(Products.INVESTMENTS_AUTH),
    "/processor/investments/holdings/get": _scope(Products.INVESTMENTS),
    "/processor/investments/transactions/get": _scope(Products.INVESTMENTS),
    "/processor/liabilities/get": _scope(Products.LIABILITIES),
    "/processor/signal/decision/report": _scope(Products.SIGNAL),
    "/processor/signal/evaluate": _scope(Products.SIGNAL),
    "/processor/signal/prepare": _scope(Products.SIGNAL),
    "/processor/signal/return/report": _scope(Products.SIGNAL),
    "/processor/transactions/get": _scope(Products.TRANSACTIONS),
    "/processor/transactions/recurring/get": _scope(
        Products.TRANSACTIONS, Products.RECURRING_TRANSACTIONS, initialises=False
    ),
    "/processor/transactions/refresh": _scope(
        Products.TRANSACTIONS, Products.TRANSACTIONS_REFRESH, initialises=False
    ),
    "/processor/transactions/sync": _scope(Products.TRANSACTIONS),
    "/processor/bank_transfer/create": _scope(Products.TRANSFER),
}
