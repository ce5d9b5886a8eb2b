"""The errors that idempotency keys bring."""

from __future__ import annotations

from treadle.http.errors import CATALOGUE, ErrorKind


def _kind(code: str, message: str, meaning: str) -> ErrorKind:
    kind = ErrorKind("INVALID_REQUEST", code, message, meaning)
    CATALOGUE.append(kind)
    return kind


IDEMPOTENCY_KEY_REUSED = _kind(
    "IDEMPOTENCY_KEY_REUSED",
    "the Idempotency-Key was used for another request; use a new one for each request",
    "One key stands for one operation with one set of fields. A code of Treadle's own.",
)
IDEMPOTENT_ANSWER_GONE = _kind(
    "IDEMPOTENT_ANSWER_GONE",
    "the request was done before, and its answer is no longer kept; use a new Idempotency-Key",
    "The answer's time is over, or the token that it held has ended. A code of Treadle's own.",
)
