"""Asking a server, and what it means when there is no answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import httpx
import msgspec

from treadle.http.errors import ErrorBody

A = TypeVar("A")

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True


class Refused(Exception):
    """The server answered with an error."""

    def __init__(
        self, error_type: str, error_code: str, error_message: str, request_id: str, status: int
    ) -> None:
        super().__init__(error_type, error_code, error_message, request_id, status)
        self.error_type = error_type
        self.error_code = error_code
        self.error_message = error_message
        self.request_id = request_id
        self.status = status

    def __str__(self) -> str:
        return (
            f"{self.error_code} ({self.status}): {self.error_message} [request {self.request_id}]"
        )


class Unreachable(Exception):
    """Nothing answered, or what answered is no Treadle server."""


class Connection:
    """Asks one server as one client. Raises Refused or Unreachable."""

    def __init__(self, base_url: str, client_id: str, secret: str, timeout_seconds: float) -> None:
        self._base_url = base_url
        # As with the SDKs, proxies of the environment have no say.
        self._http = httpx.Client(
            base_url=base_url,
            headers={"PLAID-CLIENT-ID": client_id, "PLAID-SECRET": secret},
            timeout=timeout_seconds,
            trust_env=False,
            # To read the authorities that are trusted takes longer than many an answer.
            verify=base_url.startswith("https:"),
        )

    def read(self, path: str, answer: type[A], /, **query: Any) -> A:
        return self._exchange(answer, self._http.build_request("GET", path, params=query))

    def order(self, path: str, answer: type[A], /, **fields: Any) -> A:
        headers = {"Content-Type": "application/json"}
        content = msgspec.json.encode(fields)
        request = self._http.build_request("POST", path, content=content, headers=headers)
        return self._exchange(answer, request)

    def bring(
        self,
        path: str,
        answer: type[A],
        content: bytes | Iterable[bytes],
        content_type: str,
        /,
        **query: Any,
    ) -> A:
        """Send what may be too large for memory."""
        given = {name: value for name, value in query.items() if value is not None}
        headers = {"Content-Type": content_type}
        request = self._http.build_request(
            "POST", path, params=given, content=content, headers=headers
        )
        return self._exchange(answer, request)

    def close(self) -> None:
        self._http.close()

    def _exchange(self, answer: type[A], request: httpx.Request) -> A:
        try:
            response = self._http.send(request)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise Unreachable(f"{self._base_url} does not answer: {reason}") from error
        try:
            if response.status_code == 200:
                return msgspec.json.decode(response.content, type=answer)
            body = msgspec.json.decode(response.content, type=ErrorBody)
        except msgspec.DecodeError as error:
            raise Unreachable(
                f"what answers at {request.url} is no Treadle server of this version: {error}"
            ) from error
        raise Refused(
            body.error_type,
            body.error_code,
            body.error_message,
            body.request_id,
            response.status_code,
        )


class Group:
    """Operations that belong together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
