"""Institutions, and the legacy categories."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import msgspec

from treadle.bank.model import Institution
from treadle.call import ClientCall, OpenCall
from treadle.gates import ClientGate, OpenGate
from treadle.http import errors
from treadle.operations import operation
from treadle.tokens.scope import PRODUCT_NAMES
from treadle.wire import institutions as wire
from treadle.wire.categories import CategoriesGetResponse, Category
from treadle.wire.common import CountryCode, Products
from treadle.wire.institutions import (
    InstitutionsGetByIdRequest,
    InstitutionsGetByIdRequestOptions,
    InstitutionsGetByIdResponse,
    InstitutionsGetRequest,
    InstitutionsGetRequestOptions,
    InstitutionsGetResponse,
    InstitutionsSearchRequest,
    InstitutionsSearchRequestOptions,
    InstitutionsSearchResponse,
)

_SEARCH_LIMIT = 10

_Options = (
    InstitutionsGetRequestOptions
    | InstitutionsSearchRequestOptions
    | InstitutionsGetByIdRequestOptions
)


@operation("/institutions/get", gate=ClientGate())
async def institutions_get(
    call: ClientCall, request: InstitutionsGetRequest
) -> InstitutionsGetResponse:
    options = request.options or InstitutionsGetRequestOptions()
    found = _filter(
        await call.catalogue(),
        request.country_codes,
        products=options.products,
        oauth=options.oauth,
        routing_numbers=options.routing_numbers,
    )
    page = found[request.offset : request.offset + request.count]
    return InstitutionsGetResponse(
        institutions=[_view(institution, options) for institution in page],
        total=len(found),
        request_id=call.request_id,
    )


@operation("/institutions/search", gate=ClientGate())
async def institutions_search(
    call: ClientCall, request: InstitutionsSearchRequest
) -> InstitutionsSearchResponse:
    """Names that hold every word of the query, those that start with it first; ten at most."""
    options = request.options or InstitutionsSearchRequestOptions()
    products = request.products
    found = _filter(
        await call.catalogue(),
        request.country_codes,
        products=products,
        oauth=options.oauth,
        routing_numbers=None,
    )
    query = request.query.casefold()
    words = query.split()
    if not words:
        raise errors.INVALID_FIELD(problem="query must be a properly formatted, non-empty string")
    matching = [one for one in found if all(word in one.name.casefold() for word in words)]
    matching.sort(key=lambda one: not one.name.casefold().startswith(query))
    return InstitutionsSearchResponse(
        institutions=[_view(institution, options) for institution in matching[:_SEARCH_LIMIT]],
        request_id=call.request_id,
    )


@operation("/institutions/get_by_id", gate=ClientGate())
async def institutions_get_by_id(
    call: ClientCall, request: InstitutionsGetByIdRequest
) -> InstitutionsGetByIdResponse:
    institution = (await call.catalogue()).find(request.institution_id)
    if institution is None or not _in_countries(institution, request.country_codes):
        raise errors.INVALID_INSTITUTION()
    options = request.options or InstitutionsGetByIdRequestOptions()
    view = _view(institution, options)
    if options.include_status:
        # The documentation says that a sandbox has no meaningful status.
        view.status = None
    return InstitutionsGetByIdResponse(institution=view, request_id=call.request_id)


def _filter(
    institutions: Iterable[Institution],
    country_codes: list[CountryCode],
    *,
    products: list[str] | None,
    oauth: bool | None,
    routing_numbers: list[str] | None,
) -> list[Institution]:
    """Institutions in any of the countries that have all of the products.

    Raises ApiError for a product that does not exist.
    """
    for product in products or []:
        if product not in PRODUCT_NAMES:
            raise errors.UNKNOWN_PRODUCT(product=product)
    return [
        one
        for one in institutions
        if _in_countries(one, country_codes)
        and set(products or ()) <= set(one.products)
        and (oauth is None or one.oauth == oauth)
        and (not routing_numbers or not set(routing_numbers).isdisjoint(one.routing_numbers))
    ]


def _in_countries(institution: Institution, country_codes: list[CountryCode]) -> bool:
    return not set(country_codes).isdisjoint(institution.country_codes)


def _view(institution: Institution, options: _Options) -> wire.Institution:
    """Members that were not asked for are absent, not null."""
    view = wire.Institution(
        institution_id=institution.institution_id,
        name=institution.name,
        products=[Products(name) for name in institution.products],
        country_codes=[CountryCode(code) for code in institution.country_codes],
        routing_numbers=institution.routing_numbers,
        dtc_numbers=institution.dtc_numbers,
        oauth=institution.oauth,
        connection_availability=wire.InstitutionConnectionAvailability.SUPPORTED
        if institution.supported
        else wire.InstitutionConnectionAvailability.NOT_SUPPORTED,
    )
    if options.include_optional_metadata:
        view.url, view.primary_color, view.logo = institution.url, institution.primary_color, None
    if options.include_auth_metadata:
        view.auth_metadata = msgspec.convert(
            institution.auth_metadata, wire.AuthMetadata | None, from_attributes=True
        )
    if options.include_payment_initiation_metadata:
        view.payment_initiation_metadata = msgspec.convert(
            institution.payment_initiation_metadata, wire.PaymentInitiationMetadata | None
        )
    return view


class CategoriesGetRequest(msgspec.Struct):
    """The SDK sends an empty object; whatever it holds is of no matter."""


@operation("/categories/get", gate=OpenGate())
async def categories_get(call: OpenCall, request: CategoriesGetRequest) -> CategoriesGetResponse:
    return CategoriesGetResponse(categories=_categories(), request_id=call.request_id)


@cache
def _categories() -> list[Category]:
    file = files("treadle.sources.sandbox") / "categories.json"
    return msgspec.json.decode(file.read_bytes(), type=list[Category])
