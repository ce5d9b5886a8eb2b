"""What the frame of Link asks for, and the page of a bank; `link/protocol.py` describes it."""

from __future__ import annotations

from typing import Any

import msgspec

from treadle.call import ClientCall
from treadle.http import errors
from treadle.link.actions import parse_action
from treadle.link.drive import Plan, automatic_plan, drive
from treadle.link.flows.oauth import bank_accounts
from treadle.link.gate import BankGate, SessionCall, SessionGate, StartCall, StartGate
from treadle.link.pages.rendering import bank_html, pane_html
from treadle.link.protocol import (
    ActRequest,
    ApproveRequest,
    BankPage,
    BankPageLeft,
    BankPageRequest,
    DenyRequest,
    PollRequest,
    ShowRequest,
    Started,
    StartRequest,
    Turn,
)
from treadle.link.refusals import OAUTH_STATE_ID_ALREADY_PROCESSED
from treadle.link.rows import plan_place
from treadle.link.session import Session, begin_session
from treadle.link.step import BankNews, Denied, Granted, Returned, shown
from treadle.link.telling import about, is_guest, page_events, page_result
from treadle.operations import own_operation

_decode_plan = msgspec.json.Decoder(Plan).decode


@own_operation("/_link/start", StartGate())
async def link_start(call: StartCall, request: StartRequest) -> Started:
    """Open Link, or open it again on the return from a bank's page."""
    if call.left is not None:
        session = Session(call, call.token, call.left.row)
        session.renew_key()
        await session.hear(Returned())
    else:
        session = await begin_session(
            call, call.token, redirects=request.redirects, embedded=request.embedded
        )
    plan = _plan(call, request)
    if plan is not None:
        await drive(session, plan)
    session.keep()
    return Started(
        session_key=session.key or "",
        about=about(session, call.environment),
        **_turn(call, session, request),
    )


def _plan(call: StartCall, request: StartRequest) -> Plan | None:
    """What the session is to do by itself. Raises ApiError when the page asks for no such thing."""
    if request.auto is not None and call.services.settings.sandbox:
        return automatic_plan(request.auto)
    if call.token.plan is None:
        return None
    text = call.services.keys.unseal(call.token.plan, plan_place(call.token.token_id))
    return _decode_plan(text)


@own_operation("/_link/act", SessionGate())
async def link_act(call: SessionCall, request: ActRequest) -> Turn:
    """Do what the user did, and answer what is to be shown next."""
    session = call.session
    if session.finished:
        await session.read_public_tokens()
    else:
        try:
            action = parse_action(request.action, request.inputs)
        except msgspec.ValidationError as error:
            raise errors.INVALID_FIELD(problem=f"action or inputs: {error}") from None
        await session.act(action)
        session.keep()
    return Turn(**_turn(call, session, request))


@own_operation("/_link/poll", SessionGate(), takes_turn=False)
async def link_poll(call: SessionCall, request: PollRequest) -> Turn:
    """Answer once more what is to be shown."""
    await call.session.read_public_tokens()
    return Turn(**_turn(call, call.session, request))


@own_operation("/_link/oauth", BankGate(), takes_turn=False)
async def link_oauth(call: SessionCall, request: BankPageRequest) -> BankPage:
    """What the page of a bank shows."""
    session = call.session
    visit = session.state.oauth
    if session.finished or visit is None or visit.granted is not None:
        raise OAUTH_STATE_ID_ALREADY_PROCESSED()
    step = await session.step()
    page = BankPage(
        institution=shown(step.institution),
        client_name=session.setup.shown_name,
        language=session.setup.language,
        accounts=bank_accounts(step),
        html=None,
        request_id=call.request_id,
    )
    if request.html:
        page.html = bank_html(page)
    return page


@own_operation("/_link/oauth/approve", BankGate())
async def link_oauth_approve(call: SessionCall, request: ApproveRequest) -> BankPageLeft:
    """The user agreed at the bank's page."""
    return await _leave_bank(call, Granted(request.accounts), request.oauth_state_id)


@own_operation("/_link/oauth/deny", BankGate())
async def link_oauth_deny(call: SessionCall, request: DenyRequest) -> BankPageLeft:
    """The user did not agree at the bank's page."""
    return await _leave_bank(call, Denied(), request.oauth_state_id)


async def _leave_bank(call: SessionCall, news: BankNews, oauth_state_id: str) -> BankPageLeft:
    session = call.session
    redirects = session.state.redirects and session.setup.redirect_uri is not None
    await session.hear(news)
    session.keep()
    return BankPageLeft(
        redirect_uri=f"{session.setup.redirect_uri}?oauth_state_id={oauth_state_id}"
        if redirects
        else None,
        request_id=call.request_id,
    )


def _turn(call: ClientCall, session: Session, request: ShowRequest) -> dict[str, Any]:
    pane = session.state.pane
    html = None
    if request.html and pane is not None:
        html = pane_html(pane, about(session, call.environment), guest=is_guest(session))
    return {
        "link_session_id": session.session_id,
        "pane": pane,
        "html": html,
        "events": page_events(session, live=request.live_events),
        "finished": page_result(session),
        "request_id": call.request_id,
    }
