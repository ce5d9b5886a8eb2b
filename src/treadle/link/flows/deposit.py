"""The code of a micro-deposit that has arrived since: update mode of an account that awaits it."""

from __future__ import annotations

from treadle.link import actions, panes
from treadle.link.flows.forms import values_of
from treadle.link.flows.numbers import code_fields, is_code
from treadle.link.flows.problems import show_error
from treadle.link.flows.shown import shown_account
from treadle.link.refusals import INCORRECT_DEPOSIT_VERIFICATION
from treadle.link.state import MOST_CODES, Deposit
from treadle.link.step import KeepItem, KeepVerdict, NotOffered, Step, VerdictKept, on, problem_of
from treadle.wire.common import AccountBaseVerificationStatus as Status

_REQUIRES = "requires_code"


def ask_code(step: Step, deposit: Deposit) -> None:
    """Begin on the pane of the code; of an account that is verified there is nothing to ask."""
    step.state.pane = _pane(deposit)
    step.state.exit_status = _REQUIRES
    step.tell("OPEN", view_name="SAME_DAY_MICRODEPOSIT_VERIFICATION", is_update_mode="true")
    if deposit.account.verification_status is not Status.PENDING_MANUAL_VERIFICATION:
        _settle(step, deposit)


def _pane(deposit: Deposit) -> panes.DepositCode:
    return panes.DepositCode(
        actions=["submit"],
        account=shown_account("0", deposit.account, selected=True),
        fields=code_fields(),
        tries=MOST_CODES - deposit.account.wrong_codes,
    )


@on(panes.DepositCode, action=actions.Submit)
def submit(step: Step, pane: panes.DepositCode, action: actions.Submit) -> None:
    [code] = values_of(pane.fields, action)
    step.load()
    step.effect = KeepVerdict(is_code(step, code))


@on(panes.DepositCode, action=VerdictKept)
def judged(step: Step, pane: panes.DepositCode, outcome: VerdictKept) -> None:
    deposit = step.state.deposit
    if deposit is None:
        raise NotOffered()
    if deposit.account.verification_status is not Status.MANUALLY_VERIFIED:
        step.meet(problem_of(INCORRECT_DEPOSIT_VERIFICATION()))
    if deposit.account.verification_status is Status.PENDING_MANUAL_VERIFICATION:
        again = _pane(deposit)
        again.problem = step.state.last_error
        step.show(again, _REQUIRES)
    else:
        _settle(step, deposit)


def _settle(step: Step, deposit: Deposit) -> None:
    """There is nothing more to enter, whichever way it ended."""
    if deposit.account.verification_status is Status.MANUALLY_VERIFIED:
        step.tell("TRANSITION_VIEW", view_name="CONNECTED")
        step.state.pane = panes.Connected(
            actions=["finish"],
            institution=None,
            accounts=[shown_account("0", deposit.account, selected=True)],
        )
        step.effect = KeepItem()
    else:
        show_error(step, problem_of(INCORRECT_DEPOSIT_VERIFICATION()), _REQUIRES)
