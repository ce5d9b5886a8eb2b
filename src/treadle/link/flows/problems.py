"""An error that ends the way the user was on; what can be done about it is offered."""

from __future__ import annotations

from treadle.link import actions, panes
from treadle.link.panes import Pane, Problem
from treadle.link.step import NotOffered, Step, on, shown


def show_error(
    step: Step, problem: Problem, exit_status: str | None, retried: Pane | None = None
) -> None:
    """`retried` is shown again when the user wants to try once more."""
    state = step.state
    state.retried = retried
    institution = step.catalogue.find(state.institution_id or "")
    offered = ["retry"] if retried is not None else []
    if step.setup.update is None:
        offered.append("back")
    if step.setup.takes_numbers:
        offered.append("enter_numbers")
    pane = panes.ErrorShown(
        actions=offered,
        problem=problem,
        institution=None if institution is None else shown(institution),
    )
    step.show(pane, exit_status)


@on(panes.ErrorShown, action=actions.Retry)
def retry(step: Step, pane: panes.ErrorShown, action: actions.Retry) -> None:
    retried = step.state.retried
    if retried is None:
        raise NotOffered()
    step.state.retried = None
    step.show(retried, step.state.exit_status)
