"""Link tokens: what begins a session of Link, and where an app asks what became of it."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from treadle.bank.rows import Item
from treadle.call import ClientCall
from treadle.clock import MINUTE, SECOND, to_datetime
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.link import rows
from treadle.link.gate import BankGate, SessionCall, find_token
from treadle.link.request import check_request, lifetime, setup_of
from treadle.link.session import Session
from treadle.link.setup import Setup
from treadle.link.step import Preselected
from treadle.link.telling import wire_session
from treadle.operations import operation
from treadle.tokens.resolving import resolve
from treadle.wire.common import CountryCode, Products
from treadle.wire.link import (
    AccountFiltersResponse,
    LinkTokenCreateInstitutionData,
    LinkTokenCreateRequest,
    LinkTokenCreateResponse,
    LinkTokenGetMetadataResponse,
    LinkTokenGetRequest,
    LinkTokenGetResponse,
)
from treadle.wire.sandbox import (
    SandboxOauthSelectAccountsRequest,
    SandboxOauthSelectAccountsResponse,
)

_HOSTED_PATH = "/link/lp"


@operation("/link/token/create", gate=ClientGate(), repeatable_for=30 * MINUTE)
async def link_token_create(
    call: ClientCall, request: LinkTokenCreateRequest
) -> LinkTokenCreateResponse:
    if request.user_token is not None:
        raise errors.INVALID_USER_TOKEN()
    if request.user_id is not None:
        raise errors.USER_NOT_FOUND()
    updated = await _updated_item(call, request)
    check_request(request, call.services.settings, updates=updated is not None)
    keys = call.services.keys
    text = call.ids.token("link", call.environment)
    token_id = call.ids.ordered_uuid("link_token", call.now)
    setup = setup_of(request, text, updated)
    hosted = None if setup.hosted is None else call.ids.bytes("hosted_link", 16).hex()
    # The answer shows whole seconds, and what it shows is what holds.
    expires_at = call.now + lifetime(request, updates=updated is not None)
    expires_at -= expires_at % SECOND
    call.change.write(
        rows.INSERT_TOKEN,
        digest=keys.digest(text),
        token_id=token_id,
        pepper_id=keys.pepper_id,
        client_id=call.client.client_id,
        setup=rows.seal_setup(keys, token_id, setup),
        item_id=None if updated is None else updated.item_id,
        hosted_digest=None if hosted is None else keys.digest(hosted),
        plan=None,
        created_at=call.now,
        expires_at=expires_at,
    )
    item_id = None if updated is None else updated.item_id
    call.record("link_token.create", item_id=item_id, token_id=token_id)
    url = f"{call.services.settings.browser_url}{_HOSTED_PATH}{hosted}"
    return LinkTokenCreateResponse(
        link_token=text,
        expiration=to_datetime(expires_at),
        request_id=call.request_id,
        hosted_link_url=UNSET if hosted is None else url,
    )


async def _updated_item(call: ClientCall, request: LinkTokenCreateRequest) -> Item | None:
    """The Item that Link is to repair or change. Raises ApiError when the token opens none."""
    if request.access_token is None:
        return None
    return (await resolve(call, request.access_token, "access")).item


@operation("/link/token/get", gate=ClientGate())
async def link_token_get(call: ClientCall, request: LinkTokenGetRequest) -> LinkTokenGetResponse:
    """Also of a token that can open Link no more."""
    token = await find_token(call, request.link_token)
    if token is None or token.client_id != call.client.client_id:
        raise errors.INVALID_LINK_TOKEN()
    found = await call.all(
        rows.SESSIONS_OF_TOKEN, token_id=token.token_id, client_id=token.client_id
    )
    sessions = [Session(call, token, row) for row in found]
    for session in sessions:
        await session.read_public_tokens()
    setup = token.setup(call.services.keys)
    return LinkTokenGetResponse(
        link_token=request.link_token,
        created_at=to_datetime(token.created_at),
        expiration=to_datetime(token.expires_at),
        metadata=_metadata(setup),
        request_id=call.request_id,
        link_sessions=[wire_session(session) for session in sessions],
    )


def _metadata(setup: Setup) -> LinkTokenGetMetadataResponse:
    bank = {"routing_number": setup.routing_number, "institution_id": setup.institution_id}
    known = {name: value for name, value in bank.items() if value is not None}
    filters = setup.account_filters
    return LinkTokenGetMetadataResponse(
        initial_products=[Products(name) for name in setup.products],
        webhook=setup.webhook,
        country_codes=[CountryCode(code) for code in setup.country_codes],
        language=setup.language,
        redirect_uri=setup.redirect_uri,
        client_name=setup.client_name,
        institution_data=LinkTokenCreateInstitutionData(**known) if known else UNSET,
        account_filters=msgspec.convert(filters, AccountFiltersResponse) if filters else UNSET,
    )


@operation("/sandbox/oauth/select_accounts", gate=BankGate())
async def sandbox_oauth_select_accounts(
    call: SessionCall, request: SandboxOauthSelectAccountsRequest
) -> SandboxOauthSelectAccountsResponse:
    """Tick accounts on a bank's page, by the keys that it shows them under."""
    await call.session.hear(Preselected(request.accounts))
    call.session.keep()
    return SandboxOauthSelectAccountsResponse()
