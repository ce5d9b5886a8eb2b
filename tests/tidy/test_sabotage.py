"""Every sabotage still fits the source and the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sabotage.run import ROOT, SOURCE, Sabotage, read

SABOTAGES = read(Path(ROOT / "tests" / "sabotage"))


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.name)
def test_it_fits(sabotage: Sabotage) -> None:
    text = (SOURCE / "treadle" / sabotage.file).read_text()
    assert text.count(sabotage.old) == 1
    path, _, function = sabotage.test.partition("[")[0].partition("::")
    assert f"def {function.rpartition('::')[2]}(" in (ROOT / path).read_text()
