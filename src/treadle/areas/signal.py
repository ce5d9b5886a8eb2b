"""What a planned debit risks, and when to try it."""

from __future__ import annotations

from msgspec import structs

from treadle.bank.model import AccountData
from treadle.bank.rows import Account
from treadle.call import ItemCall, ProcessorCall
from treadle.clock import to_date
from treadle.gates import ItemGate, ProcessorGate
from treadle.http import errors
from treadle.matching import MAX_LENGTH
from treadle.operations import operation
from treadle.signal.attributes import core_attributes
from treadle.signal.facts import (
    MAX_AMOUNT,
    AccountFacts,
    Debit,
    account_facts,
    full_name,
    holder_matches,
    to_cents,
)
from treadle.signal.rows import (
    Asked,
    Assessment,
    DebitCall,
    Evaluation,
    find_evaluation,
    insert_evaluation,
    return_codes,
    set_assessment,
)
from treadle.signal.rulesets import DEFAULT, RULESETS
from treadle.signal.schedule import plan
from treadle.signal.scoring import Scores, score
from treadle.wire.common import (
    BankInitiatedReturnRisk,
    CustomerInitiatedReturnRisk,
    Products,
    SignalScores,
    SignalUser,
    SignalWarning,
)
from treadle.wire.processor import (
    ProcessorSignalEvaluateRequest,
    ProcessorSignalEvaluateResponse,
    ProcessorSignalPrepareRequest,
    ProcessorSignalPrepareResponse,
)
from treadle.wire.signal import (
    SignalEvaluateRequest,
    SignalEvaluateResponse,
    SignalPrepareRequest,
    SignalPrepareResponse,
    SignalScheduleDefaultPaymentMethod,
    SignalScheduleRequest,
    SignalScheduleResponse,
)

EvaluateRequest = SignalEvaluateRequest | ProcessorSignalEvaluateRequest

_METHODS = [method.value for method in SignalScheduleDefaultPaymentMethod]


@operation("/signal/prepare", gate=ItemGate(Products.SIGNAL))
async def signal_prepare(call: ItemCall, request: SignalPrepareRequest) -> SignalPrepareResponse:
    return SignalPrepareResponse(request_id=call.request_id)


@operation("/processor/signal/prepare", gate=ProcessorGate())
async def processor_signal_prepare(
    call: ProcessorCall, request: ProcessorSignalPrepareRequest
) -> ProcessorSignalPrepareResponse:
    return ProcessorSignalPrepareResponse(request_id=call.request_id)


@operation("/signal/evaluate", gate=ItemGate(Products.SIGNAL))
async def signal_evaluate(call: ItemCall, request: SignalEvaluateRequest) -> SignalEvaluateResponse:
    assessment = await _evaluate(call, await call.account(request.account_id), request)
    return SignalEvaluateResponse(
        request_id=call.request_id, risk_profile=None, **structs.asdict(assessment)
    )


@operation("/processor/signal/evaluate", gate=ProcessorGate())
async def processor_signal_evaluate(
    call: ProcessorCall, request: ProcessorSignalEvaluateRequest
) -> ProcessorSignalEvaluateResponse:
    assessment = await _evaluate(call, call.account, request)
    return ProcessorSignalEvaluateResponse(request_id=call.request_id, **structs.asdict(assessment))


