"""Custom users of any kind: valid ones are accepted as they are, broken ones are told where."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.effort import tries
from treadle.sources.sandbox.custom import bank_numbers
from treadle.sources.sandbox.custom.kinds import SUBTYPES
from treadle.sources.sandbox.custom.liabilities import FIELDS
from treadle.sources.sandbox.custom.parsing import (
    DOCUMENT,
    MAX_BYTES,
    CustomUserError,
    parse_custom_user,
)

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
amount = st.floats(-1e12, 1e12) | st.integers(-(10**12), 10**12)
percentage = st.floats(0, 100)
date = st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)).map(dt.date.isoformat)
currency = st.sampled_from(["USD", "EUR", "GBP", "JPY"])
day = st.integers(1, 28) | st.just("last")


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the fields, of which some are null."""
    return st.fixed_dictionaries(
        {}, optional={name: st.none() | one for name, one in fields.items()}
    )


def listed(member: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(member, max_size=3)


address = some(city=text, street=text, country=st.just("US"), region=text, postal_code=text)
security = some(isin=st.just("US0378331005"), name=text, ticker_symbol=text, currency=currency)
holding = some(institution_price=amount, quantity=amount, security=security)
bought = some(type=st.just("buy"), quantity=st.floats(0.1, 1e6), date=date, security=security)
sold = some(type=st.just("sell"), quantity=st.floats(-1e6, -0.1), price=amount)
transaction = some(date_transacted=date, amount=amount, description=text, currency=currency)
transactions = listed(transaction | some(date_posted=date, amount=amount))
identity = some(
    names=listed(text),
    emails=listed(some(data=text, primary=st.booleans(), type=st.just("primary"))),
    addresses=listed(some(data=address, primary=st.booleans())),
)
numbers = some(
    account=st.from_regex(r"[A-Za-z0-9]{2,34}", fullmatch=True),
    ach_routing=st.sampled_from(["011401533", "021000021", "322271627"]),
    bacs_sort_code=st.from_regex(r"[0-9]{6}", fullmatch=True),
)
liability_values = {
    "purchase_apr": percentage,
    "is_overdue": st.booleans(),
    "nominal_apr": percentage,
    "loan_name": text,
    "servicer_address": address,
    "maturity_date": date,
    "credit_limit": amount,
    "last_payment_amount": amount,
}
liabilities = {
    type_: some(**{name: one for name, one in liability_values.items() if name in fields}).map(
        lambda found, type_=type_: {**found, "type": type_}  # type: ignore[misc]
    )
    for type_, fields in FIELDS.items()
}
common = {
    "starting_balance": amount,
    "currency": currency,
    "meta": some(name=text, limit=amount, mask=st.from_regex(r"[A-Za-z0-9]{2,4}", fullmatch=True)),
    "numbers": numbers,
    "transactions": transactions,
    "holdings": holding | listed(holding),
    "investment_transactions": bought | listed(bought | sold),
    "identity": identity,
}
income_model = st.fixed_dictionaries(
    {
        "type": st.just("monthly-income"),
        "income_amount": amount,
        "payment_day_of_month": day,
        "transaction_name": text,
    }
)
typed = st.sampled_from(sorted(SUBTYPES)).flatmap(
    lambda type_: some(
        **common,
        type=st.just(type_),
        subtype=st.sampled_from(SUBTYPES[type_]),
        force_available_balance=amount,
        inflow_model=income_model,
    )
)
owing = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda type_: some(
        **common, has_null_available_balance=st.booleans(), liability=liabilities[type_]
    )
)
accounts = st.lists(typed | owing, min_size=1, max_size=3)
users = some(
    version=st.sampled_from([1, 2, "1", "2"]),
    seed=text,
    roll_dates_forward=st.booleans(),
    override_accounts=accounts,
    mfa=some(type=st.just("selections"), selection_rounds=st.integers(1, 10)),
    recaptcha=st.sampled_from(["good", "bad"]),
    force_error=st.just("ITEM_LOCKED"),
)
name = st.sampled_from(["seed", "type", "mask", "oops"])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(name, inner, max_size=3),
    max_leaves=5,
)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


@given(users)
def test_valid_user_is_accepted_as_it_is(user: dict[str, Any]) -> None:
    parsed = parse_custom_user(json.dumps(user))
    encoded = msgspec.json.encode(parsed)
    assert json.loads(encoded) == without_nulls(user)
    assert parse_custom_user(encoded.decode()) == parsed


@settings(max_examples=tries(100, thorough=1_000))
@given(users, st.data())
def test_mutated_user_is_accepted_or_told_where_it_is_wrong(
    user: dict[str, Any], data: st.DataObject
) -> None:
    mutated = mutate(copy.deepcopy(user), data)
    error = fault(json.dumps(mutated))
    if error is not None:
        assert error.problem
        assert error.place == DOCUMENT or exists(mutated, error.place), error


def fault(document: str) -> CustomUserError | None:
    try:
        parse_custom_user(document)
    except CustomUserError as error:
        return error
    return None


def mutate(user: dict[str, Any], data: st.DataObject) -> Any:
    """The user with one value anywhere in it replaced, removed or added."""
    containers = [user, *inner_containers(user)]
    container = data.draw(st.sampled_from(containers))
    keys = list(container) if isinstance(container, dict) else list(range(len(container)))
    change = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if change == "add" or not keys:
        if isinstance(container, dict):
            container[data.draw(name)] = data.draw(junk)
        else:
            container.append(data.draw(junk))
    elif change == "remove":
        del container[data.draw(st.sampled_from(keys))]
    else:
        container[data.draw(st.sampled_from(keys))] = data.draw(junk)
    return user


def inner_containers(value: Any) -> list[Any]:
    members = list(value.values()) if isinstance(value, dict) else value
    inner = [one for one in members if isinstance(one, dict | list)]
    return inner + [deeper for one in inner for deeper in inner_containers(one)]


def exists(user: Any, place: str) -> bool:
    """Whether a user has a place or, for what is missing from an object, the object."""
    *path, last = re.findall(r"[^.\[\]]+", place)
    for step in path:
        user = user[int(step)] if isinstance(user, list) else user[step]
    return int(last) < len(user) if isinstance(user, list) else isinstance(user, dict)


@given(st.text(max_size=200) | junk.map(json.dumps))
def test_any_text_is_accepted_or_refused(document: str) -> None:
    error = fault(document)
    assert error is None or error.place


@pytest.mark.parametrize("member", ["{}", '{"a":1}', "[]", "0", '{"description":"x"}'])
def test_longest_documents_take_little_time(member: str) -> None:
    count = (MAX_BYTES - 100) // (len(member) + 1)
    document = '{"override_accounts":[{"transactions":[' + ",".join([member] * count) + "]}]}"
    started = time.process_time()
    assert fault(document) is not None
    assert time.process_time() - started < 5


@given(st.sampled_from(["DE", "IE", "NL"]), st.integers(0, 10**18 - 1))
def test_new_ibans_are_valid(country: str, number: int) -> None:
    bank, length = {"DE": ("", 18), "IE": ("TRDL", 14), "NL": ("TRDL", 10)}[country]
    digits = str(number).zfill(18)[-length:]
    assert bank_numbers.is_iban(bank_numbers.new_iban(country, bank + digits))
