"""Logging in at the bank's own page, in a window of its own or in place of Link."""

from __future__ import annotations

from treadle.http import errors
from treadle.link import actions, panes
from treadle.link.flows.accounts import admitted_accounts, chosen_places
from treadle.link.flows.ending import show_connected
from treadle.link.flows.login import keep_login
from treadle.link.flows.problems import show_error
from treadle.link.flows.shown import shown_account
from treadle.link.panes import Problem
from treadle.link.refusals import ACCESS_NOT_GRANTED
from treadle.link.state import Login, Oauth
from treadle.link.step import (
    Denied,
    Granted,
    IssueOauthState,
    LoggedIn,
    LogIn,
    NotOffered,
    OauthIssued,
    Preselected,
    Refused,
    Returned,
    Step,
    on,
    problem_of,
)

_REQUIRES = "requires_oauth"


@on(panes.Oauth, action=actions.OpenOauth)
def open_bank(step: Step, pane: panes.Oauth, action: actions.OpenOauth) -> None:
    step.effect = IssueOauthState()


@on(panes.Oauth, action=OauthIssued)
def issued(step: Step, pane: panes.Oauth, outcome: OauthIssued) -> None:
    step.state.oauth = Oauth(state_id=outcome.state_id)
    step.state.login = Login(username="", password="")
    pane.url = outcome.url
    pane.actions = ["close_oauth", *pane.actions]
    step.tell("OPEN_OAUTH")
    step.effect = LogIn(step.institution, step.login)


@on(panes.Oauth, action=LoggedIn)
def logged_in(step: Step, pane: panes.Oauth, outcome: LoggedIn) -> None:
    """What the bank's page lets the user choose from."""
    keep_login(step, outcome)


@on(panes.Oauth, action=Refused)
def refused(step: Step, pane: panes.Oauth, outcome: Refused) -> None:
    _fail(step, pane, outcome.problem)


@on(panes.Oauth, action=actions.CloseOauth)
def close(step: Step, pane: panes.Oauth, action: actions.CloseOauth) -> None:
    step.tell("CLOSE_OAUTH")
    step.state.oauth = step.state.login = None
    step.show(_fresh(pane), _REQUIRES)


@on(panes.Oauth, action=Granted)
def granted(step: Step, pane: panes.Oauth, action: Granted) -> None:
    visit = _visit(step)
    offered = bank_accounts(step)
    if action.accounts is not None:
        step.login.chosen = chosen_places(offered, action.accounts, several=True)
    elif not step.login.chosen:
        step.login.chosen = [int(one.key) for one in offered if one.selected]
    visit.granted = True
    if not pane.redirects:
        _go_on(step, pane)


@on(panes.Oauth, action=Preselected)
def preselected(step: Step, pane: panes.Oauth, action: Preselected) -> None:
    _visit(step)
    step.login.chosen = chosen_places(bank_accounts(step), action.accounts, several=True)


@on(panes.Oauth, action=Denied)
def denied(step: Step, pane: panes.Oauth, action: Denied) -> None:
    _visit(step).granted = False
    if not pane.redirects:
        _go_on(step, pane)


@on(panes.Oauth, action=Returned)
def returned(step: Step, pane: panes.Oauth, action: Returned) -> None:
    """The page that was left is gone, so what begins now is a new one in the same session."""
    step.state.log.opened_at = len(step.state.log.events)
    step.tell("OPEN")
    if step.state.oauth is None or step.state.oauth.granted is None:
        step.state.oauth = step.state.login = None
        step.show(_fresh(pane), _REQUIRES)
    else:
        _go_on(step, pane)


def bank_accounts(step: Step) -> list[panes.ShownAccount]:
    """The accounts that the bank's page lets the user choose from."""
    accounts, shared = step.login.accounts, step.state.shared
    return [
        shown_account(str(place), accounts[place].data, selected=not shared or place in shared)
        for place in admitted_accounts(step)
    ]


def _visit(step: Step) -> Oauth:
    visit = step.state.oauth
    if visit is None or visit.granted is not None:
        raise NotOffered()
    return visit


def _go_on(step: Step, pane: panes.Oauth) -> None:
    if step.state.oauth is None or not step.state.oauth.granted:
        _fail(step, pane, problem_of(ACCESS_NOT_GRANTED()))
    elif not step.login.chosen:
        _fail(step, pane, problem_of(errors.FORCED["NO_ACCOUNTS"]()))
    else:
        show_connected(step)


def _fail(step: Step, pane: panes.Oauth, problem: Problem) -> None:
    step.state.login = None
    step.meet(problem)
    show_error(step, problem, _REQUIRES, retried=_fresh(pane))


def _fresh(pane: panes.Oauth) -> panes.Oauth:
    return panes.Oauth(
        actions=[name for name in pane.actions if name != "close_oauth"],
        institution=pane.institution,
        redirects=pane.redirects,
        url=None,
    )
