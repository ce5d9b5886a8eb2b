"""Going through Link without a browser: a plan says what the user would do."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from treadle.bank.linking import DEFAULT_PASSWORD, DEFAULT_USERNAME
from treadle.http.errors import INVALID_FIELD
from treadle.link import actions, panes
from treadle.link.actions import UserAction
from treadle.link.flows.oauth import bank_accounts
from treadle.link.session import Session
from treadle.link.step import Denied, Granted, view_of
from treadle.sources.sandbox.challenges import documented_answer

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Password = Annotated[str, msgspec.Meta(min_length=1, max_length=100_000)]
_Masks = Annotated[list[str], msgspec.Meta(min_length=1, max_length=500)]
_Answers = Annotated[list[list[str]], msgspec.Meta(max_length=20)]

_DEFAULT_INSTITUTION = "ins_109508"
_OAUTH_INSTITUTION = "ins_127287"
# More than any way through Link has.
_MOST_STEPS = 500


class Entry(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the user links one Item. What is left out is as the documentation says it works."""

    institution_id: _Text = _DEFAULT_INSTITUTION
    username: _Text = DEFAULT_USERNAME
    password: _Password = DEFAULT_PASSWORD
    # Round by round; the documented answers when left out.
    mfa: _Answers | None = None
    # All that are offered when left out, or the first where only one can be taken.
    account_masks: _Masks | None = None


