"""Link for a terminal: a page on this machine that opens it, and hears how it ends."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from treadle.pages.templates import templates

_SCRIPT = "/link/v2/stable/link-initialize.js"
_TEMPLATES = templates(Path(__file__).parent / "pages" / "templates")
_MOST_BYTES = 1_000_000


class NoServer(Exception):
    """Nothing at an address serves Link."""


class LinkPage:
    def __init__(self, server_url: str, token: str) -> None:
        """Raises NoServer."""
        script = f"{server_url}{_SCRIPT}"
        _find(script)
        self._server = _Server(script, token)
        self.url = self._server.url

    def __enter__(self) -> LinkPage:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def wait(self) -> dict[str, Any]:
        """The `metadata` of the callback that Link ends with, and its `public_token` or `error`."""
        self._server.serve_forever()
        return self._server.ended


def _find(script: str) -> None:
    try:
        answer = httpx.get(script, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        reason = str(problem) or type(problem).__name__
        raise NoServer(f"{script} does not answer: {reason}") from None
    if answer.status_code != httpx.codes.OK:
        raise NoServer(f"{script} answers {answer.status_code}: is Treadle there?")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: str, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://{self.host}/"
        page = _TEMPLATES.get_template("terminal.html").render(script=script, token=token)
        self.page = page.encode()
        self.ended: dict[str, Any] = {}


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        # The page holds a link token, so it is not for those who come by another name.
        if self.path != "/" or self.headers["Host"] != self.server.host:
            self.send_error(404)
            return
        self._answer(200, self.server.page)

    def do_POST(self) -> None:
        if self.path != "/ended" or self.headers["Origin"] != self.server.url.rstrip("/"):
            self.send_error(404)
            return
        length = min(int(self.headers.get("Content-Length", 0)), _MOST_BYTES)
        self.server.ended = json.loads(self.rfile.read(length))
        self._answer(204, b"")
        self.server.shutdown()

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass
