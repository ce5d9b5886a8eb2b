"""The cursor of a stream of changes: where a reader stands, as a text that it hands back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct

import msgspec

_LAYOUT = struct.Struct(">8sQQQ")


class Cursor(msgspec.Struct, frozen=True):
    """Numbers of changes. Outside a loop over pages all three are the same.

    Everything up to `start` is known to the reader from before. In a loop it has been told of what
    lies between there and `position`, and the loop ends at `head`.
    """

    start: int
    position: int
    head: int

    @classmethod
    def at(cls, sequence: int) -> Cursor:
        return cls(sequence, sequence, sequence)

    @property
    def in_loop(self) -> bool:
        return self.position < self.head

    def text(self, stream: str) -> str:
        packed = _LAYOUT.pack(_tag(stream), self.start, self.position, self.head)
        return base64.b64encode(packed).decode()

    @classmethod
    def parse(cls, text: str, stream: str) -> Cursor:
        """Raises ValueError when the text is no cursor, or that of another stream."""
        try:
            tag, start, position, head = _LAYOUT.unpack(base64.b64decode(text, validate=True))
        except (binascii.Error, struct.error) as error:
            raise ValueError("not a cursor") from error
        if tag != _tag(stream) or not start <= position <= head:
            raise ValueError("not a cursor of this stream")
        return cls(start, position, head)


def _tag(stream: str) -> bytes:
    """Tells the cursors of streams apart; it protects nothing, for a cursor opens nothing."""
    return hashlib.sha256(stream.encode()).digest()[:8]
