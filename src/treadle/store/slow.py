"""A line in the log for each read or commit that took long. What was asked for is left out."""

from __future__ import annotations

import logging
from typing import Any, Literal

from treadle.store.change import Change
from treadle.store.statements import Query, Write

Dialect = Literal["sqlite", "postgresql"]

slow_log = logging.getLogger("treadle.slow")


class SlowLog:
    def __init__(self, milliseconds: int, dialect: Dialect) -> None:
        self._milliseconds = milliseconds
        self._dialect = dialect

    def __call__(self, what: Query[Any] | Change, seconds: float) -> None:
        milliseconds = round(seconds * 1_000)
        if milliseconds < self._milliseconds:
            return
        statements = [write for write, _, _ in what.writes] if isinstance(what, Change) else [what]
        text = "; ".join(dict.fromkeys(self._text(one) for one in statements))
        fields = {"milliseconds": milliseconds, "statements": text}
        slow_log.warning("%d ms for %s", milliseconds, text, extra={"fields": fields})

    def _text(self, statement: Query[Any] | Write) -> str:
        """With places where the values go, on one line."""
        return " ".join(getattr(statement.compiled, self._dialect).text.split())
