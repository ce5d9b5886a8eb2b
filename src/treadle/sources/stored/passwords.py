"""Hashes of passwords, which an operator makes and hands over in their place.

They are of the form `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, both parts in Base64 without padding.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error

import msgspec

_FORM = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})\$([0-9A-Za-z+/]+)\$([0-9A-Za-z+/]+)"
)
# What is taken: no weaker than custom, and no heavier than a server can bear.
_COSTS = range(14, 18)
_BLOCKS = range(8, 17)
_PARALLELISMS = range(1, 5)
_LEAST_SALT_BYTES = 8
_HASH_BYTES = range(16, 65)
_MEMORY_BYTES = 512 * 1_048_576


class PasswordHash(msgspec.Struct, frozen=True):
    cost: int
    blocks: int
    parallelism: int
    salt: bytes
    digest: bytes

    def matches(self, password: str) -> bool:
        """Takes tens of milliseconds and more, on purpose."""
        given = hashlib.scrypt(
            password.encode(),
            salt=self.salt,
            n=1 << self.cost,
            r=self.blocks,
            p=self.parallelism,
            dklen=len(self.digest),
            maxmem=_MEMORY_BYTES,
        )
        return hmac.compare_digest(given, self.digest)


def parse_hash(text: str) -> PasswordHash:
    """Raises ValueError for what is no such hash, or cannot be taken."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("must be of the form $scrypt$ln=15,r=8,p=1$<salt>$<hash>")
    cost, blocks, parallelism = (int(found[place]) for place in (1, 2, 3))
    if cost not in _COSTS or blocks not in _BLOCKS or parallelism not in _PARALLELISMS:
        raise ValueError("must have ln from 14 to 17, r from 8 to 16 and p from 1 to 4")
    salt, digest = _decoded(found[4]), _decoded(found[5])
    if len(salt) < _LEAST_SALT_BYTES or len(digest) not in _HASH_BYTES:
        raise ValueError("must have a salt of 8 bytes or more, and a hash of 16 to 64 bytes")
    return PasswordHash(cost, blocks, parallelism, salt, digest)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except Error:
        raise ValueError("must have salt and hash in Base64 without padding") from None


# What a password is compared with where there is no user, so that it takes as long.
NOBODY = PasswordHash(15, 8, 1, bytes(16), bytes(32))
