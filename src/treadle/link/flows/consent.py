"""Where Link begins: what it is about, and perhaps a phone number."""

from __future__ import annotations

from treadle.link import actions, panes
from treadle.link.flows.deposit import ask_code
from treadle.link.flows.institutions import list_institutions, listed
from treadle.link.flows.login import show_login
from treadle.link.flows.numbers import ask_numbers, numbers_offer
from treadle.link.step import NotOffered, Step, on, shown

_INSTANT, _MANUAL = "flow_type_instant", "flow_type_manual"


def open_link(step: Step) -> None:
    """The first step of a session."""
    setup = step.setup
    if step.state.deposit is not None:
        ask_code(step, step.state.deposit)
        return
    institution = None
    if setup.update is not None:
        institution = step.catalogue.find(setup.update.institution_id)
        if institution is not None:
            step.choose_institution(institution)
    pane = panes.Consent(
        actions=["continue", *(["submit_phone"] if setup.asks_phone else [])],
        institution=None if institution is None else shown(institution),
        asks_phone=setup.asks_phone,
        phone_ending=setup.phone_number[-4:] if setup.phone_number else None,
    )
    step.state.pane = listed(step) if step.state.consents_late else pane
    updates = "true" if setup.update is not None else "false"
    step.tell("OPEN", view_name="CONSENT", is_update_mode=updates)
    if step.state.consents_late:
        step.state.exit_status = "institution_not_found"
    elif setup.hosted is not None:
        step.tell("TRANSITION_VIEW", view_name="CONSENT")


@on(panes.Consent, action=actions.Continue)
def go_on(step: Step, pane: panes.Consent, action: actions.Continue) -> None:
    if step.setup.hosted is not None and pane.asks_phone:
        step.tell("SKIP_SUBMIT_PHONE")
    if step.state.institution_id is not None:
        show_login(step, step.institution)
    elif step.setup.auth.auth_type_select_enabled and numbers_offer(step):
        choices = [
            panes.Choice(_INSTANT, "Log in at your bank"),
            panes.Choice(_MANUAL, "Enter account numbers"),
        ]
        pane_of_types = panes.SelectAuthType(actions=["select_auth_type"], choices=choices)
        step.show(pane_of_types, None)
    else:
        list_institutions(step)


@on(panes.SelectAuthType, action=actions.SelectAuthType)
def select_auth_type(
    step: Step, pane: panes.SelectAuthType, action: actions.SelectAuthType
) -> None:
    if action.selection not in (_INSTANT, _MANUAL):
        raise NotOffered(f"selection must be {_INSTANT} or {_MANUAL}")
    step.tell("SELECT_AUTH_TYPE", selection=action.selection)
    if action.selection == _MANUAL:
        ask_numbers(step)
    else:
        list_institutions(step)
