"""Evaluations of planned debits and the reports on them, with both kinds of token."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from plaid.api import plaid_api

from tests.promises.database import execute, query, records
from tests.support.flows import (
    NO_AUTH_ACCOUNTS,
    NO_SUCH_ACCOUNT,
    UNKNOWN_ACCOUNT,
    Linked,
    Refusal,
    call,
    client_of,
    link,
    mint,
    narrow,
    new_client,
    not_authorized,
    not_supported,
    refused,
    unknown_token,
)
from tests.support.raw import Api, cli
from tests.support.sdk import CLIENT_ID
from tests.support.server import Server
from treadle.app import KEY_FILE
from treadle.keys import load_keys

MANY = 24
ROYAL_BANK = "ins_117650"
HOUNDSTOOTH = "ins_109512"
AMOUNT = Refusal(
    "INVALID_REQUEST", "INVALID_FIELD", "amount must be a number from 0.01 to 99999999.99"
)
IN_USE = Refusal(
    "SIGNAL_ERROR",
    "CLIENT_TRANSACTION_ID_ALREADY_IN_USE",
    "client_transaction_id is already in use for another transaction",
)
NO_RULESET = Refusal(
    "SIGNAL_ERROR", "RULESET_NOT_FOUND", "could not find a ruleset with the provided ruleset_key"
)
NOT_INITIATED = Refusal(
    "SIGNAL_ERROR",
    "SIGNAL_TRANSACTION_NOT_INITIATED",
    "a transaction that was reported as not initiated cannot be returned",
)
UNKNOWN_TRANSACTION = Refusal(
    "INVALID_REQUEST",
    "INVALID_FIELD",
    "client_transaction_id must be one that was evaluated before",
)
NOT_DEBITABLE = ("2222", "3333", "4444", "5555", "7777")


class Way:
    """The operations as one kind of token has them, for one account of one Item."""

    def __init__(
        self, api: plaid_api.PlaidApi, item: Linked, kind: str, mask: str = "0000"
    ) -> None:
        self.api = api
        self.item = item
        self.kind = kind
        if kind == "access":
            self.prefix = "signal"
            self.token = {"access_token": item.access_token}
            self.account = {"account_id": item.account_id(mask)}
            self.report_token: dict[str, str] = {}
        else:
            self.prefix = "processor_signal"
            self.token = {"processor_token": mint(api, item, mask=mask)}
            self.account = {}
            self.report_token = self.token

    def asking(self, amount: float, transaction: str, **further: Any) -> dict[str, Any]:
        given = {"client_transaction_id": transaction, "amount": amount, **further}
        return {**self.token, **self.account, **given}

    def evaluate(
        self, amount: float, transaction: str | None = None, **further: Any
    ) -> dict[str, Any]:
        fields = self.asking(amount, transaction or new_id(), **further)
        return call(self.api, f"{self.prefix}_evaluate", **fields)

    def evaluate_refused(
        self, refusal: Refusal, amount: float, transaction: str | None = None, **further: Any
    ) -> None:
        fields = self.asking(amount, transaction or new_id(), **further)
        refused(self.api, f"{self.prefix}_evaluate", refusal, **fields)

    def report(self, what: str, transaction: str, **fields: Any) -> None:
        fields = {**self.report_token, "client_transaction_id": transaction, **fields}
        answer = call(self.api, f"{self.prefix}_{what}_report", **fields)
        assert set(answer) == {"request_id"}

    def report_refused(self, refusal: Refusal, what: str, transaction: str, **fields: Any) -> None:
        fields = {**self.report_token, "client_transaction_id": transaction, **fields}
        refused(self.api, f"{self.prefix}_{what}_report", refusal, **fields)


class Risk(NamedTuple):
    bank: int
    customer: int


def new_id() -> str:
    return str(uuid4())


def risk(answer: dict[str, Any]) -> Risk:
    scores = answer["scores"]
    return Risk(
        scores["bank_initiated_return_risk"]["score"],
        scores["customer_initiated_return_risk"]["score"],
    )


def malformed(problem: str) -> Refusal:
    return Refusal("INVALID_REQUEST", "INVALID_FIELD", problem)


@pytest.fixture(params=["access", "processor"])
def way(request: pytest.FixtureRequest, api: plaid_api.PlaidApi, shared_item: Linked) -> Way:
    return Way(api, shared_item, request.param)


@pytest.fixture(params=["access", "processor"])
def own_way(request: pytest.FixtureRequest, api: plaid_api.PlaidApi) -> Way:
    """As `way`, with an Item of the test's own, which no earlier report has to do with."""
    return Way(api, link(api), request.param)


