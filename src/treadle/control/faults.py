"""Faults that a client sets for itself: errors, rate limits, lost answers, slow ones, and webhooks
that come late, twice, in another order or not at all."""

from __future__ import annotations

from typing import Annotated

import msgspec

from treadle.call import ClientCall
from treadle.clock import to_datetime
from treadle.control.answers import (
    FaultDetails,
    FaultsAddResponse,
    FaultsGetResponse,
    FaultsRemovedResponse,
)
from treadle.control.asking import Order, Query
from treadle.faults import rows
from treadle.faults.documented import documented_error
from treadle.faults.rules import Effect, Fault, Moment, Rule
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import IMPLEMENTED, own_operation
from treadle.tokens.format import Shape, inspect

_MOST_SECONDS_OF_LATENCY = 60
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Message = Annotated[str, msgspec.Meta(max_length=1_000)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=100 * 86_400)]
_Times = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]

# What only faults of calls, and only those of webhooks, may name.
_OF_CALLS = ("path", "institution_id", "token")
_OF_WEBHOOKS = ("webhook_code",)
_TAKES_SECONDS = (Effect.LATENCY, Effect.WEBHOOK_DELAY, Effect.WEBHOOK_REORDER)
_OF_ERRORS = ("error_code", "error_type", "error_message")


class FaultsGetRequest(Query, kw_only=True):
    """Nothing is asked."""


class FaultsAddRequest(Order, kw_only=True):
    """A fault; what it is for must hold in all that is named."""

    effect: Effect
    when: Moment = Moment.BEFORE
    path: _Text | None = None
    item_id: _Text | None = None
    institution_id: _Text | None = None
    token: _Text | None = None
    webhook_code: _Text | None = None
    error_type: _Text | None = None
    error_code: _Text | None = None
    error_message: _Message | None = None
    seconds: _Seconds = 0.0
    times: _Times | None = None
    probability: _Probability = 1.0


class FaultsRemoveRequest(Order, kw_only=True):
    """The fault to remove."""

    fault_id: _Text


class FaultsClearRequest(Order, kw_only=True):
    """Nothing is asked."""


@own_operation("/treadle/sandbox/faults", ClientGate(), method="GET")
async def get_sandbox_faults(call: ClientCall, request: FaultsGetRequest) -> FaultsGetResponse:
    """The client's faults, in the order in which they are tried."""
    found = await call.all(rows.FAULTS, client_id=call.client.client_id)
    return FaultsGetResponse(
        faults=[_details(fault) for fault in found], request_id=call.request_id
    )


@own_operation("/treadle/sandbox/faults", ClientGate())
async def post_sandbox_faults(call: ClientCall, request: FaultsAddRequest) -> FaultsAddResponse:
    """Add a fault, to be tried after those there are."""
    check_fault(call, request)
    if call.client.faults >= rows.MOST:
        raise errors.SANDBOX_LIMIT_REACHED(limit=str(rows.MOST), things="faults")
    given = {name: getattr(request, name) for name in Rule.__struct_fields__ if name in _GIVEN}
    token = request.token
    digest = None if token is None else call.services.keys.digest(token).hex()
    fault = Fault(
        fault_id=call.ids.uuid("fault"),
        rule_json=msgspec.json.encode(Rule(token_digest=digest, **given)).decode(),
        seen=0,
        hits=0,
        created_at=call.now,
    )
    rows.add_fault(call.change, call.client.client_id, fault)
    call.record("fault.add", detail={"fault_id": fault.fault_id, "effect": request.effect})
    return FaultsAddResponse(fault=_details(fault), request_id=call.request_id)


@own_operation("/treadle/sandbox/faults/remove", ClientGate())
async def post_sandbox_faults_remove(
    call: ClientCall, request: FaultsRemoveRequest
) -> FaultsRemovedResponse:
    """Remove one fault."""
    found = await call.all(rows.FAULTS, client_id=call.client.client_id)
    if request.fault_id not in {fault.fault_id for fault in found}:
        raise errors.INVALID_FIELD(problem="fault_id must name a fault of this client")
    rows.remove_fault(call.change, call.client.client_id, request.fault_id)
    call.record("fault.remove", detail={"fault_id": request.fault_id})
    return FaultsRemovedResponse(request_id=call.request_id)


@own_operation("/treadle/sandbox/faults/clear", ClientGate())
async def post_sandbox_faults_clear(
    call: ClientCall, request: FaultsClearRequest
) -> FaultsRemovedResponse:
    """Remove all of the client's faults."""
    rows.clear_faults(call.change, call.client.client_id)
    call.record("fault.clear")
    return FaultsRemovedResponse(request_id=call.request_id)


_GIVEN = frozenset(FaultsAddRequest.__struct_fields__)


def _details(fault: Fault) -> FaultDetails:
    rule = fault.rule
    shown = {name: getattr(rule, name) for name in Rule.__struct_fields__ if name in _GIVEN}
    return FaultDetails(
        fault_id=fault.fault_id,
        has_token=rule.token_digest is not None,
        seen=fault.seen,
        hits=fault.hits,
        created_at=to_datetime(fault.created_at),
        **shown,
    )


def check_fault(call: ClientCall, request: FaultsAddRequest) -> None:
    """Raises ApiError for a fault that could never strike, or that says what it cannot do."""
    effect = request.effect
    _refuse_given(request, _OF_CALLS if effect.on_webhooks else _OF_WEBHOOKS)
    if effect is not Effect.ERROR:
        _refuse_given(request, _OF_ERRORS)
    elif documented_error(request.error_code or "", request.error_type) is None:
        raise _invalid("error_code must be a documented code, of error_type if that is given")
    if effect in _TAKES_SECONDS and not request.seconds:
        raise _invalid(f"seconds must be more than zero for {effect}")
    if not effect.on_webhooks and request.seconds > _MOST_SECONDS_OF_LATENCY:
        raise _invalid(f"seconds must be at most {_MOST_SECONDS_OF_LATENCY} for a call")
    if effect.acts and request.when is Moment.BEFORE:
        raise _invalid(f"when must be after for {effect}")
    if effect.on_webhooks and request.when is Moment.AFTER:
        raise _invalid("when must be before for webhooks")
    if effect.on_webhooks and request.seconds and effect not in _TAKES_SECONDS:
        raise _invalid(f"seconds must be left out for {effect}")
    if request.path is not None and request.path not in IMPLEMENTED:
        raise _invalid("path must be that of an operation that Treadle has")
    if request.token is not None and not _is_token(request.token, call.environment):
        raise _invalid("token must be an access, public or processor token of this environment")


def _refuse_given(request: FaultsAddRequest, names: tuple[str, ...]) -> None:
    given = [name for name in names if getattr(request, name) is not None]
    if given:
        raise _invalid(f"{', '.join(given)} must be left out for {request.effect}")


def _is_token(text: str, environment: str) -> bool:
    kind = text.partition("-")[0]
    known = kind in ("access", "public", "processor")
    return known and inspect(text, kind, environment) is Shape.PLAUSIBLE


def _invalid(problem: str) -> errors.ApiError:
    return errors.INVALID_FIELD(problem=problem)
