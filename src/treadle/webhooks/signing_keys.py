"""The keys that webhooks are signed with: made when first needed, replaced from time to time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from sqlalchemy import bindparam, select, update

from treadle.clock import wall_second
from treadle.ids import Ids
from treadle.keys import Keys
from treadle.store.change import Change, GuardFailed, Store
from treadle.store.statements import Query, Write
from treadle.store.tables import webhook_keys
from treadle.webhooks.signing import new_private_key, public_point, sign

_DAY_SECONDS = 86_400
# For so long a replaced key goes on to verify what it signed. Receivers refuse signatures that
# are older than five minutes.
_OVERLAP_SECONDS = 3_600


class SigningKey(msgspec.Struct, frozen=True):
    environment: str
    generation: int
    kid: str
    private_key: bytes
    x: str
    y: str
    created_at: int
    expired_at: int | None


_KEY = Query(
    select(webhook_keys)
    .where(webhook_keys.c.environment == bindparam("environment"))
    .where(webhook_keys.c.kid == bindparam("kid")),
    SigningKey,
)
_NEWEST = Query(
    select(webhook_keys)
    .where(webhook_keys.c.environment == bindparam("environment"))
    .order_by(webhook_keys.c.generation.desc())
    .limit(1),
    SigningKey,
)
_INSERT = Write.insert(webhook_keys)
_EXPIRE = Write(
    update(webhook_keys)
    .where(webhook_keys.c.environment == bindparam("the_environment"))
    .where(webhook_keys.c.generation == bindparam("the_generation"))
    .where(webhook_keys.c.expired_at.is_(None))
    .values(expired_at=bindparam("expired_at"))
)


class Signer:
    """Signs with the key in force, by the clock of the wall: receivers check it against theirs."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        environment: str,
        key_days: int,
        now: Callable[[], int] = wall_second,
    ) -> None:
        self._store = store
        self._keys = keys
        self._environment = environment
        self._key_seconds = key_days * _DAY_SECONDS
        self._now = now
        # The private key that was unsealed last, with its id.
        self._opened: tuple[str, EllipticCurvePrivateKey] | None = None

    def of(self, environment: str) -> Signer:
        """The same for another environment, whose keys are its own."""
        return Signer(self._store, self._keys, environment, self._key_seconds // _DAY_SECONDS)

    async def sign(self, body: bytes) -> str:
        """A new signature over a body."""
        newest = await self.newest()
        return sign(self.open(newest), newest.kid, body, self._now())

    async def find(self, kid: str) -> SigningKey | None:
        """A key of this environment, as receivers see it: with an expiry once that is past.

        They take any time of expiry to mean that the key no longer verifies.
        """
        key = await self._store.first(_KEY, environment=self._environment, kid=kid)
        if key is None or key.expired_at is None or key.expired_at <= self._now():
            return key
        return msgspec.structs.replace(key, expired_at=None)

    async def newest(self) -> SigningKey:
        """The key in force, replaced before when it is too old."""
        key = await self._newest()
        if key is None or self._now() - key.created_at >= self._key_seconds:
            # Another process may replace it first, which does as well.
            with contextlib.suppress(GuardFailed):
                await self._replace(key, _OVERLAP_SECONDS)
            key = await self._newest()
        assert key is not None, "keys are never deleted"  # noqa: S101
        return key

    async def rotate(self, *, expire_now: bool = False) -> SigningKey:
        """Replace the key in force. Raises GuardFailed when another process does so meanwhile.

        The old key verifies for another hour, unless it is to expire now.
        """
        await self._replace(await self._newest(), 0 if expire_now else _OVERLAP_SECONDS)
        return await self.newest()

    def open(self, key: SigningKey) -> EllipticCurvePrivateKey:
        """The private part of a key, unsealed. Raises KeyFileError."""
        if self._opened is None or self._opened[0] != key.kid:
            data = self._keys.unseal(key.private_key, key_place(key.kid))
            private_key = load_der_private_key(data, None)
            assert isinstance(private_key, EllipticCurvePrivateKey)  # noqa: S101
            self._opened = key.kid, private_key
        return self._opened[1]

    async def _newest(self) -> SigningKey | None:
        return await self._store.first(_NEWEST, environment=self._environment)

    async def _replace(self, old: SigningKey | None, overlap_seconds: int) -> None:
        now = self._now()
        private_key = new_private_key()
        kid = Ids(None, "", 0).uuid("webhook key")
        x, y = public_point(private_key)
        data = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        change = Change()
        if old is not None:
            change.write(
                _EXPIRE,
                the_environment=self._environment,
                the_generation=old.generation,
                expired_at=now + overlap_seconds,
            )
        change.write(
            _INSERT,
            environment=self._environment,
            # Of two that make the same generation, the store keeps one.
            generation=1 if old is None else old.generation + 1,
            kid=kid,
            private_key=self._keys.seal(data, key_place(kid)),
            x=x,
            y=y,
            created_at=now,
            expired_at=None,
        )
        await self._store.commit(change)


def key_place(kid: str) -> str:
    return f"webhook_keys/private_key/{kid}"
