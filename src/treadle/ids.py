"""The only source of randomness: identifiers, tokens and keys.

Without a seed everything comes from the operating system. With a seed, ids and tokens derive from
the seed, the client, the kind and the client's counter, so that the same requests sent one after
another make the same ids. Request ids and keys are never seeded.
"""

from __future__ import annotations

import hmac
import os
import secrets
import zlib

# Recorded identifiers use 58 characters: never the digits 0 and 2, nor the capitals O and Y.
IDENTIFIER_ALPHABET = "13456789ABCDEFGHIJKLMNPQRSTUVWXZabcdefghijklmnopqrstuvwxyz"
IDENTIFIER_LENGTH = 37
_LETTERS_AND_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Made in advance, since asking the operating system costs more than the rest of it.
_request_ids: list[str] = []
# A forked process must not go on with its parent's.
os.register_at_fork(after_in_child=_request_ids.clear)
_TO_LETTERS_AND_DIGITS = bytes(_LETTERS_AND_DIGITS[byte % 62] for byte in range(256))


class Ids:
    """Makes the ids of one request.

    `counter` is where the client's sequence stands. When it has moved, the caller stores it with
    a guard on where it stood, so that no two requests ever share a number.
    """

    def __init__(self, seed: str | None, client_id: str, counter: int) -> None:
        self._seed = seed.encode() if seed is not None else None
        self._client_id = client_id
        self.start = counter
        self.counter = counter

    def bytes(self, kind: str, length: int) -> bytes:
        """Random bytes, at most 32 of them when seeded."""
        if self._seed is None:
            return secrets.token_bytes(length)
        message = f"{self._client_id}:{kind}:{self.counter}".encode()
        self.counter += 1
        return hmac.digest(self._seed, message, "sha256")[:length]

    def token(self, kind: str, environment: str) -> str:
        """A token: `<kind>-<environment>-<uuid>`."""
        return compose_token(kind, environment, self.bytes(kind, 12))

    def identifier(self, kind: str) -> str:
        """An item, account or similar id: 37 characters."""
        return compose_identifier(self.bytes(kind, 32))

    def uuid(self, kind: str) -> str:
        """A UUID of version 4."""
        return _uuid_text(_with_version(self.bytes(kind, 16), 4))

    def ordered_uuid(self, kind: str, instant: int) -> str:
        """A UUID of version 7: those made later sort later, which keeps an index compact."""
        milliseconds = instant // 1_000
        return _uuid_text(_with_version(milliseconds.to_bytes(6) + self.bytes(kind, 10), 7))


def compose_identifier(digest: bytes) -> str:
    """The identifier that 32 bytes stand for."""
    number = int.from_bytes(digest)
    characters = []
    for _ in range(IDENTIFIER_LENGTH):
        number, remainder = divmod(number, 58)
        characters.append(IDENTIFIER_ALPHABET[remainder])
    return "".join(characters)


def compose_token(kind: str, environment: str, random: bytes) -> str:
    """The token around 12 random bytes.

    The UUID has the shape of version 4. Its last 32 bits are a checksum of all that stands
    before them, so that a scanner can recognise a token and a typo needs no look-up.
    """
    head = _with_version(random, 4)
    tail = token_checksum(kind, environment, head)
    return f"{kind}-{environment}-{_uuid_text(head + tail)}"


def _with_version(raw: bytes, version: int) -> bytes:
    """The bytes of a UUID, or its first twelve, with version and variant set (RFC 9562)."""
    seventh, ninth = version << 4 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    return b"%b%c%b%c%b" % (raw[:6], seventh, raw[7:8], ninth, raw[9:])


def _uuid_text(raw: bytes) -> str:
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def token_checksum(kind: str, environment: str, head: bytes) -> bytes:
    return zlib.crc32(f"{kind}-{environment}-".encode() + head).to_bytes(4)


def request_id() -> str:
    """15 letters and digits, never seeded."""
    if not _request_ids:
        text = secrets.token_bytes(15 * 64).translate(_TO_LETTERS_AND_DIGITS).decode()
        _request_ids.extend(text[start : start + 15] for start in range(0, len(text), 15))
    return _request_ids.pop()


def secret_key(length: int = 32) -> bytes:
    """Key material, never seeded."""
    return secrets.token_bytes(length)


def client_secret() -> str:
    """A client's secret: 30 hex characters, as long as those the API hands out."""
    return secrets.token_hex(15)


def client_id() -> str:
    """A client's id: 24 hex characters."""
    return secrets.token_hex(12)
