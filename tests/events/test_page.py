"""The page of events lists what Treadle tells, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from tests.events.hearing import MODELS

PAGE = Path(__file__).parents[2] / "docs" / "webhook-events.md"
ON_DEMAND = re.compile(r"^\| `([A-Z_]+)` \| (.+) \|$", re.MULTILINE)


def test_every_event_is_documented() -> None:
    head, on_demand = PAGE.read_text().split("## On demand")
    own, partners = head.split("## To a partner's webhook")
    assert _named(partners) == set(MODELS["account_id"])
    fired = {
        f"{webhook_type}:{code}"
        for webhook_type, codes in ON_DEMAND.findall(on_demand)
        for code in re.findall("`([A-Z_]+)`", codes)
    }
    assert {name for name in _named(own) if not name.startswith("LINK:")} | fired == set(
        MODELS["item_id"]
    )


def _named(text: str) -> set[str]:
    return set(re.findall(r"`([A-Z_]+:[A-Z_]+)`", text))
