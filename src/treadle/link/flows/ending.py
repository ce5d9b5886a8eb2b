"""How Link ends: with an Item, or before."""

from __future__ import annotations

from treadle.link import actions, panes
from treadle.link.flows.shown import shown_account
from treadle.link.step import KeepItem, NotOffered, Step, error_metadata, on, shown


def show_connected(step: Step) -> None:
    accounts = step.login.accounts
    institution = step.catalogue.find(step.state.institution_id or "")
    pane = panes.Connected(
        actions=["finish", *(["add_another"] if step.setup.multi_item else [])],
        institution=None if institution is None else shown(institution),
        accounts=[
            shown_account(str(place), accounts[place].data, selected=True)
            for place in step.login.chosen
        ],
    )
    step.show(pane, None)


@on(panes.Connected, action=actions.Finish)
def finish(step: Step, pane: panes.Connected, action: actions.Finish) -> None:
    step.effect = KeepItem()


def leave(step: Step, action: actions.Exit) -> None:
    """Leave Link from any pane; a user who is through with it has not left but finished."""
    state = step.state
    if isinstance(state.pane, panes.Connected):
        step.effect = KeepItem()
        return
    settled = isinstance(
        state.pane,
        panes.Consent | panes.SelectInstitution | panes.SelectBrand | panes.ErrorShown,
    )
    if state.added and (action.force or isinstance(state.pane, panes.ConfirmExit)):
        # What was linked before is not given back.
        step.end(success=True)
    elif action.force or settled or isinstance(state.pane, panes.ConfirmExit):
        step.tell("EXIT", exit_status=state.exit_status, **error_metadata(state.last_error))
        step.end(success=False)
    else:
        state.beneath = state.pane
        step.show(panes.ConfirmExit(actions=["stay"]), state.exit_status)


@on(panes.ConfirmExit, action=actions.Stay)
def stay(step: Step, pane: panes.ConfirmExit, action: actions.Stay) -> None:
    beneath, step.state.beneath = step.state.beneath, None
    if beneath is None:
        raise NotOffered()
    step.show(beneath, step.state.exit_status)
