"""The rules of `/link/token/create`, and what it leaves for the sessions of its token."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import UnsetType

from treadle.bank.rows import Item
from treadle.clock import DAY, MINUTE, SECOND
from treadle.http import errors
from treadle.http.fields import is_url
from treadle.link.refusals import INVALID_CONFIGURATION
from treadle.link.setup import Hosted, Setup, Update
from treadle.settings import Settings
from treadle.wire.common import Products
from treadle.wire.link import (
    LinkTokenCreateHostedLink,
    LinkTokenCreateRequest,
    LinkTokenCreateRequestAuth,
    LinkTokenCreateRequestUpdate,
)

T = TypeVar("T")

_LANGUAGES = "da, de, en, es, et, fr, hi, ht, it, lt, lv, nb, nl, no, pl, pt, ro, sv, vi"
# What an Item can be made with. Balance is always there, and others are no part of Link.
_PRODUCTS = frozenset(
    {
        Products.ASSETS,
        Products.AUTH,
        Products.CREDIT_DETAILS,
        Products.IDENTITY,
        Products.INCOME,
        Products.INVESTMENTS,
        Products.INVESTMENTS_AUTH,
        Products.LIABILITIES,
        Products.SIGNAL,
        Products.STANDING_ORDERS,
        Products.STATEMENTS,
        Products.TRANSACTIONS,
        Products.TRANSFER,
    }
)
# What an Item that is there can have added by its user.
_ADDED_LATER = frozenset({Products.ASSETS, Products.STATEMENTS, Products.AUTH, Products.IDENTITY})
_FURTHER = ("required_if_supported_products", "optional_products", "additional_consented_products")
_US_ALONE = (
    "auth_type_select_enabled",
    "automated_microdeposits_enabled",
    "instant_match_enabled",
    "same_day_microdeposits_enabled",
    "instant_microdeposits_enabled",
)
_PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LONGEST_TEXT = 1_000

_LIFE = 240 * MINUTE
_UPDATE_LIFE = 30 * MINUTE
_HOSTED_LIVES = {None: 30 * MINUTE, "sms": DAY, "email": 7 * DAY}
_LONGEST_HOSTED_SECONDS = 21 * 86_400


def check_request(request: LinkTokenCreateRequest, settings: Settings, *, updates: bool) -> None:
    """Raises ApiError for what is missing, malformed, or does not go together."""
    if given(request.user) is None:
        raise errors.MISSING_FIELDS(fields="user")
    _check_texts(request)
    _check_products(request, updates=updates)
    _check_options(request, updates=updates)
    if request.redirect_uri is not None:
        _check_redirect(request.redirect_uri, settings)
        if request.android_package_name is not None:
            _refuse("redirect_uri must not be given together with android_package_name")


def _check_texts(request: LinkTokenCreateRequest) -> None:
    if request.language not in _LANGUAGES.split(", "):
        _refuse(f"language must be one of {_LANGUAGES}")
    if len(request.client_name) > _LONGEST_TEXT:
        _refuse(f"client_name must have at most {_LONGEST_TEXT} characters")
    user = given(request.user)
    phone_number = None if user is None else user.phone_number
    if phone_number is not None and _PHONE_NUMBER.fullmatch(phone_number) is None:
        _refuse("user.phone_number must be a valid E.164 phone number")


def _check_products(request: LinkTokenCreateRequest, *, updates: bool) -> None:
    products = request.products or []
    for name in ("products", *_FURTHER):
        unknown = [one for one in getattr(request, name) or [] if one not in _PRODUCTS]
        if unknown:
            raise errors.UNAUTHORIZED_PRODUCTS(products=msgspec.json.encode(unknown).decode())
    if updates:
        refused = [one for one in products if one not in _ADDED_LATER]
        if refused:
            _refuse(f"products must be omitted in update mode, unlike {', '.join(refused)}")
    elif not products:
        _refuse("products must be a list of strings containing at least one product")
    seen = set(products)
    for name in _FURTHER:
        further = set(getattr(request, name) or [])
        if seen & further:
            twice = ", ".join(sorted(seen & further))
            _refuse(f"{name} must not repeat products that are given elsewhere: {twice}")
        seen |= further
    if Products.STATEMENTS in products:
        statements = given(request.statements)
        if statements is None:
            raise errors.MISSING_FIELDS(fields="statements")
        if statements.start_date > statements.end_date:
            _refuse("statements.end_date must not be before statements.start_date")


def _check_options(request: LinkTokenCreateRequest, *, updates: bool) -> None:
    if given(request.access_tokens):
        _refuse("access_tokens is not supported: use access_token")
    auth = _auth(request)
    flows = [name for name in _US_ALONE if getattr(auth, name)]
    if flows and request.country_codes != ["US"]:
        _refuse(f"auth.{flows[0]} needs country_codes to be ['US']")
    filters = given(request.account_filters)
    if filters is not None:
        for name, one in _filters(filters).items():
            if not one["account_subtypes"]:
                _refuse(f"account_filters.{name}.account_subtypes must be a non-empty array")
        if updates and not _update(request).account_selection_enabled:
            _refuse("account_filters needs update.account_selection_enabled in update mode")
    if request.enable_multi_item_link:
        if updates:
            raise INVALID_CONFIGURATION(problem="enable_multi_item_link has no update mode")
        if auth.auth_type_select_enabled or auth.same_day_microdeposits_enabled:
            problem = "enable_multi_item_link does not go together with entering account numbers"
            raise INVALID_CONFIGURATION(problem=problem)
    hosted = given(request.hosted_link)
    if hosted is not None:
        _check_hosted(hosted)
        if request.android_package_name is not None:
            _refuse("hosted_link must not be given together with android_package_name")


def _check_hosted(hosted: LinkTokenCreateHostedLink) -> None:
    seconds = hosted.url_lifetime_seconds
    if seconds is not None and not 0 < seconds <= _LONGEST_HOSTED_SECONDS:
        _refuse(f"hosted_link.url_lifetime_seconds must be from 1 to {_LONGEST_HOSTED_SECONDS}")
    target = hosted.completion_redirect_uri
    if target is not None and not _is_any_uri(target):
        _refuse("hosted_link.completion_redirect_uri must be a URI")


def _is_any_uri(text: str) -> bool:
    """An app's own scheme will do, but none that a browser would run."""
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        return False
    printable = all(character > " " for character in text)
    return bool(scheme) and scheme not in _RUN and printable and len(text) <= _LONGEST_TEXT


