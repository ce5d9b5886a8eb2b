"""Which partner may read what of which account, and what each of its calls would meet."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from treadle.clients import CLIENT
from treadle.console.rows import (
    DELEGATION,
    DELEGATIONS,
    PARTNERS,
    PROCESSOR_DIGEST,
    Delegated,
    like,
)
from treadle.console.visit import PAGE, NotThere, OperationRefused, Visit
from treadle.operations import IMPLEMENTED
from treadle.partners.processors import PROCESSORS
from treadle.recording.masking import Masker
from treadle.tokens.decision import Refused, decide_partner, decide_read
from treadle.tokens.rows import PROCESSOR_GRANT, ProcessorGrant
from treadle.tokens.scope import PROCESSOR_SCOPES, Scope
from treadle.wire.common import Products

# The partner's operations that ask for nothing but a token.
_READS = (
    "/processor/account/get",
    "/processor/auth/get",
    "/processor/balance/get",
    "/processor/identity/get",
    "/processor/investments/holdings/get",
    "/processor/liabilities/get",
    "/processor/transactions/sync",
)


class Foreseen(msgspec.Struct):
    """What calls for one product by the partner would meet now, where they all meet the same."""

    product: str | None
    # None when they would be allowed.
    refused: Refused | None
    paths: list[str]


class Reading(msgspec.Struct):
    """A call that was made as the partner."""

    path: str
    partner: str
    request_id: str
    refused: OperationRefused | None
    # What was answered, masked as the log of requests has it.
    answer: Any


async def show_all(visit: Visit) -> Response:
    found = await visit.all(DELEGATIONS, count=PAGE + 1, offset=visit.offset)
    by_account: dict[tuple[str, str | None], list[Delegated]] = {}
    for one in found[:PAGE]:
        by_account.setdefault((one.item_id, one.account_id), []).append(one)
    return visit.page(
        "delegations.html",
        accounts=list(by_account.values()),
        institution_name=visit.institution_name,
        processors=PROCESSORS,
        offset=visit.offset,
        more=len(found) > PAGE,
    )


async def show(visit: Visit) -> Response:
    return await _show(visit)


async def narrow(visit: Visit) -> Response:
    """Set the token's products to those that are switched on."""
    if not visit.chosen("products"):
        return await _show(visit, status=400, nothing_chosen=True)
    return await _set_products(visit, visit.chosen("products"))


async def lift(visit: Visit) -> Response:
    return await _set_products(visit, [])


async def _set_products(visit: Visit, products: list[str]) -> Response:
    path, token_id = "/processor/token/permissions/set", visit.named("token_id")
    fields = {"processor_token": token_id, "products": products}
    answer = await visit.perform(path, fields, token_digest=await _digest(visit))
    if visit.is_partial:
        return await _show(visit)
    return visit.done(f"/delegation/{token_id}", answer)


async def revoke(visit: Visit) -> Response:
    token_id = visit.named("token_id")
    fields = {"token_id": token_id, "notify": True}
    answer = await visit.perform("/treadle/processor_token/revoke", fields)
    return visit.done(f"/delegation/{token_id}", answer)


async def read(visit: Visit) -> Response:
    """Call as a partner would, and show what that meets."""
    path, partner = visit.given("path"), visit.given("partner")
    if path not in _READS:
        raise NotThere("No partner's operation of that name can be tried here.")
    if partner not in await _partners(visit, await _find(visit)):
        raise NotThere("No partner of that name may use this token.")
    fields = {"processor_token": visit.named("token_id")}
    try:
        answer = await visit.perform(
            path, fields, token_digest=await _digest(visit), caller=partner
        )
        refused, request_id = None, answer["request_id"]
    except OperationRefused as refusal:
        refused, request_id = refusal, refusal.exchange.request_id
        answer = msgspec.to_builtins(refusal.error)
    reading = Reading(path, partner, request_id, refused, Masker((answer,)).body(answer))
    if visit.is_partial:
        return visit.page("reading.html", reading=reading)
    return await _show(visit, reading=reading)


async def _find(visit: Visit) -> Delegated:
    found = await visit.first(DELEGATION, token_id=visit.named("token_id"))
    if found is None:
        raise NotThere("This client has made no processor token of that handle.")
    return found


async def _digest(visit: Visit) -> bytes:
    digest = await visit.first(PROCESSOR_DIGEST, token_id=visit.named("token_id"))
    if digest is None:
        raise NotThere("This client has made no processor token of that handle.")
    return digest


async def _partners(visit: Visit, token: Delegated) -> list[str]:
    """The clients that may use the token: partners for its processor, then whoever minted it."""
    known: list[str] = []
    if token.processor is not None:
        quoted = like(f'"{token.processor}"')
        known = await visit.services.store.all(PARTNERS, quoted=quoted)
    return list(dict.fromkeys([*known, visit.client.client_id]))


async def _show(visit: Visit, *, status: int = 200, **more: Any) -> Response:
    token = await _find(visit)
    grant = await visit.services.store.first(
        PROCESSOR_GRANT, digest=await _digest(visit), kind="processor"
    )
    if grant is None:
        raise NotThere("The token is gone.")
    partners = await _partners(visit, token)
    partner = await visit.services.store.first(CLIENT, client_id=partners[0])
    strict = visit.services.settings.strict_partners
    context = {"nothing_chosen": False, "reading": None} | more
    return visit.page(
        "delegation_scope.html" if visit.is_partial else "delegation.html",
        status=status,
        token=token,
        partners=partners,
        partner=decide_partner(partner, grant.token, strict=strict) if partner else None,
        offered=_offered(grant),
        foreseen=_foresee(visit, grant),
        reads=_READS,
        institution_name=visit.institution_name,
        processor_name=PROCESSORS.get(token.processor or ""),
        done=await visit.recorded(visit.asked("done")),
        **context,
    )


def _offered(grant: ProcessorGrant) -> list[str]:
    """The products to switch on and off: what the Item has and partners read."""
    item = grant.item
    had = {*item.available_products, *item.billed_products, Products.BALANCE.value}
    read_by_partners = {
        scope.product.value for path, scope in _scopes() if scope.product is not None
    }
    return sorted((had & read_by_partners) | set(grant.products))


def _foresee(visit: Visit, grant: ProcessorGrant) -> list[Foreseen]:
    """The gate's own decision for each of the partner's operations, as it would fall now."""
    found: dict[tuple[str | None, str | None], Foreseen] = {}
    for path, scope in _scopes():
        decision = decide_read(grant, scope, visit.now)
        refused = decision if isinstance(decision, Refused) else None
        product = None if scope.product is None else scope.product.value
        key = product, None if refused is None else refused.reason
        found.setdefault(key, Foreseen(product, refused, [])).paths.append(path)
    return list(found.values())


def _scopes() -> list[tuple[str, Scope]]:
    return [(path, scope) for path, scope in PROCESSOR_SCOPES.items() if path in IMPLEMENTED]
