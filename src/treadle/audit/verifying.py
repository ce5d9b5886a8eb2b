"""Whether a chain is whole: every entry recomputed from the one before it, up to the head.

Where its oldest entries were deleted, a later entry says so and holds the hash of the last of them,
from which the first that is left is recomputed.

Who can write to the database can also write a whole chain anew. So heads that were kept elsewhere
can be given: their entries must still be there, with the very hashes they had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from treadle.audit.chain import HEAD, Entry, entries
from treadle.audit.trimming import ACTION as TRIM
from treadle.store.change import EMPTY_HASH, AuditHead, Store, audit_hash


class ChainBroken(Exception):
    """The first place at which a chain is not what it was when it was written."""


class Verified(msgspec.Struct):
    """The last entry of a chain that is whole, and how many are no longer there."""

    sequence: int = 0
    hash: bytes = EMPTY_HASH
    trimmed: int = 0


class _Owned(msgspec.Struct):
    client_id: str
    action: str


class _Trimmed(msgspec.Struct):
    sequence: int
    hash: str


class _Trim(msgspec.Struct):
    detail: _Trimmed


_decode = msgspec.json.Decoder(_Owned).decode
_decode_trim = msgspec.json.Decoder(_Trim).decode


async def verify(
    store: Store,
    client_id: str,
    kept: Mapping[int, str] = {},
    advance: Callable[[], None] = lambda: None,
) -> Verified:
    """Where a chain that is whole ends, while a server may be adding to it.

    `kept` holds hashes, in hexadecimal, that entries are known to have had; `advance` is called for
    each entry. Raises ChainBroken.
    """
    walk, head = _Walk(client_id, kept), AuditHead(0, EMPTY_HASH)
    verified = walk.verified
    while True:
        async for entry in entries(store, client_id, verified.sequence):
            walk.step(entry)
            advance()
        if verified.sequence < head.sequence:
            walk.check_gap()
            raise ChainBroken(f"entry {verified.sequence + 1} is missing")
        # An entry and the head that it moves are written together.
        head = await store.first(HEAD, client_id=client_id) or AuditHead(0, EMPTY_HASH)
        if (head.sequence, head.hash) == (verified.sequence, verified.hash):
            walk.check_gap()
            walk.check_kept()
            return verified
        if head.sequence <= verified.sequence:
            walk.check_gap()
            raise ChainBroken(f"its head is not entry {verified.sequence}, the last there is")


class _Walk:
    def __init__(self, client_id: str, kept: Mapping[int, str]) -> None:
        self._client_id = client_id
        self._kept = kept
        self.verified = Verified()
        # The first number that is not there, and what follows, until an entry says why.
        self._gap: tuple[int, Entry] | None = None

    def step(self, entry: Entry) -> None:
        number, text = self.verified.sequence + 1, entry.text.encode()
        if entry.sequence != number:
            first = number if self._gap is None else self._gap[0]
            self._gap = first, entry
        elif entry.hash != audit_hash(self.verified.hash, number, text):
            raise ChainBroken(f"entry {number} or its hash was changed")
        owned = _decode(text)
        if owned.client_id != self._client_id:
            raise ChainBroken(f"entry {entry.sequence} belongs to another chain")
        self._compare(entry.sequence, entry.hash.hex())
        self.verified.sequence, self.verified.hash = entry.sequence, entry.hash
        if owned.action == TRIM:
            self._explain(_decode_trim(text).detail)

    def _explain(self, trimmed: _Trimmed) -> None:
        """Close the gap if these entries were deleted on purpose."""
        self.verified.trimmed = trimmed.sequence
        if self._gap is None or trimmed.sequence < self._gap[1].sequence - 1:
            return
        following = self._gap[1]
        # What was read before it was deleted as well needs no proof.
        if trimmed.sequence == following.sequence - 1:
            digest = bytes.fromhex(trimmed.hash)
            if following.hash != audit_hash(digest, following.sequence, following.text.encode()):
                raise ChainBroken(f"entry {following.sequence} or its hash was changed")
        self._compare(trimmed.sequence, trimmed.hash)
        self._gap = None

    def _compare(self, number: int, digest: str) -> None:
        kept = self._kept.get(number)
        if kept is not None and kept != digest:
            raise ChainBroken(f"entry {number} is not the one whose hash was kept")

    def check_gap(self) -> None:
        if self._gap is not None:
            raise ChainBroken(f"entry {self._gap[0]} is missing")

    def check_kept(self) -> None:
        missing = [number for number in self._kept if number > self.verified.sequence]
        if missing:
            raise ChainBroken(f"entry {min(missing)}, whose hash was kept, is missing")
