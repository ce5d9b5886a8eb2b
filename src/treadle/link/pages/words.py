"""The words of Link's pages, in the language of the link token.

English stands in the templates and in what the panes hold, and is what the other languages are
looked up by. A text that a language lacks is shown in English.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

Say = Callable[..., str]

FOLDER = Path(__file__).parent / "words"


@cache
def words(language: str) -> Say:
    """A function that says an English text in a language, with values put in."""
    path = FOLDER / f"{language}.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def say(english: str, **values: object) -> str:
        text = known.get(english, english)
        return text.format(**values) if values else text

    return say
