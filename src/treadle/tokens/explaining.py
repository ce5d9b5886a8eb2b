"""Why a partner may or may not call: every check of the gate by itself, with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from treadle.http import errors
from treadle.tokens.decision import (
    Allowed,
    Decision,
    Refused,
    decide_fields,
    decide_item,
    decide_life,
    decide_permissions,
    decide_presence,
)
from treadle.tokens.rows import ProcessorGrant
from treadle.tokens.scope import Scope

Name = Literal["partner", "token", "account", "item", "permissions", "fields", "product"]


class Check(msgspec.Struct, frozen=True):
    """One thing that the gate looks at. A decision of None: what it was then is not recorded."""

    name: Name
    decision: Decision | None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked about a grant as it is, was or would be."""

    grant: ProcessorGrant
    scope: Scope
    # The instant by the owner's clock, and whether it lies in the past.
    at: int
    is_past: bool
    created_at: int
    # What is said of whoever would call, if that is asked.
    partner: Decision | None


def explain(question: Question) -> Iterator[Check]:
    """The checks, in the order in which the gate makes them; the first that refuses decides."""
    grant, scope = question.grant, question.scope
    if question.partner is not None:
        yield Check("partner", question.partner)
    yield Check("token", _life(question))
    item = decide_presence(grant.item)
    yield Check("account", _account(question, item))
    yield Check("item", item)
    yield Check("permissions", decide_permissions(grant.products, scope))
    yield Check("fields", decide_fields(grant.token, scope))
    # An Item's products and health change in place, so what they were is known no longer.
    yield Check("product", None if question.is_past else _product(question))


def _life(question: Question) -> Decision | None:
    token = question.grant.token
    if question.created_at > question.at:
        return Refused(errors.PROCESSOR_TOKEN_UNKNOWN(), "the token was not made yet")
    decision = decide_life(token, question.at)
    limits = token.limits
    counted = limits is not None and limits.calls is not None
    if isinstance(decision, Allowed) and question.is_past and counted:
        return None
    return decision


def _account(question: Question, item: Decision) -> Decision | None:
    """An account goes without a trace of when it did."""
    if question.grant.account is not None:
        return Allowed()
    if question.is_past and isinstance(item, Allowed):
        return None
    return Refused(errors.ITEM_NOT_FOUND(), "the account is no longer shared")


def _product(question: Question) -> Decision:
    scope = question.scope
    return decide_item(
        question.grant.item,
        scope.product,
        question.at,
        reads_data=scope.reads_data,
        initialises=scope.initialises,
    )
