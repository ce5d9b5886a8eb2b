"""From bytes to a request: a struct or an error of the API, and nothing else, whatever comes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.bodies import (
    ACCOUNT_ID,
    IMPLEMENTED,
    PATHS,
    decoder,
    mutated,
    request_type,
    to_json,
    valid,
)
from tests.support.effort import tries
from treadle.http.decode import looks_plain, parse
from treadle.http.errors import ApiError

CREDENTIALS = ["client_id", "secret"]
UNHURRIED = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    max_examples=tries(12, thorough=200),
)


class Repeated(Exception):
    """An object has a name twice."""


def decode(path: str, body: str | bytes, needed: list[str] | None = None) -> Any:
    """The struct; or the error's code and message."""
    raw = body.encode() if isinstance(body, str) else body
    try:
        return decoder(path).decode(raw, needed or [])
    except ApiError as error:
        return error.kind.error_code, error.message


def explain(path: str, body: bytes, needed: list[str]) -> str | None:
    """The code that the slow path alone comes to; None when it finds no fault."""
    try:
        decoder(path).explain(parse(body), needed)
    except ApiError as error:
        return error.kind.error_code
    return None


def exact(body: bytes) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise Repeated
        return dict(pairs)

    return json.loads(body, object_pairs_hook=unique)


@pytest.mark.parametrize("path", PATHS)
@UNHURRIED
@given(data=st.data())
def test_valid_requests_decode(path: str, data: st.DataObject) -> None:
    body = to_json(data.draw(valid(request_type(path))))
    assert isinstance(decode(path, body), msgspec.Struct), body


@pytest.mark.parametrize("path", PATHS)
@UNHURRIED
@given(data=st.data())
def test_whatever_comes_is_a_struct_or_an_error(path: str, data: st.DataObject) -> None:
    body = to_json(data.draw(mutated(request_type(path)))).encode(errors="surrogatepass")
    asked = [[], ["secret"], CREDENTIALS] if IMPLEMENTED[path].gate.needs_client else [[]]
    needed = data.draw(st.sampled_from(asked))
    outcome = decode(path, body, needed)
    slow = explain(path, body, needed)
    try:
        exact(body)
        repeated = False
    except Repeated:
        repeated = True
    except (ValueError, RecursionError):
        repeated = False
        assert not isinstance(outcome, msgspec.Struct), body
    if repeated:
        assert not isinstance(outcome, msgspec.Struct), body
        assert outcome[0] == slow == "INVALID_BODY", body
    elif isinstance(outcome, msgspec.Struct):
        # Without the credentials asked for a body decodes too: they are the pipeline's to miss.
        assert slow in (None, "MISSING_FIELDS", "INVALID_FIELD") if needed else slow is None, body
    else:
        assert outcome[0] == slow, body


@pytest.mark.parametrize("path", PATHS)
def test_a_text_in_any_one_field_is_taken_or_told(path: str) -> None:
    fields = request_type(path).fields  # type: ignore[attr-defined]
    required = {one.encode_name: "no such" for one in fields if one.required}
    for field in fields:
        body = json.dumps(required | {field.encode_name: "no such"})
        outcome = decode(path, body)
        if not isinstance(outcome, msgspec.Struct):
            assert outcome[0] == explain(path, body.encode(), []), body


_NAMES = st.text(alphabet='ab":\\ ,{}\t', max_size=4)
_VALUES = st.recursive(
    _NAMES | st.integers(0, 9) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(_NAMES, inner), max_size=3).map(tuple)
    ),
    max_leaves=8,
)


def write(value: Any) -> str:
    """JSON in which a tuple is an object whose names may repeat."""
    if isinstance(value, tuple):
        return "{" + ",".join(f"{json.dumps(name)} : {write(one)}" for name, one in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value)


@settings(max_examples=tries(300, thorough=3_000))
@given(_VALUES)
def test_a_body_with_a_repeated_name_never_looks_plain(value: Any) -> None:
    body = write(value).encode()
    if looks_plain(body):
        exact(body)


@settings(max_examples=tries(300, thorough=3_000))
@given(st.text(alphabet='ab":\\ {},', max_size=30))
def test_neither_does_text_that_only_resembles_json(text: str) -> None:
    body = text.encode()
    if looks_plain(body):
        try:
            exact(body)
        except ValueError:
            return


