"""How often raw descriptions of statements are understood, counted on those kept out of making."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest

from treadle.enrichment import merchants
from treadle.enrichment.enrichment import Enrichment, enrich
from treadle.enrichment.phrases import Phrases
from treadle.enrichment.taxonomy import V2
from treadle.wire.common import AccountType

HELD_OUT = Path(__file__).parent / "statements_held_out.csv"
TUNED = Path(__file__).parent / "statements_tuned.csv"
# Labelled before the rules were tried on it, and frozen since.
HELD_OUT_SHA256 = "f1c5e97d1b67b0af4808149e2fa38d3932632fb279f9a366492f44a7a567d7a6"
PROMISED_PRIMARY = 0.85
# Without the merchants that were added after the labels and that only those held out name.
PROMISED_STRANGERS = 0.65
PAGE = Path(__file__).parents[2] / "docs" / "enrichment.md"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="|"))


def enriched(row: dict[str, str]) -> Enrichment:
    return enrich(row["description"], float(row["amount"]), account_type=AccountType.DEPOSITORY)


def shares(rows: list[dict[str, str]]) -> tuple[float, float, float]:
    """Right in the primary category, in the detailed one, and in the merchant's name."""
    told = [(enriched(row), row) for row in rows]
    named = [(found.merchant.name if found.merchant else "", row) for found, row in told]
    counts = (
        sum(found.primary == V2[row["category"]] for found, row in told),
        sum(found.detailed == row["category"] for found, row in told),
        sum(name == row["merchant"] for name, row in named),
    )
    primary, detailed, merchant = (count / len(rows) for count in counts)
    return primary, detailed, merchant


def test_labels_are_what_they_were() -> None:
    assert hashlib.sha256(HELD_OUT.read_bytes()).hexdigest() == HELD_OUT_SHA256
    held_out, tuned = read(HELD_OUT), read(TUNED)
    assert len(held_out) == 300
    assert len(held_out) + len(tuned) >= 500
    assert not {row["description"] for row in held_out} & {row["description"] for row in tuned}
    assert {row["category"] for row in held_out + tuned} <= set(V2)


def test_descriptions_held_out_are_understood() -> None:
    primary, detailed, merchant = shares(read(HELD_OUT))
    assert primary >= PROMISED_PRIMARY
    page = PAGE.read_text()
    for measured in (primary, detailed, merchant):
        assert f"| {measured:.2f} |" in page


def test_strangers_are_understood_by_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    held_out, tuned = read(HELD_OUT), read(TUNED)
    named, familiar = (
        {one.name for row in rows for one in enriched(row).counterparties if one.entity_id}
        for rows in (held_out, tuned)
    )
    strangers = named - familiar
    known = [one for one in merchants.MERCHANTS if one.website or one.name not in strangers]
    phrases = Phrases((alias, merchant) for merchant in known for alias in merchant.aliases)
    monkeypatch.setattr(merchants, "_ALIASES", phrases)
    primary, _, _ = shares(held_out)
    assert primary >= PROMISED_STRANGERS
    assert f"| {primary:.2f} |" in PAGE.read_text()
