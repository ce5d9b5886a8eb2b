"""Evaluations as they are stored: under the client that asked, with what it reported later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, func, select, update

from treadle.bank.rows import HOLD_ITEM, Account
from treadle.call import ClientCall, ItemCall, ProcessorCall
from treadle.store.statements import Query, Write
from treadle.store.tables import items, signal_evaluations
from treadle.wire.common import (
    Ruleset,
    SignalDecisionOutcome,
    SignalEvaluateCoreAttributes,
    SignalPaymentMethod,
    SignalScores,
    SignalWarning,
)

DebitCall = ItemCall | ProcessorCall


class Asked(msgspec.Struct):
    """What makes a transaction the same one, asked about again."""

    amount_cents: int


class Assessment(msgspec.Struct):
    """What an evaluation answers."""

    scores: SignalScores
    core_attributes: SignalEvaluateCoreAttributes
    ruleset: Ruleset
    warnings: list[SignalWarning]


class Decision(msgspec.Struct):
    """Whether a debit was begun, and how, as it was reported."""

    initiated: bool
    days_funds_on_hold: int | None
    decision_outcome: SignalDecisionOutcome | None
    payment_method: SignalPaymentMethod | None
    amount_instantly_available: float | None
    submitted_at: dt.datetime | None = None


class Return(msgspec.Struct):
    """That a debit came back, as it was reported."""

    return_code: str
    returned_at: dt.datetime | None


_encode = msgspec.json.Encoder().encode
_decode_asked = msgspec.json.Decoder(Asked).decode
_decode_assessment: Callable[[str], Assessment | None] = msgspec.json.Decoder(
    Assessment | None
).decode
_decode_decision = msgspec.json.Decoder(Decision).decode
_decode_return = msgspec.json.Decoder(Return).decode

# How many of an account's latest returns are looked at; three weigh as much as any more.
_MAX_RETURNS = 100
_NO_ANSWER = "null"
_returned = signal_evaluations.c["return"]


class Evaluation(msgspec.Struct):
    client_transaction_id: str
    item_id: str
    account_id: str
    asked_json: str
    answer_json: str
    decision_json: str | None

    def is_of(self, account: Account) -> bool:
        return (self.item_id, self.account_id) == (account.item_id, account.account_id)

    @property
    def asked(self) -> Asked:
        return _decode_asked(self.asked_json)

    @property
    def assessment(self) -> Assessment | None:
        """What was answered; None for a transaction that so far was only scheduled."""
        return _decode_assessment(self.answer_json)

    @property
    def decision(self) -> Decision | None:
        return None if self.decision_json is None else _decode_decision(self.decision_json)


_EVALUATION = Query(
    select(
        signal_evaluations.c.client_transaction_id,
        signal_evaluations.c.item_id,
        signal_evaluations.c.account_id,
        signal_evaluations.c.request,
        signal_evaluations.c.answer,
        signal_evaluations.c.decision,
    )
    .where(signal_evaluations.c.client_id == bindparam("client_id"))
    .where(signal_evaluations.c.client_transaction_id == bindparam("client_transaction_id")),
    Evaluation,
)
_RETURN_CODES = Query(
    select(_returned)
    .where(signal_evaluations.c.item_id == bindparam("item_id"))
    .where(signal_evaluations.c.client_id == bindparam("client_id"))
    .where(signal_evaluations.c.account_id == bindparam("account_id"))
    .where(_returned.is_not(None))
    .order_by(signal_evaluations.c.created_at.desc())
    .limit(_MAX_RETURNS),
    lambda text: _decode_return(text).return_code,
)
_INSERT = Write.insert(signal_evaluations)
_the_evaluation = (
    signal_evaluations.c.client_id == bindparam("the_client_id"),
    signal_evaluations.c.client_transaction_id == bindparam("the_client_transaction_id"),
)
# Touches no row once another call has answered.
_SET_ANSWER = Write(
    update(signal_evaluations)
    .where(*_the_evaluation)
    .where(signal_evaluations.c.answer == _NO_ANSWER)
    .values(answer=bindparam("answer"))
)
_SET_DECISION = Write(
    update(signal_evaluations).where(*_the_evaluation).values(decision=bindparam("decision"))
)
# Touches no row once another decision was reported than the one that was seen.
_SET_RETURN = Write(
    update(signal_evaluations)
    .where(*_the_evaluation)
    .where(func.coalesce(signal_evaluations.c.decision, "") == bindparam("seen_decision"))
    .values({_returned: bindparam("the_return")})
)
# A partner's evaluations of an Item are the partner's rows, and go with the Item all the same.
DELETE_EVALUATIONS = Write(
    delete(signal_evaluations).where(
        signal_evaluations.c.item_id.in_(
            select(items.c.item_id)
            .where(items.c.item_id == bindparam("item_id"))
            .where(items.c.client_id == bindparam("client_id"))
        )
    )
)


async def find_evaluation(call: ClientCall, client_transaction_id: str) -> Evaluation | None:
    return await call.first(
        _EVALUATION,
        client_id=call.client.client_id,
        client_transaction_id=client_transaction_id,
    )


async def return_codes(call: ClientCall, account: Account) -> list[str]:
    """The codes of the debits of an account that the client has reported to have come back."""
    return await call.all(
        _RETURN_CODES,
        client_id=call.client.client_id,
        item_id=account.item_id,
        account_id=account.account_id,
    )


def insert_evaluation(
    call: DebitCall,
    account: Account,
    client_transaction_id: str,
    asked: Asked,
    assessment: Assessment | None = None,
) -> None:
    """Keep what was asked, with the answer to it or, without one, as a debit to be scheduled.

    Of two inserts of one id at the same time one is kept, and none once the Item is removed.
    """
    item = call.item
    evaluation = Evaluation(
        client_transaction_id,
        account.item_id,
        account.account_id,
        _text(asked),
        _text(assessment),
        None,
    )
    call.change.write(HOLD_ITEM, the_item_id=item.item_id, the_client_id=item.client_id)
    row: dict[str, Any] = {
        "client_id": call.client.client_id,
        "client_transaction_id": client_transaction_id,
        "item_id": evaluation.item_id,
        "account_id": evaluation.account_id,
        "request": evaluation.asked_json,
        "answer": evaluation.answer_json,
        "decision": None,
        "return": None,
        "created_at": call.now,
    }
    call.change.write(_INSERT, **row)
    if assessment is None:
        _record(call, "signal.schedule", evaluation)
    else:
        _record(call, "signal.evaluate", evaluation, result=assessment.ruleset.result)


def set_assessment(call: ClientCall, evaluation: Evaluation, assessment: Assessment) -> None:
    """Answer a transaction that was scheduled before."""
    call.change.write(_SET_ANSWER, answer=_text(assessment), **_name(call, evaluation))
    _record(call, "signal.evaluate", evaluation, result=assessment.ruleset.result)


def set_decision(call: ClientCall, evaluation: Evaluation, decision: Decision) -> None:
    call.change.write(_SET_DECISION, decision=_text(decision), **_name(call, evaluation))
    _record(call, "signal.decision_report", evaluation, initiated=decision.initiated)


def set_return(call: ClientCall, evaluation: Evaluation, returned: Return) -> None:
    call.change.write(
        _SET_RETURN,
        the_return=_text(returned),
        seen_decision=evaluation.decision_json or "",
        **_name(call, evaluation),
    )
    _record(call, "signal.return_report", evaluation, return_code=returned.return_code)


def _name(call: ClientCall, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "the_client_id": call.client.client_id,
        "the_client_transaction_id": evaluation.client_transaction_id,
    }


def _record(call: ClientCall, action: str, evaluation: Evaluation, **detail: Any) -> None:
    call.record(
        action,
        item_id=evaluation.item_id,
        account_id=evaluation.account_id,
        detail={"client_transaction_id": evaluation.client_transaction_id, **detail},
    )


def _text(value: object) -> str:
    return _encode(value).decode()
