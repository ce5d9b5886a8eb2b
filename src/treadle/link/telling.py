"""How a session is told: to the page that it is part of, and to the app that asks for its token."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from treadle.clock import to_datetime
from treadle.link.panes import Problem
from treadle.link.protocol import About, Finished, PageEvent
from treadle.link.session import Session
from treadle.link.state import Added
from treadle.wire.common import PlaidError, PlaidErrorType
from treadle.wire.link import (
    LinkSessionExit,
    LinkSessionExitDeprecated,
    LinkSessionExitMetadata,
    LinkSessionExitMetadataInstitution,
    LinkSessionItemAddResult,
    LinkSessionResults,
    LinkSessionSuccess,
    LinkSessionSuccessMetadata,
    LinkSessionSuccessMetadataAccount,
    LinkSessionSuccessMetadataInstitution,
    LinkTokenGetSessionsResponse,
)


def about(session: Session, environment: str) -> About:
    setup = session.setup
    return About(
        client_name=setup.shown_name,
        language=setup.language,
        appearance_mode=setup.appearance_mode,
        environment=environment,
        hosted=setup.hosted is not None,
        update_mode=setup.update is not None,
    )


def is_guest(session: Session) -> bool:
    """Whether the user was asked for a phone number and gave none."""
    return session.setup.asks_phone and session.state.phone is None


def page_events(session: Session, *, live: bool = False) -> list[PageEvent]:
    """What a page may be told by now: of a session that goes on little, unless it is `live`."""
    return session.state.log.for_page(session.session_id, all_told=live or session.finished)


def all_events(session: Session) -> list[PageEvent]:
    return session.state.log.shown(session.session_id)


def page_result(session: Session) -> Finished | None:
    """What the page's callback is called with, once the session is finished."""
    ending = session.state.ending
    if ending is None:
        return None
    hosted = session.setup.hosted
    finished = Finished(
        callback="success" if ending.success else "exit",
        public_token=None,
        error=None,
        metadata=_success(session) if ending.success else _exit(session),
        completion_redirect_uri=None if hosted is None else hosted.completion_redirect_uri,
    )
    if _single(session) is not None:
        finished.public_token = session.public_token(0)
    if ending.error is not None:
        finished.error = msgspec.to_builtins(ending.error)
    return finished


def _single(session: Session) -> Added | None:
    """The Item that a success is about; of several only webhooks and the token tell."""
    ending = session.state.ending
    if ending is None or not ending.success or session.setup.multi_item:
        return None
    return session.state.added[0]


def _success(session: Session) -> dict[str, Any]:
    added = _single(session)
    accounts = [] if added is None else [msgspec.to_builtins(one) for one in added.accounts]
    return {
        "institution": None if added is None else _institution(added),
        "accounts": accounts,
        "account": accounts[0] if len(accounts) == 1 else None,
        "link_session_id": session.session_id,
        "transfer_status": None,
    }


def _institution(added: Added) -> dict[str, str | None]:
    """Both members are null where only numbers were entered."""
    return {"name": added.institution_name, "institution_id": added.institution_id}


def _exit(session: Session) -> dict[str, Any]:
    state = session.state
    institution = {"name": state.institution_name, "institution_id": state.institution_id}
    return {
        "institution": institution if state.institution_id is not None else None,
        "status": state.ending.exit_status if state.ending is not None else None,
        "link_session_id": session.session_id,
        "request_id": state.ending.request_id if state.ending is not None else None,
    }


def wire_session(session: Session) -> LinkTokenGetSessionsResponse:
    """The session as `/link/token/get` has it."""
    view = LinkTokenGetSessionsResponse(
        link_session_id=session.session_id,
        started_at=to_datetime(session.started_at),
        finished_at=None if session.finished_at is None else to_datetime(session.finished_at),
        on_success=None,
        on_exit=None,
        exit=None,
        events=session.state.log.for_wire(),
        results=_results(session),
    )
    ending = session.state.ending
    added = _single(session)
    if added is not None:
        view.on_success = LinkSessionSuccess(
            public_token=session.public_token(0),
            metadata=LinkSessionSuccessMetadata(
                institution=_wire_institution(added),
                accounts=_wire_accounts(added),
                link_session_id=session.session_id,
                transfer_status=None,
            ),
        )
    elif ending is not None and not ending.success:
        error, metadata = _wire_error(ending.error), _wire_exit(session)
        view.exit = LinkSessionExit(error=error, metadata=metadata)
        view.on_exit = LinkSessionExitDeprecated(error=error, metadata=metadata)
    return view


def _results(session: Session) -> LinkSessionResults:
    return LinkSessionResults(
        item_add_results=[
            LinkSessionItemAddResult(
                public_token=session.public_token(position),
                accounts=_wire_accounts(added),
                institution=_wire_institution(added),
            )
            for position, added in enumerate(session.state.added)
        ],
        cra_item_add_results=[],
        cra_update_results=[],
        bank_income_results=[],
        payroll_income_results=[],
        document_income_results=None,
    )


def _wire_institution(added: Added) -> LinkSessionSuccessMetadataInstitution | None:
    if added.institution_id is None or added.institution_name is None:
        return None
    return LinkSessionSuccessMetadataInstitution(
        name=added.institution_name, institution_id=added.institution_id
    )


def _wire_accounts(added: Added) -> list[LinkSessionSuccessMetadataAccount]:
    return [
        LinkSessionSuccessMetadataAccount(
            id=one.id,
            name=one.name,
            mask=one.mask,
            type=one.type,
            subtype=one.subtype or "",
            verification_status=one.verification_status,
            class_type=one.class_type,
        )
        for one in added.accounts
    ]


def _wire_error(problem: Problem | None) -> PlaidError | None:
    if problem is None:
        return None
    return PlaidError(
        error_type=PlaidErrorType(problem.error_type),
        error_code=problem.error_code,
        error_message=problem.error_message,
        display_message=problem.display_message,
    )


def _wire_exit(session: Session) -> LinkSessionExitMetadata:
    state, ending = session.state, session.state.ending
    institution = None
    if state.institution_id is not None and state.institution_name is not None:
        institution = LinkSessionExitMetadataInstitution(
            name=state.institution_name, institution_id=state.institution_id
        )
    return LinkSessionExitMetadata(
        institution=institution,
        status=UNSET if ending is None or ending.exit_status is None else ending.exit_status,
        link_session_id=session.session_id,
        request_id=UNSET if ending is None else ending.request_id,
    )
