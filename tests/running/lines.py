"""A connection whose server may close it after an answer."""

from __future__ import annotations

import http.client
import json

from tests.http.lines import CREDENTIALS, Line, Reply

PATH = "/institutions/get"
GOOD = json.dumps(CREDENTIALS | {"count": 1, "offset": 0, "country_codes": ["US"]}).encode()


class LastLine(Line):
    def read(self, method: str = "POST") -> Reply:
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, response.read())

    def begin(self) -> bytes:
        """Send all of a good request but its last byte, and return that one."""
        head = f"POST {PATH} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
        self.send(head.encode() + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD[:-1])
        return GOOD[-1:]