@pytest.mark.parametrize(
    "body",
    [
        '{"access_token": "a", "access_token": "b"}',
        '{"access_token": "a", "access_token": null}',
        '{"access_token": null, "access_token": "a"}',
        '{"access_token": "a", "access_token": "a"}',
        r'{"access_token": "a", "\u0061ccess_token": "b"}',
        '{"access_token": "a", "client_id": null, "client_id": null}',
        '{"access_token": "a", "client_id": "x", "client_id": "x", "secret": null}',
    ],
)
@pytest.mark.parametrize("path", ["/item/get", "/accounts/get"])
def test_repeated_names(path: str, body: str) -> None:
    code, message = decode(path, body)
    assert code == "INVALID_BODY"
    assert "access_token" in message or "client_id" in message


def test_repeated_names_where_every_field_may_be_absent() -> None:
    assert decode("/categories/get", '{"client_id": "x", "client_id": "y"}')[0] == "INVALID_BODY"


def test_what_the_categories_are_asked_with_is_of_no_matter() -> None:
    for body in ("{}", '{"x": 1}', r'{"x": "a\n"}'):
        assert isinstance(decode("/categories/get", body), msgspec.Struct), body


def test_repeated_names_inside_an_object() -> None:
    body = '{"access_token": "a", "options": {"account_ids": [], "account_ids": null}}'
    assert decode("/accounts/get", body)[0] == "INVALID_BODY"
    # The same name on two levels is no repetition.
    same = '{"access_token": "a", "options": {"access_token": "b"}}'
    assert decode("/accounts/get", same)[0] == "UNKNOWN_FIELDS"


MISSING = "the following required fields are missing: "
UNKNOWN = "the following fields are not recognized by this endpoint: "
PUBLIC = "/sandbox/public_token/create"


def public(**options: Any) -> str:
    request = {"institution_id": "ins_109508", "initial_products": ["auth"], "options": options}
    return json.dumps(request)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/item/get", "{}", MISSING + "client_id, secret, access_token"),
        ("/item/get", "null", MISSING + "client_id, secret, access_token"),
        ("/item/get", '{"client_id": "a"}', MISSING + "secret, access_token"),
        (
            "/institutions/get",
            '{"client_id": "a", "secret": "b"}',
            MISSING + "count, offset, country_codes",
        ),
        (
            "/item/get",
            '{"client_id": "a", "secret": "b", "access_token": "c", "x": 1, "y": {"z": 2}}',
            UNKNOWN + "x, y",
        ),
        (
            "/accounts/get",
            '{"client_id": "a", "secret": "b", "access_token": "c", "options": {"count": 2}}',
            UNKNOWN + "options.count",
        ),
        # What is missing is said before what is unknown, and that before what is malformed.
        ("/item/get", '{"client_id": 1, "x": 2}', MISSING + "secret, access_token"),
        (
            "/item/get",
            '{"client_id": 1, "secret": 2, "access_token": 3, "x": 2}',
            UNKNOWN + "x",
        ),
        (
            "/item/get",
            '{"client_id": null, "secret": "b", "access_token": 3}',
            "client_id must be a properly formatted, non-empty string; "
            "access_token must be a properly formatted, non-empty string",
        ),
    ],
)
def test_every_fault_of_a_kind_is_named(path: str, body: str, message: str) -> None:
    assert decode(path, body, CREDENTIALS)[1] == message


