"""One request on its way through the pipeline, and what became of it."""

from __future__ import annotations

import msgspec

from treadle.clients import Client
from treadle.http.credentials import Credentials
from treadle.http.errors import ApiError
from treadle.idempotency.once import Once


class Exchange(msgspec.Struct, gc=False):
    """What the access log and the log of requests are told."""

    method: str
    path: str
    request_id: str
    # What was given: the body, or the query where that is read.
    given: bytes = b""
    in_query: bool = False
    credentials: Credentials | None = None
    # The path under which the operation is declared, if there is such an operation.
    operation: str | None = None
    # Of a call made in this process: as which client, and the digest of its token where the body
    # names that by its handle.
    caller: str | None = None
    token_digest: bytes | None = None
    # Set for a request that is to be done once, however often it is sent.
    once: Once | None = None
    # Who called, once that is known.
    client: Client | None = None
    # Whether the gate has let the call through.
    allowed: bool = False
    status: int = 200
    error_code: str | None = None
    reason: str | None = None
    fault_id: str | None = None
    # The body, in pieces.
    answer: list[bytes] = []
    milliseconds: float = 0.0
    # The instant of the wall at which it was over.
    answered_at: int = 0

    def fail(self, error: ApiError) -> None:
        self.status, self.error_code = error.kind.status, error.kind.error_code
        self.reason = error.reason
        self.answer = [_encode(error.body(self.request_id))]

    @property
    def decision(self) -> str | None:
        """What the gate decided, if the call came that far."""
        if self.allowed:
            return "allowed"
        return "refused" if self.client is not None and self.status != 200 else None


_encode = msgspec.json.Encoder().encode
