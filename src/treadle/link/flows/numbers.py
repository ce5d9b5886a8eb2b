"""The numbers of an account, entered by the user: instead of a login, or beside one.

Alone they make an account that nothing is known of yet. A micro-deposit with a code goes to it,
which the user enters on another day (`deposit.py`) or, where the bank is fast, at once. Beside a
login they are compared with what the bank shows of the account.
"""

from __future__ import annotations

import msgspec
from msgspec import structs

from treadle.bank.model import AccountData, Ach, Balances, Numbers, SourceAccount
from treadle.link import actions, panes
from treadle.link.flows.ending import show_connected
from treadle.link.flows.forms import values_of
from treadle.link.flows.shown import shown_account
from treadle.link.panes import Choice, Field
from treadle.link.refusals import INCORRECT_DEPOSIT_VERIFICATION, INVALID_NUMBERS
from treadle.link.state import MOST_CODES, Login
from treadle.link.step import NotOffered, Step, on, problem_of, shown
from treadle.wire.common import AccountBaseVerificationStatus as Status
from treadle.wire.common import AccountSubtype, AccountType

_REQUIRES = "requires_credentials"
_DIGITS = frozenset("0123456789")
_UNKNOWN_BALANCES = Balances(None, None, None, "USD", None)

# The documented account numbers of the sandbox, and what a database knows of them.
_IN_DATABASES = {
    "1111222233331111": Status.DATABASE_INSIGHTS_PASS,
    "1111222233333333": Status.DATABASE_INSIGHTS_PASS_WITH_CAUTION,
}


def numbers_offer(step: Step) -> list[str]:
    offered = step.setup.takes_numbers and step.catalogue.deposit_code is not None
    return ["enter_numbers"] if offered else []


@on(panes.SelectInstitution, panes.ErrorShown, action=actions.EnterNumbers)
def enter(step: Step, pane: panes.Pane, action: actions.EnterNumbers) -> None:
    step.state.forget_institution()
    ask_numbers(step)


def ask_numbers(step: Step) -> None:
    """Ask for the numbers of the account that was chosen or, without one, of any."""
    institution = step.catalogue.find(step.state.institution_id or "")
    account = None
    fields = [
        Field(name="routing_number", label="Routing number", kind="digits"),
        Field(name="account_number", label="Account number", kind="digits"),
    ]
    if step.state.login is not None:
        place = step.login.chosen[0]
        data = step.login.accounts[place].data
        account = shown_account(str(place), data, selected=True)
    else:
        kinds = [Choice("checking", "Checking"), Choice("savings", "Savings")]
        fields.append(
            Field(name="account_type", label="Account type", kind="choice", choices=kinds)
        )
    pane = panes.Numbers(
        actions=["submit", "back"],
        institution=None if institution is None else shown(institution),
        account=account,
        fields=fields,
    )
    step.show(pane, _REQUIRES)


@on(panes.Numbers, action=actions.Submit)
def submit(step: Step, pane: panes.Numbers, action: actions.Submit) -> None:
    routing, number, *kind = values_of(pane.fields, action)
    wrong = _fault(routing, number)
    if wrong is None and pane.account is not None:
        wrong = _mismatch(step, number)
    if wrong is not None:
        pane.problem = problem_of(INVALID_NUMBERS(problem=wrong))
        pane.problem.display_message = wrong
        return
    step.tell("SUBMIT_ROUTING_NUMBER", routing_number=routing)
    # A number of four digits has nothing that could be left out.
    step.tell("SUBMIT_ACCOUNT_NUMBER", account_number_mask=number[-4:] if len(number) > 4 else "")
    step.load()
    if pane.account is not None:
        _match(step, routing, number)
        show_connected(step)
    else:
        _take_numbers(step, pane, routing, number, kind[0])


