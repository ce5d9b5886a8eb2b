"""What the descriptions of statements are taken for."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from treadle.enrichment.enrichment import Enrichment, enrich
from treadle.enrichment.merchants import MERCHANTS, entity_id
from treadle.enrichment.rules import RULES
from treadle.enrichment.taxonomy import V1, V2, first_version, legacy_category
from treadle.enrichment.text import tidy_name
from treadle.http.fields import is_identifier
from treadle.wire.common import AccountType, CounterpartyType

# Written down before the rules were tried on them, and never used to improve those.
HELD_OUT = "held_out.csv"
HELD_OUT_CORRECT = 31
HOSTILE = ("CHECK ", "1", "A1 ", "*", "PPD ID", "AMERICAN AIR ", "'", "\u00df", "#1 CA ", " US")


def read(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="|"))


def enriched(description: str, amount: float = 1.0, **known: Any) -> Enrichment:
    return enrich(description, amount, **{"account_type": AccountType.DEPOSITORY} | known)


def told(row: dict[str, str]) -> tuple[str, str, str]:
    found = enriched(row["description"], float(row["amount"]))
    return found.merchant.name if found.merchant else "", found.detailed, found.channel.value


def expected(row: dict[str, str]) -> tuple[str, str, str]:
    return row["merchant"], row["category"], row["channel"]


@pytest.mark.parametrize("row", read("tuned.csv"), ids=lambda row: row["description"])
def test_description_is_understood(row: dict[str, str]) -> None:
    assert told(row) == expected(row)


def test_most_descriptions_held_out_are_understood() -> None:
    rows = read(HELD_OUT)
    assert sum(told(row) == expected(row) for row in rows) >= HELD_OUT_CORRECT


descriptions = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            [alias.removeprefix("^") for one in MERCHANTS for alias in one.aliases]
            + [phrase for one in RULES.movements for phrase in one.phrases]
            + [phrase for one in RULES.trades for phrase in one.phrases]
            + ["#123", "SQ *", "CA", "CHECK", "99"]
        ),
        max_size=6,
    ).map(" ".join),
)


@given(
    description=descriptions,
    amount=st.floats(allow_nan=False),
    account_type=st.sampled_from(AccountType),
    mcc=st.none() | st.from_regex("[0-9]{4}", fullmatch=True),
)
def test_whatever_is_told_is_consistent(
    description: str, amount: float, account_type: AccountType, mcc: str | None
) -> None:
    found = enrich(description, amount, account_type=account_type, mcc=mcc)
    assert found == enrich(description, amount, account_type=account_type, mcc=mcc)
    assert found.detailed in V2
    assert found.detailed.startswith(f"{found.primary}_")
    assert first_version(found.detailed) in V1
    assert found.name or not description
    if found.merchant:
        assert found.merchant.name == found.name
    assert len(set(found.counterparties)) == len(found.counterparties)


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join))
@example("A1 ")
def test_a_long_hostile_description_takes_no_longer(part: str) -> None:
    description = (part * 10_000)[:10_000]
    start = time.process_time()
    for _ in range(50):
        enriched(description)
    assert time.process_time() - start < 0.2


def test_every_category_in_the_data_exists() -> None:
    named = {one.category for one in MERCHANTS} | {one.inflow for one in MERCHANTS if one.inflow}
    named |= {one.category for one in RULES.trades} | set(RULES.mcc.values())
    for movement in [RULES.check, *RULES.movements]:
        named |= {one for one in (movement.inflow, movement.outflow) if one}
    assert named - set(V2) == set()


def test_no_two_entries_claim_one_phrase() -> None:
    aliases = [alias for one in MERCHANTS for alias in one.aliases]
    phrases = [phrase for one in RULES.trades for phrase in one.phrases]
    for claimed in (aliases, phrases):
        assert sorted(set(claimed)) == sorted(claimed)


@pytest.mark.parametrize("merchant", MERCHANTS, ids=lambda one: one.name)
def test_every_alias_leads_to_its_merchant(merchant: Any) -> None:
    for alias in merchant.aliases:
        assert any(
            one.entity_id == entity_id(merchant)
            for one in enriched(alias.removeprefix("^")).counterparties
        )


def test_both_versions_of_the_categories_agree() -> None:
    assert len(V1) == 104
    assert len(set(V1.values())) == 16
    assert {first_version(detailed) for detailed in V2} <= set(V1)
    assert all(first_version(detailed) == detailed for detailed in set(V1) & set(V2))
    assert all(legacy_category(detailed)[1] for detailed in V2)


def test_entity_ids_are_stable_and_distinct() -> None:
    ids = {entity_id(merchant) for merchant in MERCHANTS}
    assert len(ids) == len(MERCHANTS)
    assert all(is_identifier(one) for one in ids)
    starbucks = next(one for one in MERCHANTS if one.name == "Starbucks")
    assert entity_id(starbucks) == "yvxnpuoTaViVbDolrr3eAW7nLwqUmfJmDTNuW"


def test_a_refund_keeps_the_category_of_the_merchant() -> None:
    assert enriched("NIKE #12", -60).detailed == enriched("NIKE #12", 60).detailed


def test_the_store_and_its_place_are_read() -> None:
    place = enriched("STARBUCKS STORE 05821 SAN FRANCISCO CA US").place
    assert (place.store_number, place.city, place.region, place.country) == (
        "05821",
        "San Francisco",
        "CA",
        "US",
    )


def test_the_name_of_an_unknown_merchant_is_freed_of_noise() -> None:
    found = enriched("POS DEBIT SQ *NOVA LAMPS LLC #221 4421 EL PASO TX")
    assert found.name == "Nova Lamps LLC"
    assert found.merchant is not None
    assert found.merchant.entity_id is None
    assert [(one.name, one.type) for one in found.others] == [
        ("Square", CounterpartyType.PAYMENT_TERMINAL)
    ]
    assert (found.place.city, found.place.region) == ("El Paso", "TX")
    assert found.payment_processor == "Square"


def test_a_name_that_is_all_noise_stays() -> None:
    assert tidy_name("#4411 009812", enriched("X").place) == "#4411 009812"


def test_a_check_tells_its_number() -> None:
    assert enriched("CHECK #1234").check_number == "1234"
    assert enriched("CHECK PAID 0088").check_number == "0088"
    assert enriched("CHECK CARD PURCHASE").check_number is None


def test_ach_entries_tell_their_originator() -> None:
    found = enriched("ACME ACH PAYROLL PPD ID: 9876543210", -2100)
    assert (found.ppd_id, found.payment_method) == ("9876543210", "ACH")


def test_a_merchant_category_code_beats_the_words_of_a_name() -> None:
    assert enriched("GOLDEN COFFEE TABLES").detailed == "FOOD_AND_DRINK_COFFEE"
    assert enriched("GOLDEN COFFEE TABLES", mcc="5712").detailed == "HOME_IMPROVEMENT_FURNITURE"
    assert enriched("QZX", mcc="3058").detailed == "TRAVEL_FLIGHTS"
    assert enriched("STARBUCKS", mcc="5712").detailed == "FOOD_AND_DRINK_COFFEE"


def test_what_nobody_knows_follows_the_direction_and_the_account() -> None:
    assert enriched("QZX", 5).detailed == "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE"
    assert enriched("QZX", -5).detailed == "INCOME_OTHER"
    on_credit = enriched("QZX", -5, account_type=AccountType.CREDIT)
    assert on_credit.detailed == "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE"
    assert on_credit.confidence_level == "LOW"
