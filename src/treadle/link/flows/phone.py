"""Users who have linked before: known by their phone, once they enter the code that is sent to it.

The sandbox's documented numbers tell what is known of their users.
"""

from __future__ import annotations

import re

from treadle.bank.linking import DEFAULT_PASSWORD, DEFAULT_USERNAME
from treadle.link import actions, panes
from treadle.link.flows.accounts import admitted_accounts, choose_accounts
from treadle.link.flows.ending import show_connected
from treadle.link.flows.forms import values_of
from treadle.link.flows.institutions import list_institutions
from treadle.link.flows.login import keep_login, show_login
from treadle.link.panes import Field
from treadle.link.refusals import INVALID_OTP, INVALID_PHONE_NUMBER
from treadle.link.state import Login
from treadle.link.step import LoggedIn, LogIn, NotOffered, Step, on, problem_of, shown

_CODE = "123456"
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_PUNCTUATION = re.compile(r"[ ().-]")
_AUTOMATIC = "+14155550015"
# The institutions that the users of these numbers have linked before.
_SAVED = {
    "+14155550011": ("ins_133502", "ins_133503"),
    "+14155550012": ("ins_133502", "ins_133503"),
    "+14155550013": ("ins_127287",),
    "+14155550014": ("ins_133502", "ins_133503"),
    _AUTOMATIC: ("ins_133502",),
}


@on(panes.Consent, action=actions.SubmitPhone)
def submit_phone(step: Step, pane: panes.Consent, action: actions.SubmitPhone) -> None:
    number = _PUNCTUATION.sub("", action.phone_number or step.setup.phone_number or "")
    if not number.startswith("+"):
        number = f"+1{number}"
    step.tell("SUBMIT_PHONE")
    if _NUMBER.fullmatch(number) is None:
        pane.problem = problem_of(INVALID_PHONE_NUMBER())
        step.meet(pane.problem)
        step.show(pane, step.state.exit_status)
        return
    step.state.phone = number
    _ask_code(step, number)


def _ask_code(step: Step, number: str) -> None:
    code = Field(
        name="code", label="Code that was sent to you", kind="digits", autocomplete="one-time-code"
    )
    pane = panes.VerifyPhone(
        actions=["submit", "continue"], phone_ending=number[-4:], fields=[code]
    )
    step.show(pane, "requires_code")


@on(panes.VerifyPhone, action=actions.Continue)
def go_on_as_guest(step: Step, pane: panes.VerifyPhone, action: actions.Continue) -> None:
    step.state.phone = None
    step.tell("SKIP_SUBMIT_PHONE")
    list_institutions(step)


@on(panes.VerifyPhone, action=actions.Submit)
def submit_code(step: Step, pane: panes.VerifyPhone, action: actions.Submit) -> None:
    [code] = values_of(pane.fields, action)
    step.tell("SUBMIT_OTP")
    if code.strip() != _CODE:
        pane.problem = problem_of(INVALID_OTP())
        step.meet(pane.problem)
        step.show(pane, "requires_code")
        return
    step.tell("VERIFY_PHONE")
    saved = _saved(step)
    if not saved:
        list_institutions(step)
    elif step.state.phone == _AUTOMATIC:
        _take_saved(step, saved[0], "AUTO_SELECT_SAVED_INSTITUTION")
    else:
        known = panes.SelectSavedInstitution(
            actions=["select_institution", "connect_new"],
            institutions=[shown(step.find(one)) for one in saved],
        )
        step.show(known, "institution_not_found")


def _saved(step: Step) -> list[str]:
    """Those of the saved institutions that the app can use."""
    return [
        one
        for one in _SAVED.get(step.state.phone or "", ())
        if (found := step.catalogue.find(one)) is not None
        and step.setup.serves(found)
        and not step.setup.missing_at(found)
    ]


@on(panes.SelectSavedInstitution, action=actions.SelectInstitution)
def select_saved(
    step: Step, pane: panes.SelectSavedInstitution, action: actions.SelectInstitution
) -> None:
    if action.institution_id not in _saved(step):
        raise NotOffered("institution_id must be one of those shown")
    _take_saved(step, action.institution_id, "SAVED_INSTITUTION")


@on(panes.SelectSavedInstitution, action=actions.ConnectNew)
def connect_new(step: Step, pane: panes.SelectSavedInstitution, action: actions.ConnectNew) -> None:
    step.tell("CONNECT_NEW_INSTITUTION")
    list_institutions(step)


def _take_saved(step: Step, institution_id: str, match_reason: str) -> None:
    institution = step.find(institution_id)
    step.choose_institution(institution)
    step.tell("SELECT_INSTITUTION", match_reason=match_reason)
    if institution.oauth:
        show_login(step, institution)
        return
    step.load()
    step.state.login = Login(username=DEFAULT_USERNAME, password=DEFAULT_PASSWORD)
    step.effect = LogIn(institution, step.state.login)


@on(panes.VerifyPhone, action=LoggedIn)
def logged_in(step: Step, pane: panes.VerifyPhone, outcome: LoggedIn) -> None:
    """Of the institution that was selected for the user, the accounts are selected too."""
    keep_login(step, outcome)
    step.login.chosen = admitted_accounts(step)
    if step.login.chosen:
        show_connected(step)
    else:
        choose_accounts(step)
