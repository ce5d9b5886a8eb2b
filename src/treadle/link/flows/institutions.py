"""Choosing an institution: the list, the search, and the several ways into one bank."""

from __future__ import annotations

import msgspec

from treadle.bank.model import Institution
from treadle.http import errors
from treadle.link import actions, panes
from treadle.link.flows.login import show_login
from treadle.link.flows.numbers import ask_numbers, numbers_offer
from treadle.link.flows.problems import show_error
from treadle.link.step import ItemKept, KeepItem, NotOffered, Step, on, problem_of, shown

_MOST_LISTED = 40
# The institutions that are ways into one bank, under the one that is listed for all of them.
_BRANDS = {"ins_109508": ("ins_109508", "ins_132241")}
_NOT_FOUND = "institution_not_found"


def list_institutions(step: Step) -> None:
    step.state.forget_institution()
    step.show(listed(step), _NOT_FOUND)


def listed(step: Step, query: str = "") -> panes.SelectInstitution:
    found = _matching(step, query)
    return panes.SelectInstitution(
        actions=["search", "select_institution", *numbers_offer(step)],
        query=query,
        institutions=[shown(one) for one in found[:_MOST_LISTED]],
        total=len(found),
    )


def _matching(step: Step, query: str) -> list[Institution]:
    """The institutions whose name has every word of a query, those that begin with it first."""
    words = query.casefold().split()
    first = step.setup.institution_id
    routing = step.setup.routing_number
    found = [
        one
        for one in step.catalogue
        if step.setup.serves(one) and all(word in one.name.casefold() for word in words)
    ]
    return sorted(
        found,
        key=lambda one: (
            one.institution_id != first and routing not in one.routing_numbers,
            not one.name.casefold().startswith(query.casefold()),
        ),
    )


@on(panes.SelectInstitution, action=actions.Search)
def search(step: Step, pane: panes.SelectInstitution, action: actions.Search) -> None:
    query = action.query.strip()
    if query == pane.query:
        return
    if query:
        step.tell("SEARCH_INSTITUTION", institution_search_query=query)
    step.state.pane = listed(step, query)


@on(panes.SelectInstitution, action=actions.SelectInstitution)
def select(step: Step, pane: panes.SelectInstitution, action: actions.SelectInstitution) -> None:
    institution = _find(step, action.institution_id)
    ways = [_find(step, one) for one in _BRANDS.get(institution.institution_id, ())]
    ways = [one for one in ways if not step.setup.missing_at(one)]
    if len(ways) < 2:
        _take(step, institution)
        return
    step.tell("SELECT_BRAND", brand_name=institution.name)
    brand = panes.SelectBrand(
        actions=["select_institution", "back"],
        brand_name=institution.name,
        institutions=[shown(one) for one in ways],
    )
    step.show(brand, _NOT_FOUND)


@on(panes.SelectBrand, action=actions.SelectInstitution)
def select_way(step: Step, pane: panes.SelectBrand, action: actions.SelectInstitution) -> None:
    if action.institution_id not in [one.institution_id for one in pane.institutions]:
        raise NotOffered("institution_id must be one of those shown")
    _take(step, _find(step, action.institution_id))


@on(
    panes.SelectBrand,
    panes.Credential,
    panes.Oauth,
    panes.Mfa,
    panes.SelectAccount,
    panes.ErrorShown,
    panes.Numbers,
    action=actions.Back,
)
def back(step: Step, pane: panes.Pane, action: actions.Back) -> None:
    list_institutions(step)


def _find(step: Step, institution_id: str) -> Institution:
    found = step.catalogue.find(institution_id)
    if found is None or not step.setup.serves(found):
        raise NotOffered("institution_id must be one of an institution in the countries asked for")
    return found


def _take(step: Step, institution: Institution) -> None:
    step.choose_institution(institution)
    missing = step.setup.missing_at(institution)
    if missing:
        step.tell("SELECT_FILTERED_INSTITUTION")
        products = msgspec.json.encode(missing).decode()
        problem = problem_of(errors.PRODUCTS_NOT_SUPPORTED(products=products))
        show_error(step, problem, "institution_not_supported")
    elif institution.status == "down":
        step.tell("SELECT_DOWN_INSTITUTION")
        problem = problem_of(errors.FORCED["INSTITUTION_DOWN"]())
        step.meet(problem)
        show_error(step, problem, _NOT_FOUND)
    elif not institution.supported:
        step.tell("SELECT_INSTITUTION")
        problem = problem_of(errors.FORCED["INSTITUTION_NO_LONGER_SUPPORTED"]())
        step.meet(problem)
        show_error(step, problem, "institution_not_supported")
    else:
        if institution.status == "degraded":
            step.tell("SELECT_DEGRADED_INSTITUTION")
        routing = step.setup.routing_number
        if routing is not None and routing in institution.routing_numbers:
            step.tell(
                "MATCHED_SELECT_INSTITUTION",
                match_reason="routing_number",
                routing_number=routing,
            )
        else:
            step.tell("SELECT_INSTITUTION")
        if step.setup.sends_deposit_at(institution):
            ask_numbers(step)
        elif step.state.consents_late:
            step.state.consents_late = False
            step.show(_late_consent(institution), None)
        else:
            show_login(step, institution)


def _late_consent(institution: Institution) -> panes.Consent:
    return panes.Consent(
        actions=["continue"], institution=shown(institution), asks_phone=False, phone_ending=None
    )


@on(panes.Connected, action=actions.AddAnother)
def add_another(step: Step, pane: panes.Connected, action: actions.AddAnother) -> None:
    step.effect = KeepItem(another=True)


@on(panes.Connected, action=ItemKept)
def hand_off(step: Step, pane: panes.Connected, outcome: ItemKept) -> None:
    step.tell("HANDOFF")
    if outcome.another:
        step.load()
        list_institutions(step)
    else:
        step.end(success=True)
