"""One raw connection, for what no HTTP library would send."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

TIMEOUT_SECONDS = 30
CREDENTIALS = {"client_id": CLIENT_ID, "secret": SECRET}
MEMBERS = [
    "display_message",
    "documentation_url",
    "error_code",
    "error_message",
    "error_type",
    "request_id",
    "suggested_action",
]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        body = json.loads(self.raw)
        assert isinstance(body, dict)
        return body

    @property
    def code(self) -> str:
        """The error code of what must be an error in the API's shape; "OK" otherwise."""
        if self.status == 200:
            return "OK"
        body = self.body
        assert list(body) == MEMBERS, self.raw
        assert self.headers["content-type"] == "application/json; charset=utf-8"
        texts = ("documentation_url", "error_code", "error_message", "error_type", "request_id")
        assert all(isinstance(body[name], str) and body[name] for name in texts), self.raw
        assert body["suggested_action"] is None
        return str(body["error_code"])

    @property
    def message(self) -> str:
        return str(self.body["error_message"])


class Line:
    """A connection that is kept alive; as a context manager it is closed at the end."""

    def __init__(self, server: Server) -> None:
        self.host = f"127.0.0.1:{server.port}"
        self.socket = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def post(self, path: str, body: bytes, *headers: str, method: str = "POST") -> Reply:
        """With these headers beside Host, Content-Type and Content-Length.

        A header given here stands in place of the one of that name; `Name` alone leaves it out.
        """
        given = {header.partition(":")[0].lower() for header in headers}
        lines = [header for header in headers if ":" in header]
        for name, value in (
            ("Host", self.host),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ):
            if name.lower() not in given:
                lines.append(f"{name}: {value}")
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""])
        self.send(head.encode("latin-1") + body)
        return self.read(method)

    def call(self, path: str, /, **fields: Any) -> Reply:
        """A request with the sandbox's credentials."""
        return self.post(path, json.dumps(CREDENTIALS | fields).encode())

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, method: str = "POST") -> Reply:
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        raw = response.read()
        assert not response.will_close, "the connection is to be closed"
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, raw)

    def check_good(self) -> None:
        """A right request on this connection is answered."""
        reply = self.call("/institutions/get", count=1, offset=0, country_codes=["US"])
        assert reply.status == 200, reply.raw
        assert len(reply.body["institutions"]) == 1
