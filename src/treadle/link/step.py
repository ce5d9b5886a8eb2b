"""One step of a session: what the handlers of actions read, and what they decide.

Handlers are pure: a step is given a state and an action, and leaves the state that follows, the
events to tell, and at most one effect, whose outcome comes back as a further action.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from treadle.bank.model import Institution
from treadle.http.errors import ApiError
from treadle.link.events import Told
from treadle.link.panes import Pane, Problem, ShownInstitution
from treadle.link.setup import Setup
from treadle.link.state import Ending, Login, State
from treadle.sources.source import Challenge
from treadle.sources.source import Login as SourceLogin
from treadle.sources.sources import Catalogue


class NotOffered(Exception):
    """The pane does not offer the action; or not with these inputs, and then it says why."""

    def __init__(self, problem: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem


class LogIn(msgspec.Struct):
    """Take the login to its bank. Comes back as LoggedIn, Asked or Refused."""

    institution: Institution
    login: Login


class IssueOauthState(msgspec.Struct):
    """Make the secret by which a bank's page names the session. Comes back as OauthIssued."""


class KeepItem(msgspec.Struct):
    """Make an Item of the login, or repair the one there is. Comes back as ItemKept."""

    # Whether the user goes on with another one.
    another: bool = False


class KeepVerdict(msgspec.Struct):
    """Keep what a code says of the awaited deposit's account. Comes back as VerdictKept."""

    right: bool


class LoggedIn(msgspec.Struct):
    login: SourceLogin


class Asked(msgspec.Struct):
    challenge: Challenge


class Refused(msgspec.Struct):
    problem: Problem


class OauthIssued(msgspec.Struct):
    state_id: str
    url: str


class ItemKept(msgspec.Struct):
    another: bool


class VerdictKept(msgspec.Struct):
    pass


class Granted(msgspec.Struct):
    """At a bank's page the user agreed, to share these accounts or all of them."""

    accounts: list[str] | None


class Denied(msgspec.Struct):
    """At a bank's page the user did not agree."""


class Returned(msgspec.Struct):
    """The user came back from a bank's page that had taken the place of this one."""


class Preselected(msgspec.Struct):
    """At a bank's page the user ticked these accounts, and has not agreed yet."""

    accounts: list[str]


Effect = LogIn | IssueOauthState | KeepItem | KeepVerdict
BankNews = Granted | Denied | Returned | Preselected

A = TypeVar("A")


class Step:
    def __init__(self, setup: Setup, catalogue: Catalogue, state: State) -> None:
        self.setup = setup
        self.catalogue = catalogue
        self.state = state
        self.told: list[Told] = []
        self.effect: Effect | None = None

    @property
    def institution(self) -> Institution:
        """The institution that was chosen."""
        return self.find(self.state.institution_id or "")

    def find(self, institution_id: str) -> Institution:
        found = self.catalogue.find(institution_id)
        if found is None:
            raise NotOffered("institution_id must be that of an institution")
        return found

    @property
    def login(self) -> Login:
        if self.state.login is None:
            raise NotOffered()
        return self.state.login

    def choose_institution(self, institution: Institution) -> None:
        self.state.forget_institution()
        self.state.institution_id = institution.institution_id
        self.state.institution_name = institution.name

    def tell(self, name: str, **metadata: str | None) -> None:
        about = {
            "institution_id": self.state.institution_id,
            "institution_name": self.state.institution_name,
            **metadata,
        }
        self.told.append(Told(name, {key: text for key, text in about.items() if text}))

    def load(self) -> None:
        """Tell of a wait for a network, which in truth is over at once."""
        self.tell("TRANSITION_VIEW", view_name="LOADING")

    def show(self, pane: Pane, exit_status: str | None, **metadata: str | None) -> None:
        """Go to a pane; `exit_status` is told of a user who leaves there."""
        self.state.pane = pane
        self.state.exit_status = exit_status
        self.tell("TRANSITION_VIEW", view_name=view_of(pane), **metadata)

    def meet(self, problem: Problem) -> None:
        """Tell of an error."""
        self.state.last_error = problem
        self.tell("ERROR", **error_metadata(problem))

    def end(self, *, success: bool) -> None:
        state = self.state
        state.ending = Ending(success)
        if not success:
            state.ending.error, state.ending.exit_status = state.last_error, state.exit_status
        state.pane = state.beneath = state.retried = state.login = None


def view_of(pane: Pane) -> str:
    return str(pane.__struct_config__.tag)


def error_metadata(problem: Problem | None) -> dict[str, str | None]:
    if problem is None:
        return {}
    return {
        "error_type": problem.error_type,
        "error_code": problem.error_code,
        "error_message": problem.error_message,
    }


def problem_of(error: ApiError) -> Problem:
    kind = error.kind
    return Problem(kind.error_type, kind.error_code, error.message, kind.display_message)


def shown(institution: Institution) -> ShownInstitution:
    return ShownInstitution(
        institution_id=institution.institution_id,
        name=institution.name,
        status=institution.status,
        oauth=institution.oauth,
        primary_color=institution.primary_color,
        url=institution.url,
    )


Handler = Callable[[Step, Any, A], None]
_HANDLERS: dict[tuple[type, type], Handler[Any]] = {}


def on(*panes: type[Pane], action: type[A]) -> Callable[[Handler[A]], Handler[A]]:
    """Declare what handles an action on panes."""

    def declare(handler: Handler[A]) -> Handler[A]:
        for pane in panes:
            _HANDLERS[pane, action] = handler
        return handler

    return declare


def handle(step: Step, action: object) -> None:
    """Raises NotOffered."""
    handler = _HANDLERS.get((type(step.state.pane), type(action)))
    if handler is None:
        raise NotOffered()
    handler(step, step.state.pane, action)
