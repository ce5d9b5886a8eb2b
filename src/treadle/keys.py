"""The keys that are not in the database: peppers for digests, envelope keys for secrets at rest.

A token or client secret is stored only as its HMAC-SHA256 under a pepper. What must be read back
(account numbers, a client's Stripe key) is sealed with AES-256-GCM under an envelope key, bound
to the table, column and row it belongs to. Several keys may live at once, each named by an id: one
is in force and makes what is new, former ones are for what they made, and staged ones are for what
others make with them already.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from copy import copy
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from treadle import key_files
from treadle.clock import stopwatch
from treadle.ids import secret_key
from treadle.key_files import KeyFile, KeyFileError, WatchedFile

# How long a key file that changed may go unnoticed by a server that makes nothing new.
LOOK_SECONDS = 1.0

_NONCE_BYTES = 12
_CHECKED = b"treadle key check"


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


class _Ring:
    """The keys of one reading: those in force first, the staged ones last."""

    def __init__(
        self,
        peppers: Mapping[str, bytes],
        envelope_keys: Mapping[str, bytes],
        staged: frozenset[str],
    ) -> None:
        self.staged = staged
        self.peppers = {id_: _Hmac(peppers[id_]) for id_ in self._ordered(peppers)}
        self.pepper_id, *former = (id_ for id_ in self.peppers if id_ not in staged)
        self.digest = self.peppers[self.pepper_id]
        self.former_peppers = {id_: self.peppers[id_] for id_ in former}
        self.envelopes = {id_: AESGCM(envelope_keys[id_]) for id_ in self._ordered(envelope_keys)}
        self.envelope_id, *former = (id_ for id_ in self.envelopes if id_ not in staged)
        self.former_envelope_ids = tuple(former)
        self.fingerprints = {
            "peppers": {id_: _check_value(digest) for id_, digest in self.peppers.items()},
            "envelope_keys": {
                id_: _check_value(_Hmac(envelope_keys[id_])) for id_ in self.envelopes
            },
        }

    def _ordered(self, ids: Iterable[str]) -> list[str]:
        return sorted(ids, key=lambda id_: id_ in self.staged)


def _check_value(digest: _Hmac) -> str:
    return b64encode(digest(_CHECKED)).decode()


class Keys:
    """The keys in use. Whether their file has changed is looked at every second, when they are
    found wanting, and before something new is made with them."""

    def __init__(
        self,
        peppers: Mapping[str, bytes],
        envelope_keys: Mapping[str, bytes],
        staged: frozenset[str] = frozenset(),
        file: WatchedFile | None = None,
    ) -> None:
        self._ring = _Ring(peppers, envelope_keys, staged)
        self._file = file
        self._look_at = 0.0

    @classmethod
    def of(cls, content: KeyFile, file: WatchedFile | None = None) -> Keys:
        peppers = {key.id: key.key for key in content.peppers}
        envelope_keys = {key.id: key.key for key in content.envelope_keys}
        return cls(peppers, envelope_keys, content.staged, file)

    def renew(self) -> None:
        """Read the key file again if it has changed."""
        content = None if self._file is None else self._file.read_if_changed()
        if content is not None:
            self._ring = Keys.of(content)._ring

    def pinned(self) -> Keys:
        """The same keys as they are now, which no change of the file reaches."""
        self.renew()
        pinned = copy(self)
        pinned._file = None
        return pinned

    @property
    def path(self) -> Path | None:
        """The file that they are from, if they are."""
        return None if self._file is None else self._file.path

    @property
    def staged(self) -> frozenset[str]:
        return self._ring.staged

    @property
    def fingerprints(self) -> dict[str, dict[str, str]]:
        """What tells the keys of either kind apart, by their ids, without giving them away."""
        return self._ring.fingerprints

    @property
    def pepper_id(self) -> str:
        return self._ring.pepper_id

    @property
    def envelope_id(self) -> str:
        return self._ring.envelope_id

    @property
    def former_envelope_ids(self) -> tuple[str, ...]:
        return self._ring.former_envelope_ids

    def digest(self, token: str) -> bytes:
        """The digest under which a new token is stored: 32 bytes, and of `pepper_id` from now."""
        self.renew()
        return self._ring.digest(token.encode())

    def digests(self, token: str) -> list[bytes]:
        """The digests under which a token may be found: one for each pepper that lives."""
        message = token.encode()
        return [digest(message) for digest in self._ring.peppers.values()]

    def is_former_pepper(self, pepper_id: str) -> bool:
        """Whether another pepper has taken the place of this one."""
        return pepper_id in self._ring.former_peppers

    def is_former_digest(self, token: str, digest: bytes) -> bool:
        """Whether a token was found by the digest of a former pepper."""
        former = self._ring.former_peppers
        return any(one(token.encode()) == digest for one in former.values()) if former else False

    def matches(self, text: str, digest: bytes, pepper_id: str) -> bool:
        """Whether a secret is the one behind a stored digest, in constant time."""
        # Every request of a client comes by here.
        if stopwatch() >= self._look_at:
            self._look_at = stopwatch() + LOOK_SECONDS
            self.renew()
        if pepper_id not in self._ring.peppers:
            self.renew()
        known = self._ring.peppers.get(pepper_id)
        given = (known or self._ring.digest)(text.encode())
        return hmac.compare_digest(given, digest) and known is not None

    def seal(self, plaintext: bytes, place: str) -> bytes:
        """Encrypt for one place, named `table/column/row`; elsewhere it does not open."""
        self.renew()
        ring = self._ring
        nonce = secret_key(_NONCE_BYTES)
        sealed = ring.envelopes[ring.envelope_id].encrypt(nonce, plaintext, place.encode())
        return envelope_prefix(ring.envelope_id) + nonce + sealed

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for this place.

        Raises KeyFileError when the key is not here, or the bytes belong elsewhere.
        """
        key_id = envelope_key_id(sealed)
        if key_id not in self._ring.envelopes:
            self.renew()
        envelope = self._ring.envelopes.get(key_id)
        if envelope is None:
            raise KeyFileError("the key file lacks the envelope key that stored data needs")
        start = 1 + len(key_id.encode())
        nonce, rest = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return envelope.decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError):
            raise KeyFileError(f"sealed data does not belong to {place}") from None

    def rewrap(self, sealed: bytes, place: str) -> bytes:
        """The same under the key in force, if it is under a former one. Raises KeyFileError."""
        if envelope_key_id(sealed) not in self._ring.former_envelope_ids:
            return sealed
        return self.seal(self.unseal(sealed, place), place)


def envelope_prefix(key_id: str) -> bytes:
    """What all begins with that is sealed under a key."""
    name = key_id.encode()
    return bytes([len(name)]) + name


def envelope_key_id(sealed: bytes) -> str:
    """The key that something is sealed under."""
    end = 1 + (sealed[0] if sealed else 0)
    return sealed[1:end].decode(errors="replace")


def load_keys(path: Path, keys: str | None = None, keys_command: str | None = None) -> Keys:
    """The keys from a text or a command if one is given, else from the key file.

    A key file that is not there is made, such that only its owner can read it. Raises KeyFileError.
    """
    if keys is not None and keys_command is not None:
        raise KeyFileError("give the keys themselves or a command that prints them, not both")
    if keys is not None:
        return Keys.of(key_files.decode(keys.encode(), "the text of the keys"))
    if keys_command is not None:
        return Keys.of(key_files.run_command(keys_command))
    if not path.exists():
        key_files.create(path)
    file = WatchedFile(path)
    return Keys.of(file.read(), file)
