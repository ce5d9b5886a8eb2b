"""Choosing accounts of a login, among those that the link token admits."""

from __future__ import annotations

from treadle.http import errors
from treadle.link import actions, panes
from treadle.link.flows.ending import show_connected
from treadle.link.flows.numbers import ask_numbers
from treadle.link.flows.problems import show_error
from treadle.link.flows.shown import shown_account
from treadle.link.setup import lacks_account
from treadle.link.step import NotOffered, Step, on, problem_of, shown


def admitted_accounts(step: Step) -> list[int]:
    """The places of the accounts that the user may share; none unless they serve every product."""
    accounts = step.login.accounts
    places = [
        place
        for place, one in enumerate(accounts)
        if not one.closed and step.setup.admits(one.data)
    ]
    if lacks_account(step.setup.products, [accounts[place].data for place in places]):
        return []
    return places


def choose_accounts(step: Step) -> None:
    update = step.setup.update
    if update is not None and not update.selects_accounts:
        # The bank may show fewer than it did.
        there = {place for place, one in enumerate(step.login.accounts) if not one.closed}
        step.login.chosen = [place for place in step.state.shared if place in there]
        show_connected(step)
        return
    places = admitted_accounts(step)
    if not places:
        problem = problem_of(errors.FORCED["NO_ACCOUNTS"]())
        step.meet(problem)
        show_error(step, problem, "requires_account_selection")
        return
    pane = panes.SelectAccount(
        actions=["select_accounts"],
        institution=shown(step.institution),
        accounts=[
            shown_account(
                str(place),
                step.login.accounts[place].data,
                selected=len(places) == 1 or place in step.state.shared,
            )
            for place in places
        ],
        several=not step.setup.matches_numbers_at(step.institution),
    )
    step.show(pane, "requires_account_selection")


@on(panes.SelectAccount, action=actions.SelectAccounts)
def select(step: Step, pane: panes.SelectAccount, action: actions.SelectAccounts) -> None:
    step.login.chosen = chosen_places(pane.accounts, action.accounts, several=pane.several)
    if step.setup.matches_numbers_at(step.institution):
        ask_numbers(step)
    else:
        step.load()
        show_connected(step)


def chosen_places(
    offered: list[panes.ShownAccount], keys: list[str], *, several: bool
) -> list[int]:
    """Raises NotOffered unless the keys are of accounts that are offered, and enough of them."""
    wanted = set(keys)
    if not wanted or not wanted <= {one.key for one in offered}:
        raise NotOffered("accounts must name one or more of the accounts shown")
    if not several and len(wanted) > 1:
        raise NotOffered("accounts must name exactly one account")
    return sorted(map(int, wanted))
