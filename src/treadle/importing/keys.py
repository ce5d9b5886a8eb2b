"""Keys that stay the same when a file is imported again."""

from __future__ import annotations

import hashlib
from functools import lru_cache

_LENGTH_BYTES = 15
_SEPARATOR = "\x1f"


@lru_cache(maxsize=256)
def account_key(*identity: str) -> str:
    """Of an account, from what its bank knows it by.

    Slow on purpose: with a fast digest the number of an account could be guessed from its key.
    """
    told = _SEPARATOR.join(identity).encode()
    salt = b"treadle.importing.account"
    return _encoded(hashlib.scrypt(told, salt=salt, n=2**14, r=8, p=1))


class EntryKeys:
    """The keys of the entries of one file.

    An entry has the key of its bank's id or, where the bank tells none, of what it says; of equal
    ones each has a key of its own, so that two equal purchases of a day stay two.
    """

    def __init__(self) -> None:
        self._contents: dict[bytes, bytes] = {}
        self._counts: dict[bytes, int] = {}

    def of_id(self, account: str, bank_id: str, *content: str) -> str | None:
        """None for an entry told twice; an id that names another entry too counts as none."""
        named, told = _digest(account, "id", bank_id), _digest(*content)
        known = self._contents.setdefault(named, told)
        if known is told:
            return _encoded(named)
        return None if known == told else self.of_content(account, bank_id, *content)

    def of_content(self, account: str, *content: str) -> str:
        told = _digest(account, "content", *content)
        count = self._counts.get(told, 0)
        self._counts[told] = count + 1
        return _encoded(_digest(_encoded(told), str(count)) if count else told)


def _digest(*parts: str) -> bytes:
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).digest()[:_LENGTH_BYTES]


def _encoded(digest: bytes) -> str:
    return digest[:_LENGTH_BYTES].hex()