ANYTHING: dict[str, list[Any]] = {
    "ids": [[], [""], ["a"], "a", [1], {}, [ACCOUNT_ID, "0" * 37]],
    "counts": ["10", True, None, []],
    "products": [[], "auth", {}, None, 1],
    "urls": ["x", 1, "//example.com", []],
    "option urls": ["", "x", "ftp://example.com", 1, "http://", "http://a b"],
}


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        *(
            (
                path,
                json.dumps({"access_token": "a", "options": {"account_ids": ids}}),
                "options.account_ids must be a non-empty array of valid account ids",
            )
            for path in ("/accounts/get", "/accounts/balance/get", "/auth/get")
            for ids in ANYTHING["ids"]
        ),
        *(
            (
                "/institutions/get",
                json.dumps({"count": count, "offset": 0, "country_codes": ["US"]}),
                "count must be an integer",
            )
            for count in ANYTHING["counts"]
        ),
        *(
            (
                PUBLIC,
                json.dumps({"institution_id": "ins_109508", "initial_products": products}),
                "initial_products must be a list of strings containing at least one product",
            )
            for products in ANYTHING["products"]
        ),
        *(
            (PUBLIC, public(webhook=url), "options.webhook must be a non-empty string URL")
            for url in ANYTHING["option urls"]
        ),
        *(
            (
                PUBLIC,
                public(transactions={"start_date": day}),
                "options.transactions.start_date must be a string of the format 'YYYY-MM-DD'",
            )
            for day in ("", "x", "2026-02-30", "31.1.2026", 20260131)
        ),
        *(
            (
                "/item/webhook/update",
                json.dumps({"access_token": "a", "webhook": url}),
                "webhook must be a non-empty string URL",
            )
            for url in ANYTHING["urls"]
        ),
        *(
            (
                "/processor/token/create",
                json.dumps({"access_token": "a", "account_id": id_, "processor": "dwolla"}),
                "account_id must be a valid account ID",
            )
            for id_ in ("", "a", 1, None, "0" * 37, ACCOUNT_ID + "aa", ACCOUNT_ID[:-1])
        ),
    ],
)
def test_the_messages_on_record(path: str, body: str, message: str) -> None:
    assert decode(path, body) == ("INVALID_FIELD", message)


@pytest.mark.parametrize("number", ["0", "501", "1.5"])
def test_a_count_out_of_range_is_told_the_range(number: str) -> None:
    body = f'{{"count": {number}, "offset": 0, "country_codes": ["US"]}}'
    code, message = decode("/institutions/get", body)
    assert code == "INVALID_FIELD"
    assert message.startswith("count must be an integer")


def test_null_for_an_optional_scalar_counts_as_absent() -> None:
    request = decode("/item/remove", '{"access_token": "a", "reason_note": null}')
    assert request == decode("/item/remove", '{"access_token": "a"}')


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "a" * 50 + "\x00"])
def test_nul_is_refused_in_any_text(text: str) -> None:
    for body in (
        {"access_token": text},
        {"access_token": "a", "client_id": text},
        {"access_token": "a", "reason_note": text},
    ):
        code, message = decode("/item/remove", json.dumps(body))
        assert (code, "NUL" in message) == ("INVALID_FIELD", True)


def test_a_backslash_before_u0000_is_no_nul() -> None:
    body = json.dumps({"access_token": "a", "reason_note": r"folder\u0000"})
    assert r"\\u0000" in body
    assert decode("/item/remove", body).reason_note == r"folder\u0000"


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "\n",
        "{",
        "[]",
        "[{}]",
        "1",
        '"{}"',
        "true",
        "NaN",
        "{} {}",
        "{'a': 1}",
        '{"access_token": NaN}',
        '{"access_token": Infinity}',
        '{"access_token": -Infinity}',
        '{"access_token": "a",}',
        '{"access_token": "\ufeff}',
        '{"access_token": "tab\there"}',
        r'{"access_token": "\ud800"}',
        r'{"\udfff": "a"}',
        '{"access_token": ' + "[" * 10_000 + "]" * 10_000 + "}",
        "[" * 10_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '{"access_token": ' + "1" * 5_000 + "}",
        b"\xff\xfe{}",
        b'{"access_token": "\xff"}',
        b'\xef\xbb\xbf{"access_token": "a"}',
        "{}".encode("utf-16"),
        b'{"access_token": "\xed\xa0\x80"}',
    ],
)
def test_what_is_no_json_object_is_refused(body: str | bytes) -> None:
    assert decode("/item/get", body)[0] == "INVALID_BODY"


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" * 400, "9" * 25, "-" + "9" * 25])
@pytest.mark.parametrize("name", ["access_token", "client_id", "x"])
def test_numbers_beyond_every_type(name: str, number: str) -> None:
    body = (
        f'{{"access_token": "a", "{name}": {number}}}'
        if name != "access_token"
        else (f'{{"access_token": {number}}}')
    )
    assert decode("/item/get", body)[0] in ("INVALID_FIELD", "UNKNOWN_FIELDS", "INVALID_BODY")


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" * 400, "9" * 25, "-1", "501", "1e2"])
def test_counts_out_of_range(number: str) -> None:
    body = f'{{"count": {number}, "offset": 0, "country_codes": ["US"]}}'
    assert decode("/institutions/get", body)[0] in ("INVALID_FIELD", "INVALID_BODY")
