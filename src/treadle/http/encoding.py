"""Answers as JSON, in pieces: what is stored as JSON is sent as it stands, without a copy."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import msgspec

# Less than this is cheaper to copy than to send as a piece of its own.
_LARGE_BYTES = 16_384
# Stands for a piece while the rest is encoded; JSON itself never has this byte.
_PLACE = b"\0"
_MARK = msgspec.Raw(_PLACE)


class Verbatim:
    """A value of an answer that is JSON already."""

    def __init__(self, data: bytes) -> None:
        self.data = data


class AnswerEncoder:
    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder(enc_hook=self._set_aside).encode
        self._aside: list[bytes] = []

    def encode(self, response: msgspec.Struct) -> list[bytes]:
        """The pieces that make up the answer's body."""
        rest = self._encode(response)
        if not self._aside:
            return [rest]
        aside, self._aside = self._aside, []
        pairs = zip_longest(rest.split(_PLACE), aside, fillvalue=b"")
        return [piece for pair in pairs for piece in pair]

    def _set_aside(self, value: Any) -> msgspec.Raw:
        if not isinstance(value, Verbatim):
            raise NotImplementedError(type(value))
        if len(value.data) < _LARGE_BYTES:
            return msgspec.Raw(value.data)
        self._aside.append(value.data)
        return _MARK