def _fault(routing: str, number: str) -> str | None:
    if len(routing) != 9 or not _DIGITS.issuperset(routing) or not _adds_up(routing):
        return "The routing number is not valid."
    if not 4 <= len(number) <= 17 or not _DIGITS.issuperset(number):
        return "The account number must have 4 to 17 digits."
    return None


def _adds_up(routing: str) -> bool:
    """Whether the check digit is right: the digits are weighed by 3, 7 and 1."""
    weighed = zip(routing, (3, 7, 1) * 3, strict=True)
    return sum(int(digit) * weight for digit, weight in weighed) % 10 == 0


def _mismatch(step: Step, number: str) -> str | None:
    mask = step.login.accounts[step.login.chosen[0]].data.mask
    if mask is not None and not number.endswith(mask):
        return "The account number does not end like that of the account."
    return None


def _match(step: Step, routing: str, number: str) -> None:
    """The numbers agree with what the bank shows, and are what is known of the account."""
    place = step.login.chosen[0]
    account = step.login.accounts[place]
    numbers = Numbers(ach=Ach(number, routing))
    step.login.accounts[place] = structs.replace(account, numbers=numbers)


def _take_numbers(step: Step, pane: panes.Numbers, routing: str, number: str, subtype: str) -> None:
    auth = step.setup.auth
    data = AccountData(
        name=f"{subtype.capitalize()}...{number[-4:]}",
        official_name=None,
        mask=number[-4:],
        type=AccountType.DEPOSITORY,
        subtype=AccountSubtype(subtype),
        holder_category=None,
        balances=_UNKNOWN_BALANCES,
        owners_json=msgspec.Raw(b"[]"),
        verification_status=Status.PENDING_MANUAL_VERIFICATION,
    )
    looked_up = auth.database_match_enabled or auth.database_insights_enabled
    if looked_up:
        data.verification_status = _IN_DATABASES.get(number, Status.DATABASE_INSIGHTS_FAIL)
    step.state.login = Login(
        username="",
        password="",
        accounts=[SourceAccount(data, Numbers(ach=Ach(number, routing)))],
        chosen=[0],
    )
    if pane.institution is not None:
        _ask_code(step, pane.institution)
    elif looked_up:
        show_connected(step)
    else:
        step.show(panes.DepositAuthorized(actions=["continue"]), _REQUIRES)


@on(panes.DepositAuthorized, action=actions.Continue)
def go_on(step: Step, pane: panes.DepositAuthorized, action: actions.Continue) -> None:
    show_connected(step)


def _ask_code(step: Step, institution: panes.ShownInstitution) -> None:
    data = step.login.accounts[0].data
    pane = panes.InstantDepositCode(
        actions=["submit"],
        institution=institution,
        account=shown_account("0", data, selected=True),
        fields=code_fields(),
        tries=MOST_CODES,
    )
    step.show(pane, "requires_code")


def code_fields() -> list[Field]:
    return [Field(name="code", label="Code of the deposit", autocomplete="one-time-code")]


@on(panes.InstantDepositCode, action=actions.Submit)
def submit_code(step: Step, pane: panes.InstantDepositCode, action: actions.Submit) -> None:
    [code] = values_of(pane.fields, action)
    account = step.login.accounts[0]
    step.load()
    if is_code(step, code):
        data = structs.replace(account.data, verification_status=Status.MANUALLY_VERIFIED)
        step.login.accounts[0] = structs.replace(account, data=data)
        show_connected(step)
        return
    pane.tries -= 1
    pane.problem = problem_of(INCORRECT_DEPOSIT_VERIFICATION())
    step.meet(pane.problem)
    if pane.tries:
        step.show(pane, "requires_code")
        return
    data = structs.replace(account.data, verification_status=Status.VERIFICATION_FAILED)
    step.login.accounts[0] = structs.replace(account, data=data)
    show_connected(step)


def is_code(step: Step, text: str) -> bool:
    if step.catalogue.deposit_code is None:
        raise NotOffered()
    return text.strip().upper() == step.catalogue.deposit_code
