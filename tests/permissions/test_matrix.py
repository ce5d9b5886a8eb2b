"""Every product against every partner operation: what a permission admits, and what it does not."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from plaid.api import plaid_api

from tests.support.flows import (
    FURTHER_FIELDS,
    call,
    evaluate_first,
    implemented,
    link,
    mask_for,
    mint,
    narrow,
    not_authorized,
    refused,
)
from tests.support.sdk import plaid_client
from tests.support.server import Server
from treadle.bank.rows import Item
from treadle.clients import Owner
from treadle.tokens.decision import Allowed, Refused, decide_read
from treadle.tokens.rows import ProcessorGrant, Token
from treadle.tokens.scope import PROCESSOR_SCOPES
from treadle.wire.common import Products
from treadle.wire.operations import OPERATIONS

PRODUCTS = sorted(product.value for product in Products)

# What each operation reads, and the products of which any one admits it. Written down here once
# more, on purpose: the program must not be its own witness.
EXPECTED: dict[str, tuple[str, set[str]]] = {
    "/processor/auth/get": ("auth", {"auth"}),
    "/processor/balance/get": ("balance", {"balance"}),
    "/processor/bank_transfer/create": ("transfer", {"transfer"}),
    "/processor/identity/get": ("identity", {"identity"}),
    "/processor/identity/match": ("identity", {"identity", "identity_match"}),
    "/processor/investments/auth/get": ("investments_auth", {"investments_auth"}),
    "/processor/investments/holdings/get": ("investments", {"investments"}),
    "/processor/investments/transactions/get": ("investments", {"investments"}),
    "/processor/liabilities/get": ("liabilities", {"liabilities"}),
    "/processor/signal/decision/report": ("signal", {"signal"}),
    "/processor/signal/evaluate": ("signal", {"signal"}),
    "/processor/signal/prepare": ("signal", {"signal"}),
    "/processor/signal/return/report": ("signal", {"signal"}),
    "/processor/transactions/get": ("transactions", {"transactions"}),
    "/processor/transactions/recurring/get": (
        "transactions",
        {"transactions", "recurring_transactions"},
    ),
    "/processor/transactions/refresh": (
        "transactions",
        {"transactions", "transactions_refresh"},
    ),
    "/processor/transactions/sync": ("transactions", {"transactions"}),
}
NEEDS_NO_PRODUCT = {"/processor/account/get", "/processor/token/webhook/update"}
NEEDS_ITS_PRODUCT_IN_USE = {
    "/processor/transactions/recurring/get",
    "/processor/transactions/refresh",
}
ADMINISTERING = {"/processor/token/permissions/get", "/processor/token/permissions/set"}
IMPLEMENTED_READS = sorted(EXPECTED.keys() & {one.path for one in implemented().values()})


def grant(
    permitted: list[str] | None,
    *,
    billed: list[str] | None = None,
    available: list[str] | None = None,
    error_code: str | None = None,
    removed_at: int | None = None,
) -> ProcessorGrant:
    item = Item(
        item_id="item",
        client_id="developer",
        institution_id="ins_109508",
        webhook=None,
        available_products_json=as_json(available or []),
        billed_products_json=as_json(billed or []),
        error_code=error_code,
        login_expires_at=None,
        created_at=0,
        removed_at=removed_at,
        revision=0,
        wakes_at=None,
        source="sandbox",
    )
    return ProcessorGrant(
        token=Token("token", "developer", "account", "dwolla", None, None, 0, None, None),
        products_json=None if permitted is None else as_json(permitted),
        item=item,
        owner=Owner("developer", 0, None, 0),
        account=None,
    )


def as_json(names: list[str]) -> str:
    return "[" + ",".join(f'"{name}"' for name in names) + "]"


def settings_of(product: str) -> Iterator[list[str] | None]:
    """The states of a token's permissions that have to do with one product."""
    yield None
    yield []
    yield [product]
    yield [other for other in PRODUCTS if other != product]


def outcome(path: str, given: ProcessorGrant) -> str:
    """What is decided, as the error code or as what is added to the Item."""
    decision = decide_read(given, PROCESSOR_SCOPES[path], now=1)
    if isinstance(decision, Refused):
        return decision.error.kind.error_code
    return f"adds {decision.initialises}" if decision.initialises else "allowed"


def if_available(path: str, needed: str) -> str:
    """What becomes of a call for a product that the Item could have, but does not use yet."""
    if needed == "balance":
        return "allowed"
    return "PRODUCT_NOT_ENABLED" if path in NEEDS_ITS_PRODUCT_IN_USE else f"adds {needed}"


