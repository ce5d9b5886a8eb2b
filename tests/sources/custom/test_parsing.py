"""From the text of a password to a custom user, and the place of every fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from treadle.sources.sandbox.custom.parsing import (
    DOCUMENT,
    MAX_BYTES,
    CustomUserError,
    parse_custom_user,
)
from treadle.sources.sandbox.custom.values import ForcedError

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
FIRST = "override_accounts[0]"
WRONG_ROUTING = "is not a valid routing number: its checksum is wrong"
WRONG_IBAN = "is not a valid IBAN: its checksum or length is wrong"


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(CustomUserError) as caught:
        parse_custom_user(text)
    assert str(caught.value) == f"{caught.value.place}: {caught.value.problem}"
    return caught.value.place, caught.value.problem


def refused(**user: Any) -> tuple[str, str]:
    return refusal(json.dumps(user))


def refused_account(**account: Any) -> tuple[str, str]:
    """Where the second account of a user is refused, told from that account on."""
    place, problem = refused(override_accounts=[{}, account])
    assert place.startswith("override_accounts[1].")
    return place.removeprefix("override_accounts[1]."), problem


def accept(**user: Any) -> None:
    parse_custom_user(json.dumps(user))


def accept_account(**account: Any) -> None:
    accept(override_accounts=[account])


# What is accepted


@pytest.mark.parametrize("path", [pytest.param(one, id=one.stem) for one in SAMPLES])
def test_published_file_loads_with_everything_in_it(path: Path) -> None:
    text = path.read_text()
    user = parse_custom_user(text)
    assert json.loads(msgspec.json.encode(user)) == json.loads(text)


def test_there_are_published_files() -> None:
    assert len(SAMPLES) == 6


@pytest.mark.parametrize("text", ["{}", " {} ", '{"override_accounts": [{}]}', '{"seed": null}'])
def test_every_field_may_be_left_out_or_null(text: str) -> None:
    parse_custom_user(text)


@pytest.mark.parametrize("version", [1, 2, "1", "2"])
def test_version_is_a_number_or_a_text(version: object) -> None:
    accept(version=version)


def test_investments_may_be_single_objects_or_arrays() -> None:
    holding = {"institution_price": 2, "quantity": 3, "security": {"ticker_symbol": "ABC"}}
    bought = {"type": "buy", "quantity": 3, "date": "2026-05-01"}
    single, several = (
        parse_custom_user(
            json.dumps({"override_accounts": [{"holdings": one, "investment_transactions": other}]})
        )
        for one, other in ((holding, bought), ([holding], [bought]))
    )
    for user in (single, several):
        (account,) = user.override_accounts or []
        assert [one.quantity for one in account.holdings] == [3]
        assert [one.type for one in account.investment_transactions] == ["buy"]


@pytest.mark.parametrize("code", get_args(ForcedError))
def test_every_documented_error_can_be_forced(code: str) -> None:
    accept(force_error=code)


# JSON


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1, column 1"),
        ("{", "line 1, column 2"),
        ('{\n  "seed": "a",\n  oops\n}', "line 3, column 3"),
        ('{"seed": "a"} x', "line 1, column 15"),
        ("\ufeff{}", "line 1, column 1"),
    ],
)
def test_malformed_json_names_line_and_column(text: str, place: str) -> None:
    found, problem = refusal(text)
    assert found == place
    assert problem.startswith("is not JSON: ")


@pytest.mark.parametrize("text", ["[]", "1", '"text"', "null", "true"])
def test_document_must_be_an_object(text: str) -> None:
    assert refusal(text) == (DOCUMENT, "must be an object")


def test_document_may_be_as_long_as_the_limit_and_no_longer() -> None:
    longest = json.dumps({"seed": "é" * ((MAX_BYTES - 12) // 2)}, ensure_ascii=False)
    assert len(longest.encode()) == MAX_BYTES
    parse_custom_user(longest)
    assert refusal(longest + " ") == (DOCUMENT, f"must have at most {MAX_BYTES} bytes")


def test_nesting_beyond_measure_is_refused() -> None:
    opened = "[" * 20_000
    assert refusal(opened) == (DOCUMENT, "is nested too deeply")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"seed": "a", "seed": "a"}', "seed"),
        (
            '{"override_accounts": [{}, {"meta": {"mask": "12", "mask": "13"}}]}',
            "override_accounts[1].meta.mask",
        ),
    ],
)
def test_repeated_name_is_refused(text: str, place: str) -> None:
    assert refusal(text) == (place, "is given more than once")


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "1e13", "9" * 20, "9" * 5_000]
)
def test_number_that_is_none_or_too_large_is_refused(number: str) -> None:
    place, problem = refusal('{"override_accounts": [{"starting_balance": ' + number + "}]}")
    assert place == f"{FIRST}.starting_balance"
    assert problem == "must be a number from -1e12 to 1e12"


@pytest.mark.parametrize("character", ["\\u0000", "\\ud800"])
def test_text_that_cannot_be_stored_is_refused(character: str) -> None:
    assert refusal('{"seed": "a' + character + '"}') == (
        "seed",
        "must not contain a NUL character or a lone surrogate",
    )


# Types


@pytest.mark.parametrize(
    ("account", "place"),
    [
        ({"colour": 1}, "colour"),
        ({"meta": {"nickname": "x"}}, "meta.nickname"),
        ({"transactions": [{}, {"data_posted": "2026-05-01"}]}, "transactions[1].data_posted"),
        ({"holdings": {"security": {"name_": ""}}}, "holdings.security.name_"),
        (
            {"type": "payroll", "income": {"w2s": [{"box_12": [{}, {"codes": "A"}]}]}},
            "income.w2s[0].box_12[1].codes",
        ),
    ],
)
def test_unknown_field_is_refused(account: dict[str, Any], place: str) -> None:
    assert refused_account(**account) == (place, "is not a field of a custom user")


def test_unknown_field_of_the_user_is_refused() -> None:
    assert refused(accounts=[]) == ("accounts", "is not a field of a custom user")


@pytest.mark.parametrize(
    ("account", "place", "problem"),
    [
        ({"starting_balance": "1"}, "starting_balance", "a number from -1e12 to 1e12"),
        ({"starting_balance": True}, "starting_balance", "a number from -1e12 to 1e12"),
        ({"has_null_available_balance": 1}, "has_null_available_balance", "true or false"),
        ({"transactions": {}}, "transactions", "an array"),
        ({"transactions": [1]}, "transactions[0]", "an object"),
        ({"transactions": [{"description": {}}]}, "transactions[0].description", "a string"),
        ({"identity": {"names": ["a", None]}}, "identity.names[1]", "a string"),
        ({"holdings": "none"}, "holdings", "an array or an object"),
        ({"currency": "usd"}, "currency", "an ISO 4217 currency code, such as USD"),
        ({"currency": "XYZ"}, "currency", "an ISO 4217 currency code, such as USD"),
        ({"subtype": "chequing"}, "subtype", "an account subtype of the API"),
        ({"meta": {"mask": "1"}}, "meta.mask", "empty or 2 to 4 letters and digits"),
        ({"meta": {"mask": "12345"}}, "meta.mask", "empty or 2 to 4 letters and digits"),
        ({"meta": {"mask": "12\n"}}, "meta.mask", "empty or 2 to 4 letters and digits"),
        ({"meta": {"apy": 101}}, "meta.apy", "a number from 0 to 100"),
        ({"numbers": {"ach_routing": "01140153"}}, "numbers.ach_routing", "nine digits"),
        ({"numbers": {"bacs_sort_code": "12-34-56"}}, "numbers.bacs_sort_code", "six digits"),
        ({"numbers": {"eft_branch": "1"}}, "numbers.eft_branch", "five digits"),
        ({"numbers": {"eft_institution": "1"}}, "numbers.eft_institution", "three digits"),
        ({"numbers": {"account": ""}}, "numbers.account", "2 to 34 letters and digits"),
        (
            {"identity": {"phone_numbers": [{"type": "fax"}]}},
            "identity.phone_numbers[0].type",
            'one of "home", "work", "office", "mobile", "mobile1", "other"',
        ),
        (
            {"identity": {"emails": [{"type": "work"}]}},
            "identity.emails[0].type",
            'one of "primary", "secondary", "other"',
        ),
        (
            {"identity": {"addresses": [{"data": {"country": "USA"}}]}},
            "identity.addresses[0].data.country",
            "an ISO 3166 country code of two capital letters",
        ),
        (
            {"type": "brokerage"},
            "type",
            'one of "credit", "depository", "investment", "loan", "other", "payroll"',
        ),
        (
            {"inflow_model": {"payment_day_of_month": 29}},
            "inflow_model.payment_day_of_month",
            'a whole number from 1 to 28 or "last"',
        ),
        ({"liability": {"purchase_apr": -1}}, "liability.purchase_apr", "a number from 0 to 100"),
        (
            {"liability": {"repayment_model": {"type": "graduated"}}},
            "liability.repayment_model.type",
            '"standard"',
        ),
        (
            {"liability": {"type": "mortgage"}},
            "liability.type",
            'one of "credit", "line_of_credit", "loan", "student"',
        ),
        (
            {"investment_transactions": [{"type": "cancel"}]},
            "investment_transactions[0].type",
            'one of "buy", "cash", "fee", "sell", "transfer"',
        ),
        (
            {"income": {"paystubs": [{"employee": {"marital_status": "other"}}]}},
            "income.paystubs[0].employee.marital_status",
            'one of "married", "single"',
        ),
    ],
)
def test_value_of_the_wrong_kind_is_refused(
    account: dict[str, Any], place: str, problem: str
) -> None:
    assert refused_account(**account) == (place, f"must be {problem}")


@pytest.mark.parametrize("text", ["2026-02-30", "2026-5-1", "yesterday", "2026-05-01T00:00:00Z", 7])
def test_date_must_be_a_date(text: object) -> None:
    found = refused_account(transactions=[{"date_posted": text}])
    assert found == ("transactions[0].date_posted", "must be a date of the form YYYY-MM-DD")


@pytest.mark.parametrize("text", ["1899-12-31", "2200-01-01"])
def test_date_must_lie_within_three_centuries(text: str) -> None:
    found = refused_account(transactions=[{"date_posted": text}])
    assert found == ("transactions[0].date_posted", "must be a date from 1900 to 2199")


@pytest.mark.parametrize(
    ("user", "place"),
    [
        ({"version": 3}, "version"),
        ({"version": True}, "version"),
        ({"seed": 1}, "seed"),
        ({"recaptcha": "maybe"}, "recaptcha"),
        ({"force_error": "INVALID_SEND_METHOD"}, "force_error"),
        ({"mfa": {"type": "sms"}}, "mfa.type"),
        ({"mfa": {"type": "selections", "selection_rounds": 0}}, "mfa.selection_rounds"),
        ({"roll_dates_forward": "yes"}, "roll_dates_forward"),
    ],
)
def test_field_of_the_user_takes_documented_values(user: dict[str, Any], place: str) -> None:
    found, problem = refused(**user)
    assert found == place
    assert problem.startswith("must be ")


# Rules


def test_there_are_one_to_ten_accounts() -> None:
    accept(override_accounts=[{}] * 10)
    for count in (0, 11):
        found = refused(override_accounts=[{}] * count)
        assert found == ("override_accounts", "must have from 1 to 10 accounts")


def test_there_are_at_most_250_transactions_in_total() -> None:
    accept(override_accounts=[{"transactions": [{}] * 125}] * 2)
    found = refused(override_accounts=[{"transactions": [{}] * 125}, {"transactions": [{}] * 126}])
    assert found == ("override_accounts", "must have at most 250 transactions in total")


def test_subtype_belongs_to_the_type() -> None:
    accept_account(type="depository", subtype="hsa")
    accept_account(type="investment", subtype="hsa")
    place, problem = refused_account(type="credit", subtype="checking")
    assert place == "subtype"
    assert problem == "is not a subtype of credit, which has: credit card, paypal"


def test_available_balance_is_forced_or_null() -> None:
    accept_account(force_available_balance=1, has_null_available_balance=False)
    found = refused_account(force_available_balance=0, has_null_available_balance=True)
    assert found == (
        "force_available_balance",
        "must not be set together with has_null_available_balance",
    )


@pytest.mark.parametrize(
    ("numbers", "absent"),
    [
        ({"eft_institution": "110"}, "eft_branch"),
        ({"eft_branch": "11111"}, "eft_institution"),
        ({"international_bic": "DEUTDEFF"}, "international_iban"),
        ({"international_iban": "DE89370400440532013000"}, "international_bic"),
    ],
)
def test_numbers_of_a_pair_come_together(numbers: dict[str, str], absent: str) -> None:
    place, problem = refused_account(numbers=numbers)
    assert place == f"numbers.{absent}"
    assert problem == f"is needed together with {next(iter(numbers))}"


def test_valid_numbers_are_accepted() -> None:
    for routing in ("322271627", "011401533", "122105155"):
        accept_account(numbers={"ach_routing": routing, "ach_wire_routing": "021000021"})
    accept_account(
        numbers={
            "international_bic": "DEUTDEFF",
            "international_iban": "DE89370400440532013000",
            "eft_institution": "110",
            "eft_branch": "11111",
            "bacs_sort_code": "123456",
        }
    )


@pytest.mark.parametrize(
    ("name", "number", "problem"),
    [
        ("ach_routing", "322271628", WRONG_ROUTING),
        ("ach_wire_routing", "021000022", WRONG_ROUTING),
        ("international_iban", "DE89370400440532013001", WRONG_IBAN),
        ("international_iban", "DE8937040044053201300", WRONG_IBAN),
        ("international_iban", "XX89370400440532013000", WRONG_IBAN),
        ("international_iban", "DE89 3704 0044 0532 0130 00", "must be an IBAN without spaces"),
        ("international_bic", "DEUTDE", "must be a BIC of 8 or 11 characters"),
    ],
)
def test_number_with_a_wrong_checksum_is_refused(name: str, number: str, problem: str) -> None:
    pair = {"international_bic": "DEUTDEFF", "international_iban": "DE89370400440532013000"}
    found = refused_account(numbers={**pair, name: number})
    assert found == (f"numbers.{name}", problem)


def test_transaction_is_posted_on_the_day_it_was_made_or_later() -> None:
    accept_account(transactions=[{"date_transacted": "2026-05-02", "date_posted": "2026-05-02"}])
    found = refused_account(
        transactions=[{}, {"date_transacted": "2026-05-02", "date_posted": "2026-05-01"}]
    )
    assert found == (
        "transactions[1].date_posted",
        "must not be before date_transacted, 2026-05-02",
    )


@pytest.mark.parametrize("quantity", [0, -1])
def test_bought_quantity_is_positive(quantity: float) -> None:
    found = refused_account(investment_transactions=[{}, {"type": "buy", "quantity": quantity}])
    assert found == ("investment_transactions[1].quantity", "must be positive for a buy")


@pytest.mark.parametrize("quantity", [0, 1])
def test_sold_quantity_is_negative(quantity: float) -> None:
    found = refused_account(investment_transactions={"type": "sell", "quantity": quantity})
    assert found == ("investment_transactions.quantity", "must be negative for a sell")


@pytest.mark.parametrize(
    ("type_", "field", "value"),
    [
        ("credit", "origination_date", "2020-01-01"),
        ("student", "purchase_apr", 12),
        ("loan", "is_overdue", False),
        ("line_of_credit", "maturity_date", "2030-01-01"),
    ],
)
def test_liability_has_the_fields_of_its_type(type_: str, field: str, value: object) -> None:
    accept_account(liability={"type": type_})
    place, problem = refused_account(liability={"type": type_, field: value})
    assert place == f"liability.{field}"
    assert problem == f"is not a field of a liability of type {type_}"


def test_liability_without_a_type_takes_it_from_the_account() -> None:
    accept_account(type="credit", liability={"purchase_apr": 12})
    accept_account(subtype="student", liability={"nominal_apr": 5})
    accept_account(type="loan", subtype="auto", liability={"payoff_amount": 5})
    assert refused_account(subtype="student", liability={"purchase_apr": 12})[0] == (
        "liability.purchase_apr"
    )


def test_liability_needs_an_account_that_can_have_it() -> None:
    found = refused_account(type="depository", liability={"type": "credit"})
    assert found == ("liability.type", "needs an account of type credit")
    assert refused_account(liability={})[0] == "liability"


MONTHLY = {"payment_day_of_month": "last", "transaction_name": "Salary"}


@pytest.mark.parametrize(
    ("type_", "own"),
    [
        ("monthly-income", {"income_amount": 1_000}),
        ("monthly-balance-payment", {"statement_day_of_month": 5}),
        ("monthly-interest-only-payment", {"statement_day_of_month": 5}),
    ],
)
def test_inflow_model_has_what_its_type_needs(type_: str, own: dict[str, object]) -> None:
    whole = {"type": type_, **MONTHLY, **own}
    accept_account(type="credit", inflow_model=whole)
    for name in (*MONTHLY, *own):
        model = {key: value for key, value in whole.items() if key != name}
        found = refused_account(type="credit", inflow_model=model)
        assert found == (f"inflow_model.{name}", f"is needed when the type is {type_}")


def test_inflow_model_without_income_needs_nothing() -> None:
    accept_account(inflow_model={"type": "none"})
    accept_account(inflow_model={})


def test_what_is_paid_off_is_a_liability() -> None:
    model = {"type": "monthly-balance-payment", **MONTHLY, "statement_day_of_month": 1}
    place, problem = refused_account(type="depository", inflow_model=model)
    assert place == "inflow_model.type"
    assert problem == "monthly-balance-payment needs an account of type credit or loan"


def test_payroll_documents_need_a_payroll_account() -> None:
    accept_account(income={"paystubs": [{}], "w2s": [{"wages_tips_other_comp": "2000.50"}]})
    found = refused_account(type="depository", income={})
    assert found == ("income", "needs an account of type payroll")


def test_questions_need_their_numbers() -> None:
    accept(mfa={"type": "questions", "question_rounds": 2, "questions_per_round": 2})
    accept(mfa={"type": "selections"})
    accept(mfa={"type": "device"})
    for absent, present in (
        ("question_rounds", "questions_per_round"),
        ("questions_per_round", "question_rounds"),
    ):
        found = refused(mfa={"type": "questions", present: 1})
        assert found == (f"mfa.{absent}", "is needed when the type is questions")
