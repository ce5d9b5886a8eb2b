"""Link without a browser: a whole session in one call or step by step, and plans for tokens."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from treadle.call import ClientCall
from treadle.control.answers import (
    LinkExit,
    LinkPlannedResponse,
    LinkRunResponse,
    LinkStateResponse,
)
from treadle.control.asking import Order
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.link import rows
from treadle.link.actions import parse_action
from treadle.link.drive import Plan, drive
from treadle.link.gate import find_token
from treadle.link.rows import LinkToken
from treadle.link.session import Session, begin_session
from treadle.link.step import Denied, Granted
from treadle.link.telling import all_events, page_result
from treadle.operations import own_operation

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class LinkRunRequest(Plan, kw_only=True):
    """A link token, and what the user does with it."""

    client_id: str | None = None
    secret: str | None = None
    link_token: _Text


class LinkPlanRequest(Plan, kw_only=True):
    """A link token, and what its sessions in a browser are to do by themselves."""

    client_id: str | None = None
    secret: str | None = None
    link_token: _Text


class LinkPlanClearRequest(Order, kw_only=True):
    """The link token whose sessions are left to the user again."""

    link_token: _Text


class LinkStartRequest(Order, kw_only=True):
    """The link token to open Link with."""

    link_token: _Text


class LinkActRequest(Order, kw_only=True):
    """What the user does: an action of the pane, with its inputs."""

    link_session_id: _Text
    action: _Text
    inputs: dict[str, Any] = msgspec.field(default_factory=dict)


class LinkStateRequest(Order, kw_only=True):
    """The session to look at."""

    link_session_id: _Text


@own_operation("/treadle/sandbox/link/run", ClientGate())
async def post_sandbox_link_run(call: ClientCall, request: LinkRunRequest) -> LinkRunResponse:
    """Go through a whole session of Link."""
    session = await begin_session(call, await _token(call, request.link_token))
    await drive(session, _plan(request))
    session.keep()
    positions = range(len(session.state.added))
    return LinkRunResponse(
        public_tokens=[session.public_token(position) for position in positions],
        **_told(session),
        request_id=call.request_id,
    )


@own_operation("/treadle/sandbox/link/plan", ClientGate())
async def post_sandbox_link_plan(call: ClientCall, request: LinkPlanRequest) -> LinkPlannedResponse:
    """Have the sessions of a link token go through Link by themselves."""
    token = await _token(call, request.link_token)
    plan = msgspec.json.encode(_plan(request))
    return _set_plan(call, token, call.services.keys.seal(plan, rows.plan_place(token.token_id)))


@own_operation("/treadle/sandbox/link/plan/clear", ClientGate())
async def post_sandbox_link_plan_clear(
    call: ClientCall, request: LinkPlanClearRequest
) -> LinkPlannedResponse:
    """Leave the sessions of a link token to the user again."""
    return _set_plan(call, await _token(call, request.link_token), None)


@own_operation("/treadle/sandbox/link/start", ClientGate())
async def post_sandbox_link_start(call: ClientCall, request: LinkStartRequest) -> LinkStateResponse:
    """Open Link, to go on step by step."""
    session = await begin_session(call, await _token(call, request.link_token))
    session.keep()
    return _state(call, session)


@own_operation("/treadle/sandbox/link/act", ClientGate())
async def post_sandbox_link_act(call: ClientCall, request: LinkActRequest) -> LinkStateResponse:
    """Do one thing in a session, as its user or at the bank's page it sent its user to."""
    session = await _session(call, request.link_session_id)
    if session.finished:
        return _state(call, session)
    try:
        if request.action == "grant_oauth":
            await session.hear(msgspec.convert({"accounts": None, **request.inputs}, Granted))
        elif request.action == "deny_oauth":
            await session.hear(msgspec.convert(request.inputs, Denied))
        else:
            await session.act(parse_action(request.action, request.inputs))
    except msgspec.ValidationError as error:
        raise errors.INVALID_FIELD(problem=f"action or inputs: {error}") from None
    session.keep()
    return _state(call, session)


@own_operation("/treadle/sandbox/link/state", ClientGate(), takes_turn=False)
async def post_sandbox_link_state(call: ClientCall, request: LinkStateRequest) -> LinkStateResponse:
    """Where a session stands, also one that is open in a browser."""
    return _state(call, await _session(call, request.link_session_id))


async def _token(call: ClientCall, text: str) -> LinkToken:
    token = await find_token(call, text)
    if token is None or token.client_id != call.client.client_id:
        raise errors.INVALID_LINK_TOKEN()
    return token


async def _session(call: ClientCall, session_id: str) -> Session:
    found = await call.first(
        rows.SESSION_OF_CLIENT, session_id=session_id, client_id=call.client.client_id
    )
    if found is None:
        raise errors.INVALID_FIELD(problem="link_session_id must name a session of this client")
    session = Session(call, found.token, found.row)
    await session.read_public_tokens()
    return session


def _plan(request: Plan) -> Plan:
    return Plan(**{name: getattr(request, name) for name in Plan.__struct_fields__})


def _set_plan(call: ClientCall, token: LinkToken, sealed: bytes | None) -> LinkPlannedResponse:
    call.change.write(
        rows.SET_PLAN,
        the_token_id=token.token_id,
        the_client_id=call.client.client_id,
        plan=sealed,
    )
    call.record("link_token.plan", token_id=token.token_id)
    return LinkPlannedResponse(request_id=call.request_id)


def _state(call: ClientCall, session: Session) -> LinkStateResponse:
    return LinkStateResponse(pane=session.state.pane, **_told(session), request_id=call.request_id)


def _told(session: Session) -> dict[str, Any]:
    finished = page_result(session)
    success = finished is not None and finished.callback == "success"
    return {
        "link_session_id": session.session_id,
        "public_token": session.public_token(0) if success else None,
        "metadata": finished.metadata if finished is not None and success else None,
        "events": all_events(session),
        "exit": LinkExit(error=finished.error, metadata=finished.metadata)
        if finished is not None and not success
        else None,
    }