_RUN = frozenset({"javascript", "data", "vbscript", "blob", "file"})


def _check_redirect(uri: str, settings: Settings) -> None:
    parts = urlsplit(uri) if is_url(uri) else None
    if parts is None or parts.query or parts.fragment or uri.endswith(("?", "#")) or "*" in uri:
        _refuse("redirect_uri must be a URL without query parameters, fragments and wildcards")
    if settings.redirect_uris:
        allowed = any(_matches(uri, pattern) for pattern in settings.redirect_uris)
    else:
        allowed = settings.sandbox and parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not settings.sandbox:
        allowed = False
    if not allowed:
        _refuse("OAuth redirect URI must be configured in the developer dashboard")


def _matches(uri: str, pattern: str) -> bool:
    """Whether an allowed address, which may have `*.` for one more label, is this one."""
    start, wildcard, end = pattern.partition("://*.")
    if not wildcard:
        return uri == pattern
    label = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
    return re.fullmatch(f"{re.escape(start)}://{label}\\.{re.escape(end)}", uri) is not None


def _refuse(problem: str) -> NoReturn:
    raise errors.INVALID_FIELD(problem=problem)


def lifetime(request: LinkTokenCreateRequest, *, updates: bool) -> int:
    """For how long a link token can open Link, in microseconds."""
    hosted = given(request.hosted_link)
    if hosted is not None:
        if hosted.url_lifetime_seconds is not None:
            return hosted.url_lifetime_seconds * SECOND
        return _HOSTED_LIVES[hosted.delivery_method]
    return _UPDATE_LIFE if updates else _LIFE


def setup_of(request: LinkTokenCreateRequest, link_token: str, item: Item | None) -> Setup:
    user, institution = given(request.user), given(request.institution_data)
    hosted, filters = given(request.hosted_link), given(request.account_filters)
    transactions = given(request.transactions)
    remembered = {
        "transactions": transactions,
        "statements": given(request.statements),
        "additional_consented_products": request.additional_consented_products or None,
    }
    return Setup(
        link_token=link_token,
        client_name=request.client_name,
        language=request.language,
        country_codes=list(request.country_codes),
        products=_distinct(request.products),
        required_if_supported_products=_distinct(request.required_if_supported_products),
        optional_products=_distinct(request.optional_products),
        additional_consented_products=_distinct(request.additional_consented_products),
        webhook=request.webhook or None,
        redirect_uri=request.redirect_uri,
        appearance_mode=request.appearance_mode,
        phone_number=None if user is None else user.phone_number,
        routing_number=None if institution is None else institution.routing_number,
        institution_id=None if institution is None else institution.institution_id,
        account_filters={} if filters is None else _filters(filters),
        auth=_auth(request),
        days_requested=None if transactions is None else transactions.days_requested,
        item_options=msgspec.to_builtins(
            {name: value for name, value in remembered.items() if value is not None}
        ),
        multi_item=bool(request.enable_multi_item_link),
        hosted=None if hosted is None else Hosted(hosted.completion_redirect_uri),
        update=None
        if item is None
        else Update(
            item_id=item.item_id,
            institution_id=item.institution_id,
            selects_accounts=bool(_update(request).account_selection_enabled),
        ),
    )


def given(value: T | UnsetType | None) -> T | None:
    """What a field holds; nothing when it is absent or null."""
    return None if isinstance(value, UnsetType) else value


def _auth(request: LinkTokenCreateRequest) -> LinkTokenCreateRequestAuth:
    return given(request.auth) or LinkTokenCreateRequestAuth()


def _update(request: LinkTokenCreateRequest) -> LinkTokenCreateRequestUpdate:
    return given(request.update) or LinkTokenCreateRequestUpdate()


def _filters(filters: msgspec.Struct) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(filters)
    return built


def _distinct(products: Iterable[str] | None) -> list[str]:
    return list(dict.fromkeys(products or ()))
