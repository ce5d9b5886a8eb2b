"""An app with Link in its page, served on an origin of its own."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from treadle.testing.browser import LinkPage

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<script src="{script}"></script></head>
<body><main><h1>Shop</h1><button id="open">Connect a bank</button><div id="banks"></div></main>
<script src="/app.js"></script></body></html>
"""
_APP = """
window.calls = [];
const hear = (name) => (...given) => calls.push([name, ...given]);
window.hearing = {
  onSuccess: hear("success"), onExit: hear("exit"), onEvent: hear("event"), onLoad: hear("load"),
};
window.create = (config) => {
  window.link = Plaid.create({ ...hearing, ...config });
  document.getElementById("open").onclick = link.open;
};
"""


class App:
    """A web server of an app; its folder has the pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._headers: dict[str, dict[str, str]] = {}
        # Where requests go whose path begins with a text; it is taken away.
        self.proxies: dict[str, str] = {}
        (folder / "app.js").write_text(_APP)
        handler = partial(_Pages, self._headers, self.proxies, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # Another origin than the server's: `localhost` there is `127.0.0.1`.
        self.url = f"http://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(
        self,
        script: str,
        name: str = "index.html",
        html: str = _PAGE,
        headers: dict[str, str] | None = None,
    ) -> str:
        """Make a page that loads a script, and answer its address."""
        self._headers[f"/{name}"] = headers or {}
        (self.folder / name).write_text(html.replace("{script}", script))
        return f"{self.url}/{name}"


class _Pages(SimpleHTTPRequestHandler):
    def __init__(
        self,
        added: dict[str, dict[str, str]],
        proxies: dict[str, str],
        *args: Any,
        **options: Any,
    ) -> None:
        self._added, self._proxies = added, proxies
        super().__init__(*args, **options)

    def do_GET(self) -> None:
        if not self._pass_on():
            super().do_GET()

    def do_POST(self) -> None:
        if not self._pass_on():
            self.send_error(404)

    def _pass_on(self) -> bool:
        for prefix, server in self._proxies.items():
            if self.path.startswith(prefix):
                self._ask(server + self.path.removeprefix(prefix.rstrip("/")))
                return True
        return False

    def _ask(self, url: str) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {
            name: self.headers[name] for name in ("Host", "Content-Type") if self.headers[name]
        }
        answer = httpx.request(self.command, url, content=content, headers=headers, trust_env=False)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def end_headers(self) -> None:
        for name, value in self._added.get(self.path.partition("?")[0], {}).items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def calls(page: Page, name: str) -> list[list[Any]]:
    """What a callback of the page was given, call by call."""
    told: list[list[Any]] = page.evaluate("calls")
    return [one[1:] for one in told if one[0] == name]


def called(page: Page, name: str) -> list[Any]:
    """What a callback was given, which is awaited and happens once."""
    page.wait_for_function("name => calls.some((one) => one[0] === name)", arg=name)
    [given] = calls(page, name)
    return given


def open_link(page: Page, address: str, **config: Any) -> LinkPage:
    """Go to a page and open Link there, at once and without waiting for anything."""
    page.goto(address)
    page.evaluate("config => { create(config); link.open(); }", config)
    return LinkPage(page)
