"""What the user agreed to, as far as it follows from the products that an Item uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from treadle.wire.common import Products
from treadle.wire.item import ItemConsentedDataScope as Scope

_ACCOUNT = frozenset({Scope.ACCOUNT_BALANCE_INFO})
_CONTACT = _ACCOUNT | {Scope.CONTACT_INFO}
_TRANSACTIONS = _CONTACT | {Scope.TRANSACTIONS}
_ROUTING = _CONTACT | {Scope.ACCOUNT_ROUTING_NUMBER}

# The data that each product reads, as documented.
_SCOPES: dict[str, frozenset[Scope]] = {
    Products.ASSETS: _TRANSACTIONS,
    Products.AUTH: _ROUTING,
    Products.BALANCE: _ACCOUNT,
    Products.IDENTITY: _CONTACT,
    Products.INVESTMENTS: _ACCOUNT | {Scope.INVESTMENTS},
    Products.INVESTMENTS_AUTH: _ROUTING | {Scope.INVESTMENTS},
    Products.LIABILITIES: _ACCOUNT | {Scope.CREDIT_LOAN_INFO},
    Products.SIGNAL: _TRANSACTIONS,
    Products.STATEMENTS: _CONTACT | {Scope.BANK_STATEMENTS},
    Products.TRANSACTIONS: _TRANSACTIONS,
    Products.TRANSFER: _ROUTING,
}
# Signal also reads what nothing else does, for which the API has no scope.
_BY_ITSELF_ALONE = frozenset({Products.SIGNAL})


def consented_products(billed: Collection[str], available: Iterable[str]) -> list[str]:
    """The products in use, and those that could be and read no further data."""
    agreed = _scopes(billed)
    covered = [
        name
        for name in available
        if name in _SCOPES and name not in _BY_ITSELF_ALONE and _SCOPES[name] <= agreed
    ]
    return sorted([*billed, *covered])


def consented_data_scopes(products: Iterable[str]) -> list[Scope]:
    return sorted(_scopes(products))


def _scopes(products: Iterable[str]) -> frozenset[Scope]:
    return frozenset[Scope]().union(*(_SCOPES.get(name, frozenset()) for name in products))
