"""Finding tokens in text by their looks and their checksum, without a look-up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treadle.tokens.format import UUID_PATTERN, Shape, inspect
from treadle.tokens.minting import Kind


def find_tokens(text: str, environment: str) -> Iterator[tuple[Kind, str]]:
    """The kind and the text of every token of an environment that a text holds, each once.

    What stands around a token is of no matter, so it is found in addresses, logs and code alike.
    """
    pattern = re.compile(f"(?=((public|access|processor)-{environment}-{UUID_PATTERN}))")
    seen = set()
    for token, kind in pattern.findall(text):
        if token not in seen and inspect(token, kind, environment) is Shape.PLAUSIBLE:
            seen.add(token)
            yield kind, token
