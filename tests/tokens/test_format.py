"""Tokens tell by their text alone what they are, and no typo passes for one."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treadle.ids import IDENTIFIER_ALPHABET, Ids, compose_token, request_id
from treadle.tokens.format import ENVIRONMENTS, Shape, inspect

KINDS = ("access", "public", "processor")
RANDOM = [bytes(12), b"\xff" * 12, bytes(range(12)), b"treadle test"]


def token(kind: str = "access", environment: str = "sandbox", number: int = 2) -> str:
    return compose_token(kind, environment, RANDOM[number])


@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.sampled_from(ENVIRONMENTS), st.binary(min_size=12, max_size=12))
def test_a_token_is_plausible_as_what_it_is_alone(
    kind: str, environment: str, random: bytes
) -> None:
    text = compose_token(kind, environment, random)
    prefix, other, identifier = text.split("-", 2)
    assert (prefix, other) == (kind, environment)
    parsed = uuid.UUID(identifier)
    assert (str(parsed), parsed.version, parsed.variant) == (identifier, 4, uuid.RFC_4122)
    for wanted in KINDS:
        for served in ENVIRONMENTS:
            expected = Shape.MALFORMED
            if wanted == kind:
                expected = Shape.PLAUSIBLE if served == environment else Shape.UNKNOWN
            assert inspect(text, wanted, served) is expected


@pytest.mark.parametrize("number", range(len(RANDOM)))
@pytest.mark.parametrize("kind", KINDS)
def test_a_typo_is_never_plausible(kind: str, number: int) -> None:
    text = token(kind, number=number)
    start = len(f"{kind}-sandbox-")
    for position in range(start, len(text)):
        for digit in "0123456789abcdef-xA ":
            typo = text[:position] + digit + text[position + 1 :]
            if typo != text:
                assert inspect(typo, kind, "sandbox") is Shape.UNKNOWN, typo
        assert inspect(text[:position] + text[position + 1 :], kind, "sandbox") is not (
            Shape.PLAUSIBLE
        )


def test_neighbours_that_changed_places_are_never_plausible() -> None:
    for number in range(2, len(RANDOM)):
        text = token(number=number)
        for position in range(len("access-sandbox-"), len(text) - 1):
            one, two = text[position], text[position + 1]
            swapped = text[:position] + two + one + text[position + 2 :]
            if swapped != text:
                assert inspect(swapped, "access", "sandbox") is Shape.UNKNOWN


def test_the_checksum_covers_kind_and_environment() -> None:
    identifier = token().removeprefix("access-sandbox-")
    for kind in KINDS:
        for environment in ENVIRONMENTS:
            text = f"{kind}-{environment}-{identifier}"
            genuine = (kind, environment) == ("access", "sandbox")
            expected = Shape.PLAUSIBLE if genuine else Shape.UNKNOWN
            assert inspect(text, kind, environment) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "--",
        "access",
        "access-",
        "access-sandbox",
        "access-sandbox-",
        "access--x",
        "access-staging-x",
        "Access-sandbox-x",
        "access-SANDBOX-x",
        " access-sandbox-x",
        "public-sandbox-x",
        "accesssandbox-x-y",
        "ac\u0441ess-sandbox-x",
    ],
)
def test_a_wrong_prefix_is_malformed(text: str) -> None:
    assert inspect(text, "access", "sandbox") is Shape.MALFORMED


@pytest.mark.parametrize(
    "identifier",
    [
        "x",
        "-",
        "00000000-0000-4000-8000-000000000000",
        "00000000-0000-4000-8000-00000000000",
        "\uff10" * 8 + "-0000-4000-8000-000000000000",
        "a" * 100_000,
        "\x00",
    ],
)
def test_a_wrong_identifier_is_unknown(identifier: str) -> None:
    assert inspect(f"access-sandbox-{identifier}", "access", "sandbox") is Shape.UNKNOWN


def test_upper_case_white_space_and_other_spellings_are_not_plausible() -> None:
    text = token()
    prefix, identifier = "access-sandbox-", text.removeprefix("access-sandbox-")
    for other in (
        prefix + identifier.upper(),
        prefix + identifier.replace("-", ""),
        prefix + "{" + identifier + "}",
        text + "\n",
        text + " ",
        text + "0",
    ):
        assert inspect(other, "access", "sandbox") is Shape.UNKNOWN, other


def test_without_a_seed_nothing_comes_twice() -> None:
    ids = Ids(None, "client", 0)
    tokens = {ids.token("access", "sandbox") for _ in range(20_000)}
    identifiers = {ids.identifier("item") for _ in range(20_000)}
    requests = {request_id() for _ in range(20_000)}
    assert [len(one) for one in (tokens, identifiers, requests)] == [20_000] * 3
    assert ids.counter == ids.start == 0
    assert all(len(one) == 37 and set(one) <= set(IDENTIFIER_ALPHABET) for one in identifiers)
    # No two share even their first half.
    assert len({one.removeprefix("access-sandbox-")[:13] for one in tokens}) == 20_000


def test_with_a_seed_client_kind_and_counter_make_the_token() -> None:
    def first(seed: str, client: str, counter: int, kind: str = "access") -> str:
        return Ids(seed, client, counter).token(kind, "sandbox").partition("-")[2]

    assert first("a", "b", 0) == first("a", "b", 0)
    others = [first("x", "b", 0), first("a", "x", 0), first("a", "b", 1), first("a", "b", 0, "x")]
    assert len({first("a", "b", 0), *others}) == 5
    ids = Ids("a", "b", 7)
    assert len({ids.uuid("item") for _ in range(10)}) == 10
    assert ids.counter == 17
