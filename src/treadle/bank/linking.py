"""Making an Item: logging in at an institution and keeping the accounts behind the login."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from treadle.bank.model import Institution, SourceAccount
from treadle.bank.rows import INSERT_ACCOUNT, INSERT_ITEM, numbers_place
from treadle.bank.updates import login_place
from treadle.bank.updating import DEFAULT_DAYS_REQUESTED, start_update
from treadle.call import ClientCall
from treadle.clock import DAY
from treadle.http import errors
from treadle.sources.source import Login, MalformedPassword
from treadle.wire.common import Products

# A sandbox login holds for this long; then the Item asks for a new one.
_SANDBOX_LOGIN_DAYS = 30

DEFAULT_USERNAME = "user_good"
DEFAULT_PASSWORD = "pass_good"  # noqa: S105, published on purpose


class LinkedItem(msgspec.Struct):
    item_id: str
    # The accounts in their order, each with the id it was given.
    accounts: list[tuple[str, SourceAccount]]


async def link_item(
    call: ClientCall,
    institution_id: str,
    products: list[str],
    *,
    username: str | None = None,
    password: str | None = None,
    login_field: str,
    webhook: str | None = None,
    options: dict[str, Any] | None = None,
    days_requested: int | None = None,
) -> LinkedItem:
    """Add a new Item with its accounts to the call's Change.

    `login_field` is where the request has the password. Raises ApiError: no such institution, a
    product it does not offer, or what the login answers.
    """
    services = call.services
    institution = services.source.institution(institution_id)
    if institution is None:
        raise errors.INVALID_INSTITUTION()
    check_products(products, institution)
    try:
        login = await services.source.log_in(
            institution,
            username or DEFAULT_USERNAME,
            password or DEFAULT_PASSWORD,
            call.now,
            seed=call.ids.identifier("seed"),
        )
    except MalformedPassword as malformed:
        raise errors.INVALID_FIELD(problem=f"{login_field} {malformed}") from None
    return add_item(
        call,
        institution,
        login,
        products,
        webhook=webhook,
        options=options,
        days_requested=days_requested,
    )


def add_item(
    call: ClientCall,
    institution: Institution | None,
    login: Login,
    products: list[str],
    *,
    chosen: Collection[int] | None = None,
    webhook: str | None = None,
    options: dict[str, Any] | None = None,
    days_requested: int | None = None,
) -> LinkedItem:
    """Add an Item of a login to the call's Change, with the accounts at the chosen places.

    Without an institution it is of an account that is known by its numbers alone.
    """
    services = call.services
    institution_id = institution.institution_id if institution else ""
    offered = institution.products if institution else []
    item_id = call.ids.identifier("item")
    billed = sorted(set(products))
    login_expires_at = login_until(call.now) if institution else None
    call.change.write(
        INSERT_ITEM,
        item_id=item_id,
        client_id=call.client.client_id,
        institution_id=institution_id,
        source=services.source.name,
        webhook=webhook,
        available_products=_encode(sorted(set(offered) - set(billed))),
        billed_products=_encode(billed),
        options=_encode(options or {}),
        error_code=None,
        login_expires_at=login_expires_at,
        login=services.keys.seal(login.secret, login_place(item_id)),
        created_at=call.now,
        removed_at=None,
        revision=0,
        last_webhook=None,
        # At once when there is somebody to tell, or a deposit to wait for.
        wakes_at=call.now
        if webhook or not all(one.data.verified for one in login.accounts)
        else login_expires_at,
    )
    call.ring_alarm()
    call.record("item.create", item_id=item_id, detail={"institution_id": institution_id})
    if Products.TRANSACTIONS in billed:
        # Its history is as old as the Item, whenever it is first read.
        days = days_requested or DEFAULT_DAYS_REQUESTED
        start_update(call, item_id, Products.TRANSACTIONS, call.client.client_id, days)
    places = range(len(login.accounts)) if chosen is None else sorted(chosen)
    return LinkedItem(item_id, keep_accounts(call, item_id, login.accounts, places))


def check_products(products: list[str], institution: Institution) -> None:
    """Raises ApiError for a product that cannot be asked for, or not at this institution."""
    if Products.BALANCE in products:
        raise errors.UNAUTHORIZED_PRODUCTS(products='["balance"]')
    unsupported = [product for product in products if product not in institution.products]
    if unsupported:
        raise errors.PRODUCTS_NOT_SUPPORTED(products=_encode(unsupported))


def login_until(now: int) -> int:
    """When a login that was made now has to be made again."""
    return now + _SANDBOX_LOGIN_DAYS * DAY


def keep_accounts(
    call: ClientCall, item_id: str, logged_in: list[SourceAccount], places: Iterable[int]
) -> list[tuple[str, SourceAccount]]:
    """Add the accounts at these places of a login to an Item, each with an id of its own."""
    kept, rows = [], []
    for position in places:
        account_id, account = call.ids.identifier("account"), logged_in[position]
        kept.append((account_id, account))
        sealed = None
        if account.numbers is not None:
            place = numbers_place(item_id, account_id)
            sealed = call.services.keys.seal(msgspec.json.encode(account.numbers), place)
        rows.append(
            {
                "item_id": item_id,
                "account_id": account_id,
                "client_id": call.client.client_id,
                "position": position,
                "data": _encode(account.data),
                "numbers": sealed,
            }
        )
    call.change.write_many(INSERT_ACCOUNT, rows)
    return kept


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
