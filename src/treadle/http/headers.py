"""What the headers of a request must say."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from treadle.http import errors

API_VERSION = "2020-09-14"
_JSON = b"application/json"
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def check_content(headers: dict[bytes, bytes], wanted: bytes = _JSON) -> None:
    """Raises ApiError unless the body is declared as what is wanted and the version is ours."""
    content_type = headers.get(b"content-type")
    if content_type is None:
        raise errors.INVALID_HEADERS(problem="the Content-Type header is missing")
    if content_type != wanted and content_type.split(b";")[0].strip().lower() != wanted:
        problem = f"body could not be parsed: Content-Type must be {wanted.decode()}"
        raise errors.INVALID_BODY(problem=problem)
    version = headers.get(b"plaid-version", API_VERSION.encode())
    if version != API_VERSION.encode():
        raise errors.INVALID_HEADERS(
            problem=f"Plaid-Version must be {API_VERSION}, the only version that Treadle speaks"
        )


class HostCheck:
    """Refuses names that a sandbox on loopback does not go by, against DNS rebinding."""

    def __init__(self, names: Iterable[str] | None) -> None:
        """`names` may be used beside those of loopback; None lets every name pass."""
        self._names: set[bytes] | None = None
        if names is not None:
            self._names = {name.lower().encode() for name in (*_LOOPBACK_NAMES, *names)}
        # The few headers that clients send are judged once.
        self._accepts = lru_cache(maxsize=64)(self._judge)

    def check(self, headers: dict[bytes, bytes]) -> None:
        if not self._accepts(headers.get(b"host", b"")):
            raise errors.INVALID_HEADERS(
                problem="the Host header names no host of this server; allow it with --allowed-host"
            )

    def _judge(self, header: bytes) -> bool:
        if self._names is None:
            return True
        host = header.lower()
        name, separator, port = host.rpartition(b":")
        return (name if separator and port.isdigit() else host) in self._names


def answers_on_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    return host in ("localhost", "::1") or host.startswith("127.")
