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
from treadle.sources.source import Login, MalformedPassword, Source
from treadle.sources.sources import Catalogue
from treadle.wire.common import Products

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
    catalogue = await call.catalogue()
    institution = catalogue.find(institution_id)
    if institution is None:
        raise errors.INVALID_INSTITUTION()
    check_products(products, institution)
    try:
        login = await catalogue.source_of(institution).log_in(
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
        catalogue,
        institution,
        login,
        products,
        webhook=webhook,
        options=options,
        days_requested=days_requested,
    )


def add_item(
    call: ClientCall,
    catalogue: Catalogue,
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
    institution_id = institution.institution_id if institution else ""
    offered = institution.products if institution else []
    item_id = call.ids.identifier("item")
    billed = sorted(set(products))
    source = catalogue.source_of(institution)
    login_expires_at = login_until(call.now, source) if institution else None
    call.change.write(
        INSERT_ITEM,
        item_id=item_id,
        client_id=call.client.client_id,
        institution_id=institution_id,
        source=source.name,
        webhook=webhook,
        available_products=_encode(sorted(set(offered) - set(billed))),
        billed_products=_encode(billed),
        options=_encode(options or {}),
        error_code=None,
        login_expires_at=login_expires_at,
        login=call.services.keys.seal(login.secret, login_place(item_id)),
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
    if chosen is None:
        chosen = [place for place, one in enumerate(login.accounts) if not one.closed]
    return LinkedItem(item_id, keep_accounts(call, item_id, login.accounts, sorted(chosen)))


def check_products(products: list[str], institution: Institution) -> None:
    """Raises ApiError for a product that cannot be asked for, or not at this institution."""
    if Products.BALANCE in products:
        raise errors.UNAUTHORIZED_PRODUCTS(products='["balance"]')
    unsupported = [product for product in products if product not in institution.products]
    if unsupported:
        raise errors.PRODUCTS_NOT_SUPPORTED(products=_encode(unsupported))


def login_until(now: int, source: Source) -> int | None:
    """When a login that was made now has to be made again."""
    return None if source.login_days is None else now + source.login_days * DAY


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
                "source_key": account.source_key,
            }
        )
    call.change.write_many(INSERT_ACCOUNT, rows)
    return kept


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