async def _evaluate(call: DebitCall, account: Account, request: EvaluateRequest) -> Assessment:
    """Assess a debit, once: its id asked about again is answered as it was the first time."""
    asked = _asked(request.amount)
    name = _name(request.user or SignalUser())
    if request.default_payment_method not in (None, *_METHODS):
        choices = ", ".join(_METHODS)
        raise errors.INVALID_FIELD(problem=f"default_payment_method must be one of {choices}")
    ruleset = RULESETS.get(DEFAULT if request.ruleset_key is None else request.ruleset_key)
    if ruleset is None:
        raise errors.RULESET_NOT_FOUND()
    data = account.data
    _check_debitable(data)
    earlier = await _find_same(call, account, request.client_transaction_id, asked)
    if earlier is not None and earlier.assessment is not None:
        return earlier.assessment
    facts = await _facts(call, account, data)
    debit = Debit(asked.amount_cents, bool(request.is_recurring), holder_matches(name, data.owners))
    scores = score(facts, debit, known_outcomes=call.services.settings.sandbox)
    assessment = Assessment(
        scores=_scores_view(scores),
        core_attributes=core_attributes(facts, request.amount),
        ruleset=ruleset.apply(scores),
        warnings=_warnings(facts),
    )
    if earlier is None:
        insert_evaluation(call, account, request.client_transaction_id, asked, assessment)
    else:
        set_assessment(call, earlier, assessment)
    return assessment


@operation("/signal/schedule", gate=ItemGate(Products.SIGNAL))
async def signal_schedule(call: ItemCall, request: SignalScheduleRequest) -> SignalScheduleResponse:
    asked = _asked(request.amount)
    account = await call.account(request.account_id)
    data = account.data
    _check_debitable(data)
    transaction_id = request.client_transaction_id
    if await _find_same(call, account, transaction_id, asked) is None:
        insert_evaluation(call, account, transaction_id, asked)
    facts = await _facts(call, account, data)
    sandbox = call.services.settings.sandbox
    scores = score(facts, Debit(asked.amount_cents), known_outcomes=sandbox)
    schedule = plan(
        None if facts.funds is None else scores.bank_initiated,
        to_date(call.now),
        request.default_payment_method,
    )
    return SignalScheduleResponse(
        optimal_date=schedule.optimal_date,
        recommendations=schedule.recommendations,
        warnings=_warnings(facts),
        request_id=call.request_id,
    )


def _asked(amount: float) -> Asked:
    cents = to_cents(amount) if 0 < amount <= MAX_AMOUNT else 0
    if cents == 0:
        problem = f"amount must be a number from 0.01 to {MAX_AMOUNT}"
        raise errors.INVALID_FIELD(problem=problem)
    return Asked(cents)


def _name(user: SignalUser) -> str:
    name = full_name(user.name)
    if len(name) > MAX_LENGTH:
        raise errors.INVALID_FIELD(problem=f"user.name must be at most {MAX_LENGTH} characters")
    return name


def _check_debitable(data: AccountData) -> None:
    if not data.debitable:
        raise errors.NO_AUTH_ACCOUNTS()
    if data.balances.iso_currency_code != "USD":
        raise errors.ITEM_NOT_SUPPORTED()


async def _find_same(
    call: DebitCall, account: Account, client_transaction_id: str, asked: Asked
) -> Evaluation | None:
    """What is known of a transaction. Raises ApiError when its id stands for another one."""
    earlier = await find_evaluation(call, client_transaction_id)
    if earlier is not None and not (earlier.is_of(account) and earlier.asked == asked):
        raise errors.CLIENT_TRANSACTION_ID_ALREADY_IN_USE()
    return earlier


async def _facts(call: DebitCall, account: Account, data: AccountData) -> AccountFacts:
    return account_facts(call.item, data, await return_codes(call, account), call.now)


def _scores_view(scores: Scores) -> SignalScores:
    return SignalScores(
        customer_initiated_return_risk=CustomerInitiatedReturnRisk(
            score=scores.customer_initiated, risk_tier=scores.customer_tier
        ),
        bank_initiated_return_risk=BankInitiatedReturnRisk(
            score=scores.bank_initiated, risk_tier=scores.bank_tier
        ),
    )


def _warnings(facts: AccountFacts) -> list[SignalWarning]:
    """What the bank did not tell, and the scores therefore do not follow from."""
    if facts.funds is not None:
        return []
    kind = errors.PRODUCT_NOT_READY
    return [
        SignalWarning(
            warning_type=kind.error_type,
            warning_code=kind.error_code,
            warning_message="the bank tells no balance of this account",
        )
    ]
