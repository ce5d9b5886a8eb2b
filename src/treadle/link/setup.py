"""What a link token asks of Link, as far as a session needs it."""

from __future__ import annotations

from typing import Any

import msgspec

from treadle.bank.model import AccountData, Institution
from treadle.wire.common import AccountType, Products
from treadle.wire.link import LinkTokenCreateRequestAuth

# A longer name is not shown.
_LONGEST_NAME = 30
_ANONYMOUS = "This Application"
# Where returning users are known by their phone.
_PHONE_COUNTRIES = frozenset({"US", "CA"})

# The types of account that a product can be used with; with the others, any.
_TYPES = {
    Products.INVESTMENTS: {AccountType.INVESTMENT},
    Products.INVESTMENTS_AUTH: {AccountType.INVESTMENT},
    Products.LIABILITIES: {AccountType.CREDIT, AccountType.LOAN},
}
# What can be had of an account that is known by its numbers alone.
_BY_NUMBERS = frozenset({Products.AUTH, Products.TRANSFER})
_FOR_DEBITS = frozenset({Products.AUTH, Products.TRANSFER, Products.SIGNAL})
_ALL = "all"


class Hosted(msgspec.Struct):
    completion_redirect_uri: str | None = None


class Update(msgspec.Struct, kw_only=True):
    """The Item that is repaired or changed."""

    item_id: str
    institution_id: str
    selects_accounts: bool = False


class Setup(msgspec.Struct, kw_only=True, omit_defaults=True):
    # The token itself, for the webhooks that name it.
    link_token: str
    client_name: str
    language: str
    country_codes: list[str]
    products: list[str]
    required_if_supported_products: list[str] = []
    optional_products: list[str] = []
    additional_consented_products: list[str] = []
    webhook: str | None = None
    redirect_uri: str | None = None
    appearance_mode: str | None = None
    phone_number: str | None = None
    # Of the bank to be listed first.
    routing_number: str | None = None
    institution_id: str | None = None
    # By the type of account, its subtypes as they were given; types without one are left out.
    account_filters: dict[str, Any] = {}
    auth: LinkTokenCreateRequestAuth = msgspec.field(default_factory=LinkTokenCreateRequestAuth)
    days_requested: int | None = None
    # What the Items made are to remember of the request.
    item_options: dict[str, Any] = {}
    multi_item: bool = False
    hosted: Hosted | None = None
    update: Update | None = None

    @property
    def shown_name(self) -> str:
        return self.client_name if len(self.client_name) <= _LONGEST_NAME else _ANONYMOUS

    @property
    def asks_phone(self) -> bool:
        return self.update is None and not _PHONE_COUNTRIES.isdisjoint(self.country_codes)

    @property
    def takes_numbers(self) -> bool:
        """Whether the user may enter the numbers of an account instead of logging in."""
        asked = self.auth.same_day_microdeposits_enabled or self.auth.auth_type_select_enabled
        return bool(asked) and self._is_for_debits and self.country_codes == ["US"]

    @property
    def _is_for_debits(self) -> bool:
        return self.update is None and not set(self.products) - _BY_NUMBERS

    def matches_numbers_at(self, institution: Institution) -> bool:
        """Whether the user enters numbers that are compared with what the bank shows of them."""
        methods = institution.auth_metadata and institution.auth_metadata.supported_methods
        if not methods or methods.instant_auth or Products.AUTH not in self.products:
            return False
        return methods.instant_match and self.auth.instant_match_enabled is not False

    def sends_deposit_at(self, institution: Institution) -> bool:
        """Whether a bank takes a deposit at once, by which the user proves to own an account."""
        methods = institution.auth_metadata and institution.auth_metadata.supported_methods
        if not methods or methods.instant_auth or not self._is_for_debits:
            return False
        enabled = self.auth.instant_microdeposits_enabled is not False
        return methods.instant_micro_deposits and enabled

    def serves(self, institution: Institution) -> bool:
        """Whether an institution is in one of the countries."""
        return not set(self.country_codes).isdisjoint(institution.country_codes)

    def missing_at(self, institution: Institution) -> list[str]:
        """The products that an institution would have to offer and does not."""
        return [name for name in self.products if name not in institution.products]

    def products_at(self, institution: Institution, accounts: list[AccountData]) -> list[str]:
        """The products that an Item of an institution begins with."""
        wanted = [*self.required_if_supported_products, *self.optional_products]
        usable = [
            name
            for name in wanted
            if name in institution.products and any(_fits(one, name) for one in accounts)
        ]
        return [*self.products, *usable]

    def admits(self, account: AccountData) -> bool:
        """Whether an account may be shared: as to the filters, and for a product that is asked."""
        if any(_FOR_DEBITS & {name} and not _fits(account, name) for name in self.products):
            return False
        if not self.account_filters:
            return True
        subtypes = self.account_filters.get(account.type, {}).get("account_subtypes", [])
        return _ALL in subtypes or account.subtype in subtypes


def _fits(account: AccountData, product: str) -> bool:
    if product in _FOR_DEBITS:
        return account.debitable
    return account.type in _TYPES.get(Products(product), {account.type})


def lacks_account(products: list[str], accounts: list[AccountData]) -> bool:
    """Whether a product has no account among these that it could be used with."""
    return any(not any(_fits(one, name) for one in accounts) for name in products)
