"""Logging in with credentials, and answering what the bank asks before it lets in."""

from __future__ import annotations

from treadle.bank.model import Institution
from treadle.link import actions, panes
from treadle.link.flows.accounts import choose_accounts
from treadle.link.flows.forms import values_of
from treadle.link.flows.problems import show_error
from treadle.link.panes import Field, Problem
from treadle.link.state import Login
from treadle.link.step import Asked, LoggedIn, LogIn, Refused, Step, on, shown
from treadle.sources.source import Challenge, Prompt

# What the user can put right in the form itself.
_TYPED_WRONG = frozenset({"INVALID_CREDENTIALS", "RECAPTCHA_BAD", "INVALID_FIELD"})
_ANSWERED_WRONG = frozenset({"INVALID_MFA", "INVALID_SEND_METHOD"})
_REQUIRES = {
    "code": "requires_code",
    "device": "choose_device",
    "questions": "requires_questions",
    "selections": "requires_selections",
}


def show_login(step: Step, institution: Institution) -> None:
    """Go to where the user proves to be a customer of an institution."""
    if institution.oauth:
        pane = panes.Oauth(
            actions=["open_oauth", *_back(step)],
            institution=shown(institution),
            redirects=step.state.redirects and step.setup.redirect_uri is not None,
            url=None,
        )
        step.show(pane, "requires_oauth")
    else:
        step.show(_form(step, institution), "requires_credentials")


def _back(step: Step) -> list[str]:
    """In update mode there is no list to go back to."""
    return ["back"] if step.setup.update is None else []


def _form(step: Step, institution: Institution, problem: Problem | None = None) -> panes.Credential:
    return panes.Credential(
        actions=["submit", *_back(step)],
        problem=problem,
        institution=shown(institution),
        fields=[
            Field(name="username", label="Username", autocomplete="username"),
            Field(
                name="password",
                label="Password",
                kind="password",
                autocomplete="current-password",
            ),
        ],
    )


@on(panes.Credential, action=actions.Submit)
def submit_credentials(step: Step, pane: panes.Credential, action: actions.Submit) -> None:
    username, password = values_of(pane.fields, action)
    step.state.login = Login(username=username, password=password)
    step.tell("SUBMIT_CREDENTIALS")
    step.load()
    step.effect = LogIn(step.institution, step.state.login)


@on(panes.Mfa, action=actions.Submit)
def submit_answers(step: Step, pane: panes.Mfa, action: actions.Submit) -> None:
    step.login.answers.append(values_of(pane.fields, action))
    step.tell("SUBMIT_MFA", mfa_type=pane.mfa_type)
    step.load()
    step.effect = LogIn(step.institution, step.login)


@on(panes.Credential, panes.Mfa, action=Asked)
def ask(step: Step, pane: panes.Pane, outcome: Asked) -> None:
    challenge = outcome.challenge
    asked = panes.Mfa(
        actions=["submit", *_back(step)],
        institution=shown(step.institution),
        mfa_type=challenge.mfa_type,
        fields=[_field(challenge, place, one) for place, one in enumerate(challenge.prompts)],
    )
    step.show(asked, _REQUIRES[challenge.mfa_type], mfa_type=challenge.mfa_type)


def _field(challenge: Challenge, place: int, prompt: Prompt) -> Field:
    one_time = challenge.mfa_type == "code"
    return Field(
        name=f"answer_{place}",
        label=prompt.label,
        kind="choice" if prompt.choices else "digits" if one_time else "text",
        autocomplete="one-time-code" if one_time else "off",
        choices=[panes.Choice(text, text) for text in prompt.choices],
    )


@on(
    panes.Credential,
    panes.Mfa,
    panes.SelectSavedInstitution,
    action=LoggedIn,
)
def logged_in(step: Step, pane: panes.Pane, outcome: LoggedIn) -> None:
    keep_login(step, outcome)
    choose_accounts(step)


def keep_login(step: Step, outcome: LoggedIn) -> None:
    """Keep what a login gave, and no longer what it was made with."""
    step.login.accounts = outcome.login.accounts
    step.login.secret = outcome.login.secret
    step.login.password = ""
    step.login.answers = []


@on(panes.VerifyPhone, panes.SelectSavedInstitution, action=Refused)
def refuse_saved(step: Step, pane: panes.Pane, outcome: Refused) -> None:
    step.meet(outcome.problem)
    step.state.login = None
    show_error(step, outcome.problem, "requires_credentials", _form(step, step.institution))


@on(panes.Credential, panes.Mfa, action=Refused)
def refuse(step: Step, pane: panes.Credential | panes.Mfa, outcome: Refused) -> None:
    problem = outcome.problem
    step.meet(problem)
    if problem.error_code in _ANSWERED_WRONG and isinstance(pane, panes.Mfa):
        step.login.answers.pop()
        pane.problem = problem
        step.show(pane, step.state.exit_status, mfa_type=pane.mfa_type)
        return
    form = _form(step, step.institution)
    step.state.login = None
    if problem.error_code in _TYPED_WRONG:
        form.problem = problem
        step.show(form, "requires_credentials")
    else:
        show_error(step, problem, "requires_credentials", retried=form)
