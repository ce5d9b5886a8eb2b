"""Which product each partner read belongs to, and which permissions admit it.

The API publishes no such table; this one follows the names, and `docs/permissions.md` is generated
from it. A permission narrows: what is not listed here for an operation does not admit it.
"""

from __future__ import annotations

import msgspec

from treadle.tokens.limits import Field
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
    # The fields without which the answer is worth nothing; others that a token may not read are
    # left empty. Where none are named, a token that is limited to some fields is refused.
    fields: frozenset[Field] | None = None


def _scope(
    product: Products, *further: Products, fields: set[Field], initialises: bool = True
) -> Scope:
    admitted_by = frozenset((product, *further))
    return Scope(product, admitted_by, initialises=initialises, fields=frozenset(fields))


_ANY = Scope(None, frozenset(), fields=frozenset())
_OWNERS = {
    Field.OWNER_NAMES,
    Field.OWNER_EMAILS,
    Field.OWNER_PHONE_NUMBERS,
    Field.OWNER_ADDRESSES,
}

PROCESSOR_SCOPES: dict[str, Scope] = {
    "/processor/account/get": _ANY,
    "/processor/token/webhook/update": Scope(
        None, frozenset(), reads_data=False, fields=frozenset()
    ),
    "/processor/auth/get": _scope(Products.AUTH, fields={Field.NUMBERS}),
    "/processor/balance/get": _scope(Products.BALANCE, fields={Field.BALANCES}),
    "/processor/identity/get": _scope(Products.IDENTITY, fields=set()),
    # How well each of them matches tells about it.
    "/processor/identity/match": _scope(Products.IDENTITY, Products.IDENTITY_MATCH, fields=_OWNERS),
    "/processor/investments/auth/get": _scope(
        Products.INVESTMENTS_AUTH,
        fields={Field.INVESTMENTS, Field.NUMBERS, Field.BALANCES, *_OWNERS},
    ),
    "/processor/investments/holdings/get": _scope(Products.INVESTMENTS, fields={Field.INVESTMENTS}),
    "/processor/investments/transactions/get": _scope(
        Products.INVESTMENTS, fields={Field.INVESTMENTS}
    ),
    "/processor/liabilities/get": _scope(Products.LIABILITIES, fields={Field.LIABILITIES}),
    "/processor/signal/decision/report": _scope(Products.SIGNAL, fields={Field.SIGNAL}),
    "/processor/signal/evaluate": _scope(Products.SIGNAL, fields={Field.SIGNAL}),
    "/processor/signal/prepare": _scope(Products.SIGNAL, fields={Field.SIGNAL}),
    "/processor/signal/return/report": _scope(Products.SIGNAL, fields={Field.SIGNAL}),
    "/processor/transactions/get": _scope(Products.TRANSACTIONS, fields={Field.TRANSACTIONS}),
    "/processor/transactions/recurring/get": _scope(
        Products.TRANSACTIONS,
        Products.RECURRING_TRANSACTIONS,
        fields={Field.TRANSACTIONS},
        initialises=False,
    ),
    "/processor/transactions/refresh": _scope(
        Products.TRANSACTIONS,
        Products.TRANSACTIONS_REFRESH,
        fields={Field.TRANSACTIONS},
        initialises=False,
    ),
    "/processor/transactions/sync": _scope(Products.TRANSACTIONS, fields={Field.TRANSACTIONS}),
    "/processor/bank_transfer/create": Scope(Products.TRANSFER, frozenset({Products.TRANSFER})),
}
