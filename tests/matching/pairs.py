"""The table of labelled pairs beside this module, and what the matching makes of each."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from treadle.matching import THRESHOLD, addresses, emails, names, phones
from treadle.matching.addresses import Place

# "tuned" pairs were looked at while the matching was made, "held out" ones were not; those of
# "afterwards" were written when it was done, to find where it ends.
PARTS = ("tuned", "held out", "afterwards")

FILE = Path(__file__).with_name("pairs.csv")


class LabelledPair(NamedTuple):
    kind: str
    label: str
    part: str
    submitted: str
    on_file: str
    exercises: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(f"{self.kind}\n{self.submitted}\n{self.on_file}".encode()).digest()

    @property
    def is_judged_rightly(self) -> bool:
        return (score(self) >= THRESHOLD) == (self.label == "match")


def read() -> list[LabelledPair]:
    with FILE.open(newline="") as lines:
        rows = list(csv.reader(lines))
    assert tuple(rows[0]) == LabelledPair._fields
    return [LabelledPair(*row) for row in rows[1:]]


def score(pair: LabelledPair) -> int:
    match pair.kind:
        case "name":
            return names.score(pair.submitted, pair.on_file).score
        case "address":
            one, other = (Place(*text.split(" | ")) for text in (pair.submitted, pair.on_file))
            return addresses.score(one, other).score
        case "phone":
            # The country of the account stands behind the number when it is not the default.
            number, _, country = pair.on_file.partition(" | ")
            return phones.score(pair.submitted, number, country or "US")
        case "email":
            return emails.score(pair.submitted, pair.on_file)
    raise ValueError(pair.kind)


def held_out_by_rule(pairs: list[LabelledPair]) -> set[LabelledPair]:
    """Of each kind, the half whose digests are lowest; what came afterwards is in neither half."""
    kinds: dict[str, list[LabelledPair]] = defaultdict(list)
    for pair in pairs:
        if pair.part != "afterwards":
            kinds[pair.kind].append(pair)
    return {
        pair
        for of_kind in kinds.values()
        for pair in sorted(of_kind, key=lambda pair: pair.digest)[: len(of_kind) // 2]
    }