@pytest.mark.parametrize("path", sorted(EXPECTED))
def test_permission_admits_exactly_what_is_expected(path: str) -> None:
    needed, admitting = EXPECTED[path]
    adds = if_available(path, needed)
    others = [product for product in PRODUCTS if product != needed]
    for product in PRODUCTS:
        for permitted in settings_of(product):
            admitted = not permitted or not admitting.isdisjoint(permitted)
            on_item = {
                "allowed": grant(permitted, billed=PRODUCTS),
                adds: grant(permitted, available=PRODUCTS),
                "PRODUCTS_NOT_SUPPORTED": grant(permitted, billed=others, available=[]),
            }
            for if_admitted, given in on_item.items():
                expected = if_admitted if admitted else "INVALID_PRODUCT"
                assert outcome(path, given) == expected, (path, permitted, if_admitted)


@pytest.mark.parametrize("path", sorted(NEEDS_NO_PRODUCT))
def test_operation_without_a_product_is_admitted_by_every_permission(path: str) -> None:
    for product in PRODUCTS:
        for permitted in settings_of(product):
            assert outcome(path, grant(permitted)) == "allowed", (path, permitted)


@pytest.mark.parametrize("path", sorted(EXPECTED))
def test_refusal_names_the_product_that_is_missing(path: str) -> None:
    decision = decide_read(grant(["statements"], billed=PRODUCTS), PROCESSOR_SCOPES[path], now=1)
    assert isinstance(decision, Refused)
    assert decision.error.message == not_authorized(EXPECTED[path][0]).message


@pytest.mark.parametrize("path", sorted(PROCESSOR_SCOPES))
def test_removed_item_refuses_before_anything_is_told_of_permissions(path: str) -> None:
    for permitted in (None, [], ["statements"], PRODUCTS):
        given = grant(permitted, billed=PRODUCTS, error_code="ITEM_LOCKED", removed_at=1)
        assert outcome(path, given) == "ITEM_NOT_FOUND"


@pytest.mark.parametrize("path", sorted(PROCESSOR_SCOPES))
def test_item_in_error_refuses_its_data(path: str) -> None:
    given = grant(None, billed=PRODUCTS, error_code="ITEM_LOGIN_REQUIRED")
    without_data = path == "/processor/token/webhook/update"
    assert outcome(path, given) == ("allowed" if without_data else "ITEM_LOGIN_REQUIRED")


def test_product_gained_later_is_read_only_without_a_limit() -> None:
    later = ["auth", "transactions"]
    path = "/processor/transactions/get"
    assert outcome(path, grant(None, billed=later)) == "allowed"
    assert outcome(path, grant([], billed=later)) == "allowed"
    assert outcome(path, grant(["auth"], billed=later)) == "INVALID_PRODUCT"


def test_permission_never_stands_in_for_the_product() -> None:
    for path in EXPECTED:
        assert outcome(path, grant(PRODUCTS)) == "PRODUCTS_NOT_SUPPORTED"


def test_balance_is_never_billed() -> None:
    decision = decide_read(
        grant(None, available=["balance"]), PROCESSOR_SCOPES["/processor/balance/get"], now=1
    )
    assert decision == Allowed(initialises=None)


def test_every_operation_that_takes_a_processor_token_has_a_scope() -> None:
    taking = set()
    for path, operation in OPERATIONS.items():
        if operation.request is not None:
            area = importlib.import_module(f"treadle.wire.{operation.area}")
            if "processor_token" in getattr(area, operation.request).__struct_fields__:
                taking.add(path)
    assert taking - ADMINISTERING == set(PROCESSOR_SCOPES)
    assert set(PROCESSOR_SCOPES) == set(EXPECTED) | NEEDS_NO_PRODUCT


@pytest.fixture(scope="module")
def api(server: Server) -> plaid_api.PlaidApi:
    return plaid_client(server)


@pytest.mark.parametrize("path", IMPLEMENTED_READS)
def test_server_enforces_each_permission(api: plaid_api.PlaidApi, path: str) -> None:
    name, (needed, admitting) = OPERATIONS[path].name, EXPECTED[path]
    item = link(api, "auth", "transactions")
    token = mint(api, item, mask=mask_for(name))
    given = {"processor_token": token, **FURTHER_FIELDS.get(name, {})}
    evaluate_first(api, name, token)
    all_others = [product for product in PRODUCTS if product not in admitting]
    for permitted in [[], all_others, *([product] for product in PRODUCTS)]:
        narrow(api, given["processor_token"], *permitted)
        if not permitted or not admitting.isdisjoint(permitted):
            call(api, name, **given)
        else:
            refused(api, name, not_authorized(needed), **given)
