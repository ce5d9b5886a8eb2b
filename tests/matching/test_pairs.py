"""The labelled pairs, and the figures that are published about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.matching import pairs
from tests.matching.pairs import PARTS, LabelledPair

PAIRS = pairs.read()
PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "identity-match.md"


def test_table_is_large_and_sound() -> None:
    assert len(PAIRS) >= 300
    assert len({(pair.kind, pair.submitted, pair.on_file) for pair in PAIRS}) == len(PAIRS)
    assert {pair.label for pair in PAIRS} == {"match", "no match"}
    assert {pair.part for pair in PAIRS} == set(PARTS)
    assert all(pair.exercises for pair in PAIRS)


def test_held_out_half_is_chosen_by_digest() -> None:
    marked = {pair for pair in PAIRS if pair.part == "held out"}
    assert marked == pairs.held_out_by_rule(PAIRS)


@pytest.mark.parametrize("kind", ["name", "address", "phone", "email"])
def test_published_figures_are_what_is_measured(kind: str) -> None:
    row = rf"^\| {kind} \|" + r" (\d+) of (\d+) \|" * len(PARTS) + "$"
    published = re.search(row, PUBLISHED.read_text(), re.MULTILINE)
    assert published
    measured: list[int] = []
    for part in PARTS:
        of_part = [pair for pair in PAIRS if (pair.kind, pair.part) == (kind, part)]
        measured += [sum(pair.is_judged_rightly for pair in of_part), len(of_part)]
    assert [int(figure) for figure in published.groups()] == measured


def test_every_misjudged_pair_is_published() -> None:
    wrong = [misjudged_row(pair) for pair in PAIRS if not pair.is_judged_rightly]
    section = PUBLISHED.read_text().partition("## Misjudged\n")[2].partition("\n## ")[0]
    _, *rows = [line for line in section.splitlines() if line.startswith("| ")]
    assert rows == wrong


def misjudged_row(pair: LabelledPair) -> str:
    one, other = (
        ", ".join(part for part in text.split(" | ") if part)
        for text in (pair.submitted, pair.on_file)
    )
    return f"| {one} | {other} | {pair.label} | {pairs.score(pair)} |"