def test_signal_evaluate_answers_what_follows_from_the_account(way: Way) -> None:
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    answer = way.evaluate(50.0)
    members = {"request_id", "scores", "core_attributes", "ruleset", "warnings"}
    assert set(answer) == members | ({"risk_profile"} if way.kind == "access" else set())
    assert answer.get("risk_profile") is None
    assert answer["scores"] == {
        "bank_initiated_return_risk": {"score": 14, "risk_tier": 2},
        "customer_initiated_return_risk": {"score": 13, "risk_tier": 1},
    }
    assert answer["ruleset"] == {
        "ruleset_key": "default",
        "result": "ACCEPT",
        "outcome": "ACCEPT",
        "triggered_rule_details": {"internal_note": "Both scores below 20"},
    }
    assert answer["warnings"] == []
    told = {name: value for name, value in answer["core_attributes"].items() if value is not None}
    assert before <= told.pop("balance_last_updated") <= dt.datetime.now(dt.UTC)
    assert told == {
        "available_balance": 100.0,
        "current_balance": 110.0,
        "balance_to_transaction_amount_ratio": 2.0,
        "days_since_first_plaid_connection": 0,
        "is_savings_or_money_market_account": False,
    }
    assert len(answer["core_attributes"]) > 60


def test_both_tokens_get_the_same_evaluation(api: plaid_api.PlaidApi, shared_item: Linked) -> None:
    ways = [Way(api, shared_item, kind, "1111") for kind in ("access", "processor")]
    transaction = new_id()
    first, again = (way.evaluate(150.0, transaction) for way in ways)
    another = ways[1].evaluate(150.0)
    for part in ("scores", "core_attributes", "ruleset", "warnings"):
        assert first[part] == again[part]
    assert another["scores"] == first["scores"]
    assert first["core_attributes"]["is_savings_or_money_market_account"] is True
    assert first["request_id"] != again["request_id"]


@pytest.mark.parametrize(
    ("amount", "ruleset_key", "expected"),
    [
        (11.11, None, (5, 5, "ACCEPT", None)),
        (22.22, None, (30, 30, "ACCEPT", "3-day-hold")),
        (33.33, "default", (55, 55, "REVIEW", None)),
        (44.44, "default", (75, 75, "REROUTE", None)),
        (11.11, "strict", (5, 5, "ACCEPT", None)),
        (22.22, "strict", (30, 30, "REVIEW", None)),
        (33.33, "strict", (55, 55, "REROUTE", None)),
        (33.33, "lenient", (55, 55, "ACCEPT", None)),
        (44.44, "lenient", (75, 75, "REVIEW", None)),
        (55.55, "lenient", (98, 98, "REROUTE", None)),
        (66.66, "default", (98, 5, "REROUTE", None)),
        (77.77, "default", (5, 98, "REROUTE", None)),
    ],
)
def test_signal_evaluate_of_a_known_amount_has_a_known_outcome(
    way: Way, amount: float, ruleset_key: str | None, expected: tuple[int, int, str, str | None]
) -> None:
    bank, customer, result, action = expected
    answer = way.evaluate(amount, **({"ruleset_key": ruleset_key} if ruleset_key else {}))
    assert risk(answer) == Risk(bank, customer)
    assert answer["ruleset"]["ruleset_key"] == (ruleset_key or "default")
    assert answer["ruleset"]["result"] == answer["ruleset"]["outcome"] == result
    assert answer["ruleset"]["triggered_rule_details"].get("custom_action_key") == action


