"""Whether a chain is whole: every entry recomputed from the one before it, up to the head.

Who can write to the database can also write a whole chain anew. So heads that were kept elsewhere
can be given: their entries must still be there, with the very hashes they had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from treadle.audit.chain import HEAD, Entry, entries
from treadle.store.change import EMPTY_HASH, AuditHead, Store, audit_hash


class ChainBroken(Exception):
    """The first place at which a chain is not what it was when it was written."""


class _Owned(msgspec.Struct):
    client_id: str


_decode = msgspec.json.Decoder(_Owned).decode


async def verify(
    store: Store,
    client_id: str,
    kept: Mapping[int, str] = {},
    advance: Callable[[], None] = lambda: None,
) -> AuditHead:
    """The head of a chain that is whole, while a server may be adding to it.

    `kept` holds hashes, in hexadecimal, that entries are known to have had; `advance` is called for
    each entry. Raises ChainBroken.
    """
    verified = head = AuditHead(0, EMPTY_HASH)
    while True:
        async for entry in entries(store, client_id, verified.sequence):
            number = verified.sequence + 1
            _check(entry, client_id, verified, kept.get(number))
            verified = AuditHead(number, entry.hash)
            advance()
        if verified.sequence < head.sequence:
            raise ChainBroken(f"entry {verified.sequence + 1} is missing")
        # An entry and the head that it moves are written together.
        head = await store.first(HEAD, client_id=client_id) or AuditHead(0, EMPTY_HASH)
        if head == verified:
            break
        if head.sequence <= verified.sequence:
            raise ChainBroken(f"its head is not entry {verified.sequence}, the last there is")
    missing = [number for number in kept if number > verified.sequence]
    if missing:
        raise ChainBroken(f"entry {min(missing)}, whose hash was kept, is missing")
    return verified


def _check(entry: Entry, client_id: str, previous: AuditHead, kept: str | None) -> None:
    number = previous.sequence + 1
    if entry.sequence != number:
        raise ChainBroken(f"entry {number} is missing")
    text = entry.text.encode()
    if entry.hash != audit_hash(previous.hash, number, text):
        raise ChainBroken(f"entry {number} or its hash was changed")
    if _decode(text).client_id != client_id:
        raise ChainBroken(f"entry {number} belongs to another chain")
    if kept is not None and kept != entry.hash.hex():
        raise ChainBroken(f"entry {number} is not the one whose hash was kept")
