"""Bank data that an operator brings, record by record, and Items of its users."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from treadle.bank.linking import add_item, check_products
from treadle.bank.updating import MAX_DAYS_REQUESTED
from treadle.call import ClientCall, OpenCall
from treadle.control.asking import Flag, Order, Query
from treadle.gates import ClientGate, OpenGate
from treadle.http import errors
from treadle.http.errors import FORCED, ApiError
from treadle.http.fields import is_url
from treadle.ingest.answers import IngestItemsCreateResponse, IngestResponse, IngestSchemaResponse
from treadle.ingest.intake import Intake
from treadle.ingest.schema import record_schema
from treadle.operations import own_operation
from treadle.sources.source import Login
from treadle.sources.sources import Catalogue
from treadle.sources.stored.rows import StoredInstitution
from treadle.sources.stored.stored import secret_of
from treadle.tokens.minting import mint_public
from treadle.wire.common import Products

_MAX_BODY_BYTES = 4 * 1_073_741_824


class IngestRequest(Query, kw_only=True):
    """Beside the lines themselves."""

    # With `true` all lines are kept or none.
    atomic: Flag = Flag.NO


class IngestSchemaRequest(Query, kw_only=True):
    """Nothing is asked."""


class IngestItemsCreateRequest(Order, kw_only=True):
    """Whose accounts an Item is to share, by the operator's own ids."""

    institution_id: str
    user_id: str
    products: Annotated[list[Products], msgspec.Meta(min_length=1)]
    # All that the user sees, when none are named.
    account_ids: Annotated[list[str], msgspec.Meta(min_length=1)] | None = None
    webhook: str | None = None
    days_requested: Annotated[int, msgspec.Meta(ge=1, le=MAX_DAYS_REQUESTED)] | None = None


@own_operation(
    "/treadle/ingest",
    ClientGate(),
    takes_turn=False,
    max_body_bytes=_MAX_BODY_BYTES,
    streams="application/x-ndjson",
)
async def post_ingest(call: ClientCall, request: IngestRequest) -> IngestResponse:
    """Take in bank data as JSON Lines; what was brought before is not brought twice."""
    intake = Intake(call.services.store, call.services.keys, call.client.client_id, call.now)
    if call.body is not None:
        take = intake.take_all if request.atomic is Flag.YES else intake.take_lines
        await take(call.body)
    call.services.wakes.set()
    return IngestResponse(
        **msgspec.structs.asdict(intake.summary.in_order()), request_id=call.request_id
    )


@own_operation("/treadle/ingest/schema", OpenGate(), method="GET")
async def get_ingest_schema(call: OpenCall, request: IngestSchemaRequest) -> IngestSchemaResponse:
    """The JSON Schema of one line."""
    return IngestSchemaResponse(schema=record_schema(), request_id=call.request_id)


@own_operation("/treadle/ingest/items/create", ClientGate())
async def post_ingest_items_create(
    call: ClientCall, request: IngestItemsCreateRequest
) -> IngestItemsCreateResponse:
    """Make an Item for a user whom the operator itself has let in; answers its public token."""
    if request.webhook is not None and not is_url(request.webhook):
        raise errors.INVALID_FIELD(problem="webhook must be a non-empty string URL")
    catalogue = await call.catalogue()
    institution = catalogue.find(request.institution_id)
    if not isinstance(institution, StoredInstitution):
        raise errors.INVALID_INSTITUTION()
    products: list[str] = [one.value for one in request.products]
    check_products(products, institution)
    login = await _login(catalogue, institution, request.user_id)
    linked = add_item(
        call,
        catalogue,
        institution,
        login,
        products,
        chosen=_places(login, request.account_ids),
        webhook=request.webhook,
        days_requested=request.days_requested,
    )
    public_token, _ = mint_public(call, linked.item_id)
    accounts: dict[str, Any] = {
        str(account.source_key): account_id for account_id, account in linked.accounts
    }
    return IngestItemsCreateResponse(
        public_token=public_token,
        item_id=linked.item_id,
        account_ids=accounts,
        request_id=call.request_id,
    )


async def _login(catalogue: Catalogue, institution: StoredInstitution, user_id: str) -> Login:
    secret = secret_of(institution, user_id)
    try:
        return await catalogue.source_of(institution).revived(institution, secret)
    except ApiError:
        problem = "user_id must be that of a user who was brought"
        raise errors.INVALID_FIELD(problem=problem) from None


def _places(login: Login, account_ids: list[str] | None) -> list[int]:
    """The places of the accounts to share. Raises ApiError when the user does not see them."""
    places = {one.source_key: place for place, one in enumerate(login.accounts) if not one.closed}
    if not places:
        raise FORCED["NO_ACCOUNTS"]()
    if account_ids is None:
        return sorted(places.values())
    unknown = [one for one in account_ids if one not in places]
    if unknown:
        problem = "account_ids must be of accounts that the user sees"
        raise errors.INVALID_FIELD(problem=problem)
    return sorted({places[one] for one in account_ids})
