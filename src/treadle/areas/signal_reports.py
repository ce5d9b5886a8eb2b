"""What became of debits that were evaluated: whether they were begun, and if they came back."""

from __future__ import annotations

import datetime as dt
import re

from treadle.bank.rows import Account
from treadle.call import ClientCall, ProcessorCall
from treadle.clock import from_datetime
from treadle.gates import ClientGate, ProcessorGate
from treadle.http import errors
from treadle.operations import operation
from treadle.signal.rows import (
    Decision,
    Evaluation,
    Return,
    find_evaluation,
    set_decision,
    set_return,
)
from treadle.wire.processor import (
    ProcessorSignalDecisionReportRequest,
    ProcessorSignalDecisionReportResponse,
    ProcessorSignalReturnReportRequest,
    ProcessorSignalReturnReportResponse,
)
from treadle.wire.signal import (
    SignalDecisionReportRequest,
    SignalDecisionReportResponse,
    SignalReturnReportRequest,
    SignalReturnReportResponse,
)

_RETURN_CODE = re.compile(r"R(?!00)[0-9]{2}")


@operation("/signal/decision/report", gate=ClientGate())
async def signal_decision_report(
    call: ClientCall, request: SignalDecisionReportRequest
) -> SignalDecisionReportResponse:
    evaluation = await _evaluation(call, request.client_transaction_id)
    _report_decision(call, evaluation, request, request.submitted_at)
    return SignalDecisionReportResponse(request_id=call.request_id)


@operation("/processor/signal/decision/report", gate=ProcessorGate())
async def processor_signal_decision_report(
    call: ProcessorCall, request: ProcessorSignalDecisionReportRequest
) -> ProcessorSignalDecisionReportResponse:
    evaluation = await _evaluation(call, request.client_transaction_id, call.account)
    _report_decision(call, evaluation, request)
    return ProcessorSignalDecisionReportResponse(request_id=call.request_id)


def _report_decision(
    call: ClientCall,
    evaluation: Evaluation,
    request: SignalDecisionReportRequest | ProcessorSignalDecisionReportRequest,
    submitted_at: dt.datetime | None = None,
) -> None:
    """Keep a decision in place of the one before. Raises ApiError for an amount below zero."""
    instantly = request.amount_instantly_available
    if instantly is not None and instantly < 0:
        problem = "amount_instantly_available must be a number of at least 0"
        raise errors.INVALID_FIELD(problem=problem)
    decision = Decision(
        initiated=request.initiated,
        days_funds_on_hold=request.days_funds_on_hold,
        decision_outcome=request.decision_outcome,
        payment_method=request.payment_method,
        amount_instantly_available=instantly,
        submitted_at=submitted_at,
    )
    set_decision(call, evaluation, decision)


@operation("/signal/return/report", gate=ClientGate())
async def signal_return_report(
    call: ClientCall, request: SignalReturnReportRequest
) -> SignalReturnReportResponse:
    evaluation = await _evaluation(call, request.client_transaction_id)
    _report_return(call, evaluation, request)
    return SignalReturnReportResponse(request_id=call.request_id)


@operation("/processor/signal/return/report", gate=ProcessorGate())
async def processor_signal_return_report(
    call: ProcessorCall, request: ProcessorSignalReturnReportRequest
) -> ProcessorSignalReturnReportResponse:
    evaluation = await _evaluation(call, request.client_transaction_id, call.account)
    _report_return(call, evaluation, request)
    return ProcessorSignalReturnReportResponse(request_id=call.request_id)


def _report_return(
    call: ClientCall,
    evaluation: Evaluation,
    request: SignalReturnReportRequest | ProcessorSignalReturnReportRequest,
) -> None:
    """Keep a return in place of the one before.

    Raises ApiError for what is no return code, for a return yet to come, and for one of a debit
    that was not begun.
    """
    if not _RETURN_CODE.fullmatch(request.return_code):
        raise errors.INVALID_FIELD(problem='return_code must be an ACH return code such as "R01"')
    returned_at = request.returned_at
    if returned_at is not None and returned_at.tzinfo is None:
        returned_at = returned_at.replace(tzinfo=dt.UTC)
    if returned_at is not None and from_datetime(returned_at) > call.now:
        raise errors.INVALID_FIELD(problem="returned_at must not be in the future")
    if evaluation.decision is not None and not evaluation.decision.initiated:
        raise errors.SIGNAL_TRANSACTION_NOT_INITIATED()
    set_return(call, evaluation, Return(request.return_code, returned_at))


async def _evaluation(
    call: ClientCall, client_transaction_id: str, account: Account | None = None
) -> Evaluation:
    """One of the client's own evaluations, of the account if one is given.

    Raises ApiError, the same for what is another's as for what there is not.
    """
    found = await find_evaluation(call, client_transaction_id)
    if found is None or (account is not None and not found.is_of(account)):
        problem = "client_transaction_id must be one that was evaluated before"
        raise errors.INVALID_FIELD(problem=problem)
    return found
