"""Rulesets decide on every score, and the page tells the truth about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from treadle.signal.rulesets import DEFAULT, RULESETS
from treadle.signal.scoring import HIGHEST, KNOWN_OUTCOMES, LOWEST, Scores
from treadle.wire.common import RuleResult

PAGE = (Path(__file__).parents[2] / "docs" / "signal.md").read_text()


def table(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of the page, without its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[2:]]


def result(key: str, scores: Scores) -> str:
    return RULESETS[key].apply(scores).result.value


@pytest.mark.parametrize("key", RULESETS)
def test_a_ruleset_decides_on_every_score_and_never_gets_milder(key: str) -> None:
    order = ["ACCEPT", "REVIEW", "REROUTE"]
    decided = [order.index(result(key, Scores(one, 1))) for one in range(LOWEST, HIGHEST + 1)]
    assert decided == sorted(decided)
    assert set(decided) == {0, 1, 2}


@pytest.mark.parametrize("key", RULESETS)
def test_the_higher_score_decides(key: str) -> None:
    for number in range(LOWEST, HIGHEST + 1):
        assert result(key, Scores(number, 1)) == result(key, Scores(1, number))


@pytest.mark.parametrize("key", RULESETS)
def test_the_known_outcomes_reach_every_rule(key: str) -> None:
    notes = {rule.internal_note for rule in RULESETS[key].rules}
    applied = [RULESETS[key].apply(scores) for scores in KNOWN_OUTCOMES.values()]
    details = [one.triggered_rule_details for one in applied]
    assert {one.internal_note for one in details if one} == notes
    assert {result(key, scores) for scores in KNOWN_OUTCOMES.values()} == set(RuleResult)


def test_the_page_lists_the_known_outcomes() -> None:
    listed = {}
    for amount, bank, customer, *results in table("Known outcomes"):
        listed[round(float(amount) * 100)] = (Scores(int(bank), int(customer)), results)
    assert {cents: scores for cents, (scores, _) in listed.items()} == KNOWN_OUTCOMES
    for scores, results in listed.values():
        assert results == [result(key, scores) for key in ("default", "strict", "lenient")]


def test_the_page_lists_the_rulesets() -> None:
    listed = [tuple(row) for row in table("Rulesets")]
    assert listed == [
        (key, str(rule.score_from), rule.result.value, rule.custom_action_key or "")
        for key, ruleset in RULESETS.items()
        for rule in ruleset.rules
    ]
    assert re.search(rf"`{DEFAULT}`\s+when none is named", PAGE)