class Plan(Entry, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the user does with Link."""

    # With `error` the user meets the error of `error_code` and leaves.
    outcome: Literal["success", "exit", "error"] = "success"
    # The view on which the user leaves; the first one when left out.
    exit_at: _Text | None = None
    error_code: _Text = "INVALID_CREDENTIALS"
    # Entered instead of a login where the token allows it, and wherever else numbers are asked for.
    routing_number: _Text = "110000000"
    account_number: _Text | None = None
    account_type: Literal["checking", "savings"] = "checking"
    deposit_code: _Text = "ABC"
    # Of a returning user; without one the user goes on as a guest.
    phone_number: _Text | None = None
    otp: _Text = "123456"
    # Linked after the first, where the token allows several.
    further_items: Annotated[list[Entry], msgspec.Meta(max_length=20)] = []


def automatic_plan(outcome: str) -> Plan:
    """The plan that a page asks for in a word. Raises ApiError when there is none of that name."""
    name, _, code = outcome.partition(":")
    match name:
        case "success" | "exit" if not code:
            return Plan(outcome=name)
        case "oauth" if not code:
            return Plan(institution_id=_OAUTH_INSTITUTION)
        case "error" if code:
            return Plan(outcome="error", error_code=code)
    raise INVALID_FIELD(problem="auto must be success, exit, oauth or error:CODE")


async def drive(session: Session, plan: Plan) -> None:
    """Go on with a session until it is finished.

    Raises ApiError when the plan cannot be followed.
    """
    driver = _Driver(session, plan)
    for _ in range(_MOST_STEPS):
        if session.finished:
            return
        await driver.step()
    raise INVALID_FIELD(problem="the plan leads nowhere")


class _Driver:
    def __init__(self, session: Session, plan: Plan) -> None:
        self._session = session
        self._plan = plan
        self._entries: list[Entry] = [plan, *plan.further_items]
        self._rounds = 0

    async def step(self) -> None:
        pane = self._session.state.pane
        if pane is None:
            return
        leaves = self._plan.outcome == "exit" and self._plan.exit_at in (None, view_of(pane))
        if leaves or pane.problem is not None or isinstance(pane, panes.ConfirmExit):
            await self._session.act(actions.Exit())
        elif isinstance(pane, panes.Oauth) and pane.url is not None:
            await self._visit_bank()
        else:
            await self._session.act(self._action(pane))

    @property
    def _entry(self) -> Entry:
        return self._entries[len(self._session.state.added)]

    async def _visit_bank(self) -> None:
        if self._plan.outcome == "error":
            await self._session.hear(Denied())
        else:
            keys = self._keys(bank_accounts(await self._session.step()), several=True)
            await self._session.hear(Granted(keys))

    def _action(self, pane: panes.Pane) -> UserAction:
        match pane:
            case panes.SelectInstitution() if self._by_numbers(pane):
                return actions.EnterNumbers()
            case panes.SelectInstitution() | panes.SelectBrand():
                return actions.SelectInstitution(self._entry.institution_id)
            case panes.Credential():
                self._rounds = 0
                return actions.Submit(
                    {"username": self._entry.username, "password": self._password}
                )
            case panes.Mfa():
                return self._answer(pane)
            case panes.Oauth():
                return actions.OpenOauth()
            case panes.Consent() if self._plan.phone_number is not None:
                return actions.SubmitPhone(self._plan.phone_number)
            case panes.VerifyPhone():
                return actions.Submit({"code": self._plan.otp})
            case panes.SelectSavedInstitution():
                return self._choose_saved(pane)
            case panes.SelectAuthType():
                manual = self._plan.account_number is not None
                return actions.SelectAuthType(f"flow_type_{'manual' if manual else 'instant'}")
            case panes.Numbers():
                return self._enter_numbers(pane)
            case panes.DepositCode() | panes.InstantDepositCode():
                return actions.Submit({"code": self._plan.deposit_code})
            case panes.SelectAccount():
                return actions.SelectAccounts(self._keys(pane.accounts, several=pane.several))
            case panes.Connected():
                more = len(self._session.state.added) + 1 < len(self._entries)
                return actions.AddAnother() if more else actions.Finish()
        return actions.Continue()

    def _by_numbers(self, pane: panes.SelectInstitution) -> bool:
        """Whether the user enters numbers, for which no institution is wanted."""
        plan = self._plan
        return plan.account_number is not None and "enter_numbers" in pane.actions

    def _choose_saved(self, pane: panes.SelectSavedInstitution) -> UserAction:
        saved = [one.institution_id for one in pane.institutions]
        wanted = self._entry.institution_id
        return actions.SelectInstitution(wanted if wanted in saved else saved[0])

    def _enter_numbers(self, pane: panes.Numbers) -> UserAction:
        plan = self._plan
        mask = pane.account.mask if pane.account is not None else None
        values = {
            "routing_number": plan.routing_number,
            "account_number": plan.account_number or f"111122223333{mask or '0000'}",
        }
        if pane.account is None:
            values["account_type"] = plan.account_type
        return actions.Submit(values)

    @property
    def _password(self) -> str:
        if self._plan.outcome == "error":
            return f"error_{self._plan.error_code}"
        return self._entry.password

    def _answer(self, pane: panes.Mfa) -> UserAction:
        number, self._rounds = self._rounds, self._rounds + 1
        given = self._entry.mfa
        if given is None:
            values = [
                documented_answer(
                    pane.mfa_type, number, place, [one.value for one in field.choices]
                )
                for place, field in enumerate(pane.fields)
            ]
        elif number < len(given):
            values = given[number]
        else:
            raise INVALID_FIELD(problem=f"mfa must have answers for round {number + 1}")
        return actions.Submit(dict(zip([one.name for one in pane.fields], values, strict=False)))

    def _keys(self, accounts: list[panes.ShownAccount], *, several: bool) -> list[str]:
        masks = self._entry.account_masks
        if masks is None:
            return [one.key for one in accounts] if several else [accounts[0].key]
        by_mask = {one.mask: one.key for one in accounts}
        unknown = [mask for mask in masks if mask not in by_mask]
        if unknown:
            known = ", ".join(str(mask) for mask in by_mask)
            problem = f"account_masks must be of accounts that are offered: {known}"
            raise INVALID_FIELD(problem=problem)
        return [by_mask[mask] for mask in masks]