def test_signal_evaluate_weighs_what_is_told_of_the_debit(own_way: Way) -> None:
    plain = risk(own_way.evaluate(20.0))
    assert risk(own_way.evaluate(20.0, user_present=False)) == plain
    recurring = risk(own_way.evaluate(20.0, is_recurring=True))
    assert recurring == Risk(plain.bank - 3, plain.customer - 3)
    stranger = {"name": {"given_name": "Wilhelmina", "family_name": "Loom"}}
    assert risk(own_way.evaluate(20.0, user=stranger)) == Risk(plain.bank, plain.customer + 25)
    owner = {"name": {"given_name": "Alberta", "family_name": "Charleson"}}
    assert risk(own_way.evaluate(20.0, user=owner)) == plain


@pytest.mark.parametrize("amount", [0.0, 0.004, -1.0, 100_000_000.0, 1e300])
def test_signal_evaluate_refuses_an_amount_that_no_debit_has(way: Way, amount: float) -> None:
    way.evaluate_refused(AMOUNT, amount)


def test_signal_evaluate_refuses_what_it_does_not_know(way: Way) -> None:
    way.evaluate_refused(NO_RULESET, 11.11, ruleset_key="nobody's")
    way.evaluate_refused(NO_RULESET, 11.11, ruleset_key="")
    methods = "SAME_DAY_ACH, STANDARD_ACH, MULTIPLE_PAYMENT_METHODS"
    problem = malformed(f"default_payment_method must be one of {methods}")
    way.evaluate_refused(problem, 11.11, default_payment_method="WIRE")
    problem = malformed("user.name must be at most 500 characters")
    way.evaluate_refused(problem, 11.11, user={"name": {"given_name": "a" * 501}})
    way.evaluate(11.11, default_payment_method="SAME_DAY_ACH", device={"user_agent": "Loom/1"})


@pytest.mark.parametrize("mask", NOT_DEBITABLE)
def test_signal_evaluate_refuses_an_account_that_cannot_be_debited(
    api: plaid_api.PlaidApi, shared_item: Linked, mask: str
) -> None:
    for kind in ("access", "processor"):
        Way(api, shared_item, kind, mask).evaluate_refused(NO_AUTH_ACCOUNTS, 11.11)
    fields = Way(api, shared_item, "access", mask).asking(11.11, new_id())
    refused(api, "signal_schedule", NO_AUTH_ACCOUNTS, **fields)


