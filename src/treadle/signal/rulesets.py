"""The rulesets that turn scores into what to do. They stand in `rulesets.json`."""

from __future__ import annotations

from importlib.resources import files

import msgspec
from msgspec import UNSET

from treadle.signal.scoring import Scores
from treadle.wire import common as wire
from treadle.wire.common import RuleDetails, RuleResult

DEFAULT = "default"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do once the higher of the two scores is this high."""

    score_from: int
    result: RuleResult
    internal_note: str
    custom_action_key: str | None = None


class Ruleset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ruleset_key: str
    # The first rule that is met counts; the last one always is.
    rules: list[Rule]

    def apply(self, scores: Scores) -> wire.Ruleset:
        rule = next(rule for rule in self.rules if scores.highest >= rule.score_from)
        return wire.Ruleset(
            ruleset_key=self.ruleset_key,
            result=rule.result,
            triggered_rule_details=RuleDetails(
                internal_note=rule.internal_note,
                custom_action_key=rule.custom_action_key or UNSET,
            ),
            outcome=rule.result.value,
        )


RULESETS = {
    ruleset.ruleset_key: ruleset
    for ruleset in msgspec.json.decode(
        files("treadle.signal").joinpath("rulesets.json").read_bytes(), type=list[Ruleset]
    )
}
