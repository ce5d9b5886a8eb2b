"""The keys that are not in the database: peppers for digests, envelope keys for secrets at rest.

A token or client secret is stored only as its HMAC-SHA256 under a pepper. What must be read back
(account numbers, a client's Stripe key) is sealed with AES-256-GCM under an envelope key, bound
to the table, column and row it belongs to. Several keys may live at once, each named by an id;
the first of the list makes what is new.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64encode
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from treadle.ids import request_id, secret_key

_NONCE_BYTES = 12


class KeyFileError(Exception):
    """The key file cannot be used; the message says why and what to do."""


class _Key(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    key: bytes


class _KeyFile(msgspec.Struct, forbid_unknown_fields=True):
    peppers: list[_Key]
    envelope_keys: list[_Key]


class _Hmac:
    """HMAC-SHA256 (RFC 2104) under one key, whose two padded blocks are hashed once.

    `hmac.digest` sets its key up anew each time, which takes more than twice as long.
    """

    def __init__(self, key: bytes) -> None:
        block = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def __call__(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


class Keys:
    def __init__(self, peppers: dict[str, bytes], envelope_keys: dict[str, bytes]) -> None:
        self._digests = {id_: _Hmac(key) for id_, key in peppers.items()}
        self.pepper_id, self._digest = next(iter(self._digests.items()))
        self._envelopes = {id_: AESGCM(key) for id_, key in envelope_keys.items()}
        self._envelope_id, self._envelope = next(iter(self._envelopes.items()))

    def digest(self, token: str) -> bytes:
        """The digest under which a new token is stored: 32 bytes."""
        return self._digest(token.encode())

    def digests(self, token: str) -> list[bytes]:
        """The digests under which a token may be found: one for each pepper that lives."""
        message = token.encode()
        return [digest(message) for digest in self._digests.values()]

    def matches(self, text: str, digest: bytes, pepper_id: str) -> bool:
        """Whether a secret is the one behind a stored digest, in constant time."""
        known = self._digests.get(pepper_id)
        given = (known or self._digest)(text.encode())
        return hmac.compare_digest(given, digest) and known is not None

    def seal(self, plaintext: bytes, place: str) -> bytes:
        """Encrypt for one place, named `table/column/row`; elsewhere it does not open."""
        nonce = secret_key(_NONCE_BYTES)
        sealed = self._envelope.encrypt(nonce, plaintext, place.encode())
        key_id = self._envelope_id.encode()
        return bytes([len(key_id)]) + key_id + nonce + sealed

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for this place.

        Raises KeyFileError when the key is not here, or the bytes belong elsewhere.
        """
        end = 1 + (sealed[0] if sealed else 0)
        envelope = self._envelopes.get(sealed[1:end].decode(errors="replace"))
        if envelope is None:
            raise KeyFileError("the key file lacks the envelope key that stored data needs")
        nonce, rest = sealed[end : end + _NONCE_BYTES], sealed[end + _NONCE_BYTES :]
        try:
            return envelope.decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError):
            raise KeyFileError(f"sealed data does not belong to {place}") from None

    def check_value(self) -> str:
        """A fingerprint that tells whether a database was made with these keys."""
        oldest = list(self._digests.values())[-1]
        return b64encode(oldest(b"treadle key check")).decode()


def load_keys(path: Path) -> Keys:
    """Read the key file, making one that only its owner can read when there is none.

    Raises KeyFileError when the file is readable by others, or is no key file.
    """
    if not path.exists():
        _create(path)
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"{path} can be read by other users; run: chmod 600 {path}")
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_KeyFile)
    except msgspec.DecodeError as error:
        raise KeyFileError(f"{path} is not a key file: {error}") from None
    if not file.peppers or not file.envelope_keys:
        raise KeyFileError(f"{path} holds no keys")
    if any(len(key.key) != 32 for key in [*file.peppers, *file.envelope_keys]):
        raise KeyFileError(f"{path}: every key must be 32 bytes")
    return Keys(
        {key.id: key.key for key in file.peppers}, {key.id: key.key for key in file.envelope_keys}
    )


def _create(path: Path) -> None:
    """Write a new key file whole or not at all; of two processes the first one wins."""
    file = _KeyFile([_Key("1", secret_key())], [_Key("1", secret_key())])
    draft = path.with_suffix(f".{request_id()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(file)) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
