"""A request with an idempotency key: its answer is kept in the Change that makes what it tells of.

So there is no moment at which the one is there without the other, and a request that is sent again
finds both or neither, whatever happened in between.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec

from treadle.http import errors
from treadle.idempotency.refusals import IDEMPOTENCY_KEY_REUSED, IDEMPOTENT_ANSWER_GONE
from treadle.idempotency.rows import DONE, INSERT_DONE, answer_place
from treadle.store.change import Record

if TYPE_CHECKING:
    # What makes calls also holds the log of requests, which knows this module.
    from treadle.call import ClientCall

HEADER = b"idempotency-key"
_KEY = re.compile(rb"[!-~]{1,255}")
# Who asks is checked before, and may have new credentials by the second time.
_CREDENTIALS = ("client_id", "secret")


class Repeated(Exception):
    """The request was done before; this is what it was answered."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer


class Once(msgspec.Struct, frozen=True):
    """A request that is to be done once."""

    key_digest: bytes
    # All that was asked, in one form whatever the order of its fields.
    asked: str
    # For how long its answer is kept.
    life: int

    @classmethod
    def of(
        cls, headers: dict[bytes, bytes], path: str, request: msgspec.Struct, life: int
    ) -> Once | None:
        """None for a request without a key. Raises ApiError when the key is malformed."""
        key = headers.get(HEADER)
        if key is None:
            return None
        if _KEY.fullmatch(key) is None:
            problem = "Idempotency-Key must be 1 to 255 visible ASCII characters"
            raise errors.INVALID_HEADERS(problem=problem)
        fields = msgspec.to_builtins(request)
        for name in _CREDENTIALS:
            fields.pop(name, None)
        asked = msgspec.json.encode([path, fields], order="deterministic").decode()
        return cls(hashlib.sha256(key).digest(), asked, life)

    async def check(self, call: ClientCall) -> None:
        """Raises Repeated when it was done already, and ApiError when the key was for another
        request or the answer is gone."""
        keys = call.services.keys
        client_id = call.client.client_id
        done = await call.first(DONE, the_client_id=client_id, the_key_digest=self.key_digest)
        if done is None:
            return
        if not keys.matches(self.asked, done.request_digest, done.pepper_id):
            # Once its pepper is retired, nobody can tell what was asked.
            is_retired = done.pepper_id not in keys.fingerprints["peppers"]
            raise IDEMPOTENT_ANSWER_GONE() if is_retired else IDEMPOTENCY_KEY_REUSED()
        if done.answer is None or not done.is_fresh:
            raise IDEMPOTENT_ANSWER_GONE()
        raise Repeated(keys.unseal(done.answer, answer_place(client_id, self.key_digest)))

    def keep(self, call: ClientCall, answer: bytes) -> None:
        """Add the answer to the call's Change, which then fails if the request was done
        meanwhile."""
        keys, client_id = call.services.keys, call.client.client_id
        made = [record for record in call.change.records if _makes_token(record)]
        call.change.write(
            INSERT_DONE,
            client_id=client_id,
            key_digest=self.key_digest,
            request_digest=keys.digest(self.asked),
            pepper_id=keys.pepper_id,
            item_id=made[-1].item_id if made else call.reached.item_id,
            token_id=made[-1].token_id if made else None,
            answer=keys.seal(answer, answer_place(client_id, self.key_digest)),
            life=self.life,
        )

    def outward_key(self, client_id: str) -> str:
        """Under which a service outside is asked, so that it too does it once."""
        parts = (client_id, self.key_digest.hex(), self.asked)
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _makes_token(record: Record) -> bool:
    return record.token_id is not None and record.action.endswith("_token.create")
