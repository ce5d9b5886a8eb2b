"""What holds for the scores of any two values, and what single rules add to them."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from treadle.bank.model import Address, AddressData, Email, Owner, PhoneNumber
from treadle.matching import MAX_LENGTH, THRESHOLD, addresses, emails, names, phones
from treadle.matching.addresses import Place
from treadle.matching.owners import score_owners
from treadle.wire.common import AddressDataNullableNoRequiredFields, IdentityMatchUser

SCORERS = {
    "name": lambda one, other: names.score(one, other).score,
    "street": lambda one, other: addresses.score(Place(one), Place(other)).score,
    "place": lambda one, other: (
        addresses.score(
            Place(city=one, postal_code=one), Place(city=other, postal_code=other)
        ).score
    ),
    "phone": lambda one, other: phones.score(one, other, "US"),
    "email": lambda one, other: emails.score(one, other),
}
every_kind = pytest.mark.parametrize("kind", SCORERS)

# Text of any script, and text that looks like what is compared.
_PIECES = ["John", "Smith-Jones", "de la", "Jr.", "&", "and", "DBA", "LLC", ",", "#4b", "P.O. Box"]
_PIECES += ["12", "Main St", "é", "王", "@", "+tag", "gmail.com", "+1 415", "745-2130", "x12"]
TEXTS = st.text(max_size=30) | st.lists(st.sampled_from(_PIECES), max_size=8).map(" ".join)
LETTERS = st.text(st.sampled_from("abcdeéöñIJKLMNO -,'.&@1234567890"), max_size=30)


@every_kind
@given(one=TEXTS, other=TEXTS)
@example(one="0", other="Y")
@example(one="Maria de Ruiz", other="Maria Carmen Ruiz")
def test_score_is_within_bounds_and_the_same_both_ways(kind: str, one: str, other: str) -> None:
    score = SCORERS[kind](one, other)
    assert type(score) is int
    assert 0 <= score <= 100
    assert SCORERS[kind](other, one) == score


@every_kind
@given(text=TEXTS)
def test_value_agrees_with_itself(kind: str, text: str) -> None:
    assert SCORERS[kind](text, text) == 100


@every_kind
@given(one=LETTERS, other=LETTERS)
@example(one="John Smith", other="jane smith")
def test_case_and_outer_spaces_change_nothing(kind: str, one: str, other: str) -> None:
    score = SCORERS[kind](one, other)
    assert SCORERS[kind](one.upper(), other) == score
    assert SCORERS[kind](f"  {one} ", other) == score


@every_kind
@pytest.mark.parametrize(
    "piece",
    ["a", "9", " ", "ab ", "& ", "john or ", ",", "é", "王", "@", "+1 ", "a.b-", "\ufdfa", "#1/"],
)
def test_hostile_text_is_compared_in_little_time(kind: str, piece: str) -> None:
    one, other = piece * 200_000, "b" + piece * 200_000
    SCORERS[kind]("warm", "up")
    started = time.perf_counter()
    SCORERS[kind](one, other)
    assert time.perf_counter() - started < 0.5


def test_words_beyond_the_limit_are_not_compared() -> None:
    many = "Maria Luisa Ana Rosa Elena Carla Julia Sofia Clara Lucia Irene Nora"
    assert names.score(f"{many} Ruiz", f"{many} Ortega").score == 100


def test_text_beyond_the_limit_is_not_compared() -> None:
    name = "John " + "x" * MAX_LENGTH
    assert names.score(name + " Smith", name + " Miller").score == 100


@pytest.mark.parametrize(
    ("submitted", "on_file", "first_or_last", "nickname", "business"),
    [
        ("John Smith", "John Smith", True, False, False),
        ("Smith John", "John Smith", True, False, False),
        ("Jane Smith", "John Smith", True, False, False),
        ("John Miller", "John Smith", True, False, False),
        ("Bill Turner", "William Turner", True, True, False),
        ("Bill Parker", "William Turner", False, True, False),
        ("Jon Smyth", "Joan Miller", False, False, False),
        ("Acme Plumbing LLC", "Acme Plumbing", False, False, True),
        ("John Smith", "Smith Holdings Inc", False, False, True),
    ],
)
def test_name_score_tells_what_it_rests_on(
    submitted: str, on_file: str, first_or_last: bool, nickname: bool, business: bool
) -> None:
    found = names.score(submitted, on_file)
    assert found[1:] == (first_or_last, nickname, business)


@pytest.mark.parametrize(
    ("one", "other", "country", "same"),
    [
        ("14236", "14236-0012", "US", True),
        ("3456", "03456", "US", True),
        ("ox99zz", "OX9 9ZZ", "GB", True),
        ("14236", "14237", "US", False),
        ("", "14236", "US", False),
    ],
)
def test_postal_codes_are_compared_as_their_country_writes_them(
    one: str, other: str, country: str, same: bool
) -> None:
    found = addresses.score(
        Place(city="Linden", postal_code=one, country=country),
        Place(city="Linden", postal_code=other, country=country),
    )
    assert found.is_postal_code_match is same


def owner(
    *, name: str = "", phone: str = "", email: str = "", street: str = "", country: str = ""
) -> Owner:
    address = AddressData(None, None, street, None, country or None)
    return Owner(
        names=[name] if name else [],
        phone_numbers=[PhoneNumber(phone, True, "home")] if phone else [],
        emails=[Email(email, True, "primary")] if email else [],
        addresses=[Address(address, True)] if street else [],
    )


def test_best_score_over_all_owners_counts() -> None:
    owners = [
        owner(name="Omar Haddad", email="omar@example.com"),
        owner(name="John Smith", phone="415 745 2130", email="john@example.com", street="1 Elm St"),
    ]
    user = IdentityMatchUser(
        legal_name="John Smith",
        phone_number="+14157452130",
        email_address="john@example.com",
        address=AddressDataNullableNoRequiredFields(street="1 Elm St"),
    )
    for given_owners in (owners, owners[::-1]):
        assert [part.score for part in score_owners(user, given_owners)] == [100] * 4


def test_what_either_side_lacks_has_no_score() -> None:
    everything = IdentityMatchUser(
        legal_name="John Smith",
        phone_number="+14157452130",
        email_address="john@example.com",
        address=AddressDataNullableNoRequiredFields(street="1 Elm Street"),
    )
    blank = IdentityMatchUser(
        legal_name=" ",
        phone_number="",
        email_address=None,
        address=AddressDataNullableNoRequiredFields(street=" "),
    )
    known = owner(name="John Smith", phone="1", email="john@example.com", street="1 Elm Street")
    for user, owners in ((everything, []), (everything, [owner()]), (blank, [known])):
        legal_name, phone_number, email_address, address = score_owners(user, owners)
        assert legal_name.score is legal_name.is_nickname_match is None
        assert legal_name.is_first_name_or_last_name_match is None
        assert legal_name.is_business_name_detected is None
        assert phone_number.score is email_address.score is None
        assert address.score is address.is_postal_code_match is None


@pytest.mark.parametrize(("country", "expected"), [("GB", 100), ("uk", 100), ("US", 0), ("", 0)])
def test_number_without_a_country_is_of_the_owners(country: str, expected: int) -> None:
    user = IdentityMatchUser(phone_number="+44 20 7946 0018")
    known = owner(phone="020 7946 0018", street="14 High Street", country=country)
    assert score_owners(user, [known]).phone_number.score == expected


def test_word_that_elsewhere_is_a_particle_is_a_name_at_either_end() -> None:
    assert names.score("Maria del Carmen Ruiz", "Maria Carmen Ruiz").score >= THRESHOLD
    assert names.score("Al Jones", "Mike Jones").score < THRESHOLD


def test_threshold_parts_a_partial_match_from_a_mismatch() -> None:
    assert names.score("John Smith", "Jane Smith").score < THRESHOLD
    assert names.score("A. B. Charleson", "Alberta Bobbeth Charleson").score >= THRESHOLD