def test_an_account_that_is_not_there_is_refused(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    given = {"access_token": shared_item.access_token, "account_id": UNKNOWN_ACCOUNT}
    for name in ("signal_evaluate", "signal_schedule"):
        fields = {**given, "client_transaction_id": new_id(), "amount": 11.11}
        refused(api, name, NO_SUCH_ACCOUNT, **fields)


@pytest.mark.parametrize("bank", [ROYAL_BANK, HOUNDSTOOTH])
def test_a_bank_without_signal_is_refused(api: plaid_api.PlaidApi, bank: str) -> None:
    item = link(api, "transactions", institution_id=bank)
    mask = next(iter(item.accounts))
    for kind in ("access", "processor"):
        way = Way(api, item, kind, mask)
        way.evaluate_refused(not_supported("signal"), 11.11)
        refused(api, f"{way.prefix}_prepare", not_supported("signal"), **way.token)
    fields = Way(api, item, "access", mask).asking(11.11, new_id())
    refused(api, "signal_schedule", not_supported("signal"), **fields)


def test_signal_prepare_adds_the_product_once(own_way: Way) -> None:
    def billed() -> list[str]:
        item = call(own_way.api, "item_get", access_token=own_way.item.access_token)["item"]
        assert ("signal" in item["available_products"]) != ("signal" in item["billed_products"])
        products: list[str] = item["billed_products"]
        return products

    assert billed() == ["auth"]
    for _ in range(2):
        answer = call(own_way.api, f"{own_way.prefix}_prepare", **own_way.token)
        assert set(answer) == {"request_id"}
        assert billed() == ["auth", "signal"]


def test_signal_evaluate_adds_the_product(own_way: Way) -> None:
    own_way.evaluate(11.11)
    item = call(own_way.api, "item_get", access_token=own_way.item.access_token)["item"]
    assert item["billed_products"] == ["auth", "signal"]


def test_the_same_transaction_is_evaluated_once(own_way: Way, server: Server) -> None:
    transaction = new_id()
    first = own_way.evaluate(60.0, transaction)
    own_way.report("return", transaction, return_code="R01")
    again = own_way.evaluate(60.0, transaction, ruleset_key="strict", is_recurring=True)
    assert again | {"request_id": ""} == first | {"request_id": ""}
    assert risk(own_way.evaluate(60.0)).bank == risk(first).bank + 20
    assert Counter(actions(server, transaction)) == {
        "signal.evaluate": 1,
        "signal.return_report": 1,
    }


def test_an_id_stands_for_one_account_and_amount(way: Way) -> None:
    transaction = new_id()
    way.evaluate(60.0, transaction)
    way.evaluate_refused(IN_USE, 60.01, transaction)
    for kind in ("access", "processor"):
        Way(way.api, way.item, kind, "1111").evaluate_refused(IN_USE, 60.0, transaction)
    schedule = Way(way.api, way.item, "access").asking(70.0, transaction)
    refused(way.api, "signal_schedule", IN_USE, **schedule)
    long, longest = "x" * 37, "x" * 36
    way.evaluate(60.0, f"{uuid4().hex}{longest}"[:36])
    answer = Api(way.api.api_client.configuration.host).post(
        f"/{way.prefix.replace('_', '/')}/evaluate", **way.asking(60.0, long)
    )
    assert answer.code == "INVALID_FIELD"


def test_of_many_evaluations_at_once_one_is_made(own_way: Way, server: Server) -> None:
    api = Api(server.url)
    for _ in range(3):
        transaction = new_id()
        path = f"/{own_way.prefix.replace('_', '/')}/evaluate"
        answers = api.volley([(path, own_way.asking(80.0, transaction))] * MANY)
        assert Counter(answer.code for answer in answers) == {"OK": MANY}
        bodies = [answer.body | {"request_id": ""} for answer in answers]
        assert bodies == [bodies[0]] * MANY
        assert rows(server, transaction, "answer") == [answer_of(bodies[0])]
        assert actions(server, transaction) == ["signal.evaluate"]


def test_of_two_different_evaluations_at_once_one_is_refused(own_way: Way, server: Server) -> None:
    transaction = new_id()
    path = f"/{own_way.prefix.replace('_', '/')}/evaluate"
    requests = [(path, own_way.asking(80.0 + number, transaction)) for number in range(MANY)]
    codes = Counter(answer.code for answer in Api(server.url).volley(requests))
    assert codes == {"OK": 1, "CLIENT_TRANSACTION_ID_ALREADY_IN_USE": MANY - 1}


def test_a_return_raises_the_risk_of_its_kind_on_its_account(own_way: Way) -> None:
    before = risk(own_way.evaluate(20.0))
    elsewhere = Way(own_way.api, own_way.item, own_way.kind, "1111")
    other_account = risk(elsewhere.evaluate(20.0))
    transaction = new_id()
    own_way.evaluate(20.0, transaction)
    own_way.report("return", transaction, return_code="R01", returned_at=yesterday())
    assert risk(own_way.evaluate(20.0)) == Risk(before.bank + 20, before.customer)
    own_way.report("return", transaction, return_code="R10")
    assert risk(own_way.evaluate(20.0)) == Risk(before.bank, before.customer + 20)
    assert risk(elsewhere.evaluate(20.0)) == other_account


def test_reports_are_kept_and_recorded_and_the_last_one_holds(way: Way, server: Server) -> None:
    transaction = new_id()
    way.evaluate(20.0, transaction)
    way.report("decision", transaction, initiated=False, decision_outcome="REJECT")
    way.report_refused(NOT_INITIATED, "return", transaction, return_code="R01")
    way.report(
        "decision",
        transaction,
        initiated=True,
        days_funds_on_hold=3,
        decision_outcome="TAKE_OTHER_RISK_MEASURES",
        payment_method="NEXT_DAY_ACH",
        amount_instantly_available=5.5,
    )
    way.report("return", transaction, return_code="R01")
    way.report("return", transaction, return_code="R02", returned_at=yesterday())
    [decision] = rows(server, transaction, "decision")
    assert decision == {
        "initiated": True,
        "days_funds_on_hold": 3,
        "decision_outcome": "TAKE_OTHER_RISK_MEASURES",
        "payment_method": "NEXT_DAY_ACH",
        "amount_instantly_available": 5.5,
        "submitted_at": None,
    }
    [returned] = rows(server, transaction, '"return"')
    assert returned["return_code"] == "R02"
    assert dt.datetime.fromisoformat(returned["returned_at"]) == yesterday()
    assert actions(server, transaction) == [
        "signal.evaluate",
        *["signal.decision_report"] * 2,
        *["signal.return_report"] * 2,
    ]


def test_a_submission_can_be_reported(
    api: plaid_api.PlaidApi, shared_item: Linked, server: Server
) -> None:
    transaction = new_id()
    way = Way(api, shared_item, "access")
    call(api, "signal_schedule", **way.asking(20.0, transaction))
    way.report("decision", transaction, initiated=True, submitted_at=yesterday())
    [decision] = rows(server, transaction, "decision")
    assert dt.datetime.fromisoformat(decision["submitted_at"]) == yesterday()


@pytest.mark.parametrize("code", ["R00", "R1", "R001", "r01", "C01", "", "R0१"])
def test_a_return_needs_a_return_code(way: Way, code: str) -> None:
    transaction = new_id()
    way.evaluate(20.0, transaction)
    problem = malformed('return_code must be an ACH return code such as "R01"')
    way.report_refused(problem, "return", transaction, return_code=code)


def test_a_return_cannot_be_yet_to_come(way: Way) -> None:
    transaction = new_id()
    way.evaluate(20.0, transaction)
    problem = malformed("returned_at must not be in the future")
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    for moment in (tomorrow, tomorrow.replace(tzinfo=None)):
        fields = {"return_code": "R01", "returned_at": moment}
        way.report_refused(problem, "return", transaction, **fields)


def test_a_decision_needs_a_boolean_and_amounts_from_zero(way: Way, server: Server) -> None:
    transaction = new_id()
    way.evaluate(20.0, transaction)
    problem = malformed("amount_instantly_available must be a number of at least 0")
    fields = {"initiated": True, "amount_instantly_available": -0.01}
    way.report_refused(problem, "decision", transaction, **fields)
    given = {**way.report_token, "client_transaction_id": transaction, "initiated": "true"}
    path = f"/{way.prefix.replace('_', '/')}/decision/report"
    answer = Api(server.url).post(path, **given)
    assert answer.body["error_message"] == "initiated must be a boolean"
    assert rows(server, transaction, "decision") == [None]


def test_reports_on_an_unknown_transaction_are_refused(way: Way) -> None:
    way.report_refused(UNKNOWN_TRANSACTION, "decision", new_id(), initiated=True)
    way.report_refused(UNKNOWN_TRANSACTION, "return", new_id(), return_code="R01")


def test_a_processor_token_reports_on_its_own_account_alone(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    own = Way(api, shared_item, "processor")
    transaction = new_id()
    own.evaluate(20.0, transaction)
    for other in (
        Way(api, shared_item, "processor", "1111"),
        Way(api, link(api), "processor"),
    ):
        other.report_refused(UNKNOWN_TRANSACTION, "decision", transaction, initiated=True)
        other.report_refused(UNKNOWN_TRANSACTION, "return", transaction, return_code="R01")
    own.report("return", transaction, return_code="R01")


def test_another_clients_transaction_is_unknown(
    server: Server, api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    transaction = new_id()
    own = Way(api, shared_item, "access")
    first = own.evaluate(20.0, transaction)
    stranger = client_of(server, new_client(server, "Stranger"))
    theirs = Way(stranger, link(stranger), "access")
    theirs.report_refused(UNKNOWN_TRANSACTION, "decision", transaction, initiated=False)
    theirs.report_refused(UNKNOWN_TRANSACTION, "return", transaction, return_code="R01")
    # The same id is free to them, for a debit of their own.
    theirs.evaluate(30.0, transaction)
    theirs.report("decision", transaction, initiated=False)
    own.report("return", transaction, return_code="R01")
    assert own.evaluate(20.0, transaction)["scores"] == first["scores"]


def test_a_partner_and_a_developer_keep_their_evaluations_apart(
    server: Server, api: plaid_api.PlaidApi
) -> None:
    item = link(api)
    partner = client_of(server, new_client(server, "Dwolla", "--processors", "dwolla"))
    developers = Way(api, item, "access")
    partners = Way(api, item, "processor")
    partners.api = partner
    transaction = new_id()
    before = risk(partners.evaluate(20.0, transaction))
    developers.report_refused(UNKNOWN_TRANSACTION, "return", transaction, return_code="R01")
    developers.evaluate(25.0, transaction)
    developers.report("return", transaction, return_code="R01")
    assert risk(developers.evaluate(20.0)).bank == before.bank + 20
    assert risk(partners.evaluate(20.0)) == before
    partners.report("decision", transaction, initiated=False)
    partners.report_refused(NOT_INITIATED, "return", transaction, return_code="R01")


def test_a_narrowed_token_does_not_reach_signal(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    way = Way(api, shared_item, "processor")
    transaction = new_id()
    way.evaluate(20.0, transaction)
    narrow(api, way.token["processor_token"], "balance", "auth")
    way.evaluate_refused(not_authorized("signal"), 20.0, transaction)
    way.report_refused(not_authorized("signal"), "decision", transaction, initiated=True)
    way.report_refused(not_authorized("signal"), "return", transaction, return_code="R01")


def test_removing_an_item_takes_every_evaluation_with_it(
    server: Server, api: plaid_api.PlaidApi
) -> None:
    item, kept = link(api), link(api)
    partner = client_of(server, new_client(server, "Dwolla", "--processors", "dwolla"))
    developers, partners = Way(api, item, "access"), Way(api, item, "processor")
    partners.api = partner
    transactions = [new_id() for _ in range(3)]
    developers.evaluate(20.0, transactions[0])
    partners.evaluate(20.0, transactions[1])
    Way(api, kept, "access").evaluate(20.0, transactions[2])
    call(api, "item_remove", access_token=item.access_token)
    assert [len(rows(server, one, "answer")) for one in transactions] == [0, 0, 1]
    developers.report_refused(UNKNOWN_TRANSACTION, "return", transactions[0], return_code="R01")


def test_no_evaluation_outlives_a_removal_that_it_meets(
    api: plaid_api.PlaidApi, server: Server
) -> None:
    for _ in range(3):
        item = link(api)
        way = Way(api, item, "access")
        asking = [("/signal/evaluate", way.asking(20.0, new_id())) for _ in range(8)]
        removal = ("/item/remove", {"access_token": item.access_token})
        answers = Api(server.url).volley([*asking, removal, *asking])
        assert answers[len(asking)].code == "OK"
        sql = f"SELECT 1 AS one FROM signal_evaluations WHERE item_id = '{item.item_id}'"
        assert query(server, sql) == []


def test_signal_schedule_recommends_by_the_balance(
    api: plaid_api.PlaidApi, shared_item: Linked
) -> None:
    way = Way(api, shared_item, "access", "1111")
    today = dt.datetime.now(dt.UTC).date()
    fields = way.asking(11.11, new_id())
    answer = call(api, "signal_schedule", **fields)
    assert set(answer) == {"request_id", "optimal_date", "recommendations", "warnings"}
    days = [one["date"] for one in answer["recommendations"]]
    assert days == sorted(set(days))
    assert all(today < day <= today + dt.timedelta(days=8) for day in days)
    assert [one["rank"] for one in answer["recommendations"]] == list(range(1, len(days) + 1))
    assert {one["recommendation"] for one in answer["recommendations"]} == {"RECOMMENDED"}
    assert answer["optimal_date"] == days[0]
    assert answer["warnings"] == []
    again = call(api, "signal_schedule", **fields)
    assert again | {"request_id": ""} == answer | {"request_id": ""}
    risky = call(api, "signal_schedule", **way.asking(500.0, new_id()))
    assert risky["optimal_date"] is None
    assert {(one["recommendation"], one["rank"]) for one in risky["recommendations"]} == {
        ("NOT_RECOMMENDED", None)
    }


def test_signal_schedule_keeps_to_the_clock_and_the_holidays(
    serve: Callable[..., Server], store: list[str]
) -> None:
    # The Thursday before Labor Day; at the end of the UTC day it is still Thursday.
    server = serve(*store, "--clock", "2026-09-03T23:59:59Z")
    api = Api(server.url)
    linked = api.link()
    given = {"access_token": linked.access_token, "account_id": linked.checking}
    schedule = {}
    for method in ("SAME_DAY_ACH", "STANDARD_ACH", None):
        fields = {"client_transaction_id": f"{method}", "amount": 60.0}
        if method:
            fields["default_payment_method"] = method
        answer = api.post("/signal/schedule", **given, **fields)
        days = {one["date"]: one["rank"] for one in answer["recommendations"]}
        assert list(days) == ["2026-09-04", "2026-09-08", "2026-09-09", "2026-09-10"]
        schedule[method] = [day for day, rank in days.items() if rank]
    assert schedule["SAME_DAY_ACH"] == list(days)
    assert schedule["STANDARD_ACH"] == schedule[None] == list(days)[:3]
    assert (
        api.post("/signal/evaluate", **given, client_transaction_id="None", amount=60.0)[
            "core_attributes"
        ]["balance_last_updated"]
        == "2026-09-03T23:59:59Z"
    )


def test_what_was_scheduled_can_be_evaluated_under_the_same_id(
    api: plaid_api.PlaidApi, server: Server
) -> None:
    way = Way(api, link(api), "access")
    transaction = new_id()
    call(api, "signal_schedule", **way.asking(60.0, transaction))
    assert rows(server, transaction, "answer") == [None]
    asking = [("/signal/evaluate", way.asking(60.0, transaction))] * MANY
    answers = Api(server.url).volley(asking)
    bodies = [answer.body | {"request_id": ""} for answer in answers]
    assert bodies == [bodies[0]] * MANY
    assert rows(server, transaction, "answer") == [answer_of(bodies[0])]
    call(api, "signal_schedule", **way.asking(60.0, transaction))
    assert actions(server, transaction) == ["signal.schedule", "signal.evaluate"]


def test_a_return_and_a_withdrawn_decision_do_not_both_hold(
    api: plaid_api.PlaidApi, shared_item: Linked, server: Server
) -> None:
    """Whichever comes first: a return never follows a decision not to begin."""
    way = Way(api, shared_item, "access")
    for _ in range(10):
        transaction = new_id()
        way.evaluate(20.0, transaction)
        given = {"client_transaction_id": transaction}
        decide = ("/signal/decision/report", {**given, "initiated": False})
        come_back = ("/signal/return/report", {**given, "return_code": "R01"})
        answers = Api(server.url).volley([come_back, decide, come_back, come_back])
        reports = actions(server, transaction)[1:]
        later = reports[reports.index("signal.decision_report") + 1 :]
        assert later == []
        returned = sum(answer.code == "OK" for answer in answers) - 1
        assert reports.count("signal.return_report") == returned


def test_a_bank_that_tells_no_balance_is_warned_of(own_way: Way, server: Server) -> None:
    change_balances(server, own_way, available=None, current=None)
    answer = own_way.evaluate(20.0)
    assert risk(answer).bank == 51
    [warning] = answer["warnings"]
    assert warning["warning_type"] == "ITEM_ERROR"
    assert warning["warning_code"] == "PRODUCT_NOT_READY"
    assert warning["warning_message"]
    schedule = Way(own_way.api, own_way.item, "access").asking(20.0, new_id())
    answer = call(own_way.api, "signal_schedule", **schedule)
    assert answer["optimal_date"] is None
    assert {one["recommendation"] for one in answer["recommendations"]} == {"UNKNOWN"}
    assert len(answer["warnings"]) == 1


def test_an_account_in_another_currency_is_refused(own_way: Way, server: Server) -> None:
    change_balances(server, own_way, iso_currency_code="CAD")
    unsupported = Refusal(
        "ITEM_ERROR", "ITEM_NOT_SUPPORTED", "this account is currently not supported"
    )
    own_way.evaluate_refused(unsupported, 20.0)


def test_nothing_of_the_user_or_the_device_is_stored(way: Way, server: Server) -> None:
    transaction = new_id()
    user = {"name": {"given_name": "Wilhelmina"}, "phone_number": "+14155550123"}
    way.evaluate(20.0, transaction, user=user, device={"ip_address": "203.0.113.9"})
    [row] = query(
        server, f"SELECT * FROM signal_evaluations WHERE client_transaction_id = '{transaction}'"
    )
    for text in ("Wilhelmina", "5550123", "203.0.113.9"):
        assert text not in str(row)


def test_known_outcomes_are_the_sandboxs_alone(serve: Callable[..., Server]) -> None:
    sandbox = serve()
    keys = new_client(sandbox, "Shop")
    api = Api(sandbox.url, *keys)
    linked = api.link("signal")
    asking = {"account_id": linked.checking, "amount": 55.55}
    fields = {**asking, "access_token": linked.access_token, "client_transaction_id": "one"}
    assert risk(api.post("/signal/evaluate", **fields).body) == Risk(98, 98)
    cli(sandbox, "client", "rotate-secret", CLIENT_ID)
    sandbox.stop()
    # No Item comes about in production yet, so the sandbox's own is given a token that fits.
    token = unknown_token("access", "production")
    digest = load_keys(sandbox.data / KEY_FILE).digest(token).hex()
    execute(sandbox, f"UPDATE tokens SET digest = X'{digest}' WHERE kind = 'access'")
    production = serve("--environment", "production", data=sandbox.data)
    fields = {**asking, "access_token": token, "client_transaction_id": "two"}
    answer = Api(production.url, *keys).post("/signal/evaluate", **fields)
    assert risk(answer.body) == Risk(24, 13)


def yesterday() -> dt.datetime:
    day = dt.datetime.fromtimestamp(time.time() - 86_400, dt.UTC)
    return day.replace(hour=12, minute=0, second=0, microsecond=0) - dt.timedelta(days=1)


def rows(server: Server, transaction: str, column: str) -> list[Any]:
    """What a column holds for a transaction, of every client that has one by this id."""
    sql = (
        f"SELECT {column} AS value FROM signal_evaluations "
        f"WHERE client_transaction_id = '{transaction}'"
    )
    return [json.loads(row["value"] or "null") for row in query(server, sql)]


def actions(server: Server, transaction: str) -> list[str]:
    return [
        record["action"]
        for record in records(server, CLIENT_ID)
        if record.get("detail", {}).get("client_transaction_id") == transaction
    ]


def answer_of(body: dict[str, Any]) -> dict[str, Any]:
    """What is stored of an answer."""
    return {name: body[name] for name in ("scores", "core_attributes", "ruleset", "warnings")}


def change_balances(server: Server, way: Way, **balances: Any) -> None:
    """Have the bank tell other balances of an account."""
    account_id = way.item.account_id()
    [row] = query(server, f"SELECT data FROM accounts WHERE account_id = '{account_id}'")
    data = json.loads(row["data"])
    data["balances"] |= balances
    text = json.dumps(data).replace("'", "''")
    execute(server, f"UPDATE accounts SET data = '{text}' WHERE account_id = '{account_id}'")
