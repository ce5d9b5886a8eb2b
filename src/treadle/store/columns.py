"""What stands in text columns as JSON."""

from __future__ import annotations

from functools import lru_cache

import msgspec

_decode = msgspec.json.Decoder(tuple[str, ...]).decode


@lru_cache(maxsize=4096)
def decode_names(text: str) -> tuple[str, ...]:
    """A list of names. The same few lists stand in very many rows, so each is decoded once."""
    return _decode(text)
