"""A browser, a server for it, and an app with Link in its page."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.browser.app import App
from tests.control.plane import Planned, own_client
from tests.support.node import install
from tests.support.server import Server

_WAIT_MS = 10_000
_LOOPBACK = {"localhost", "127.0.0.1"}


class Watched(NamedTuple):
    """A context of the browser, with what its pages have done that none may do."""

    context: BrowserContext
    wrongs: list[str]


# One for many tests: Chromium takes a new process for each context and site, and starting these
# is most of what a test costs. Link keeps nothing in a browser that a next page could find.
@pytest.fixture(scope="module")
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context()
    context.set_default_timeout(_WAIT_MS)
    wrongs: list[str] = []

    def note_request(request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme.startswith("http") and url.hostname not in _LOOPBACK:
            wrongs.append(f"asked for {request.url}")

    def note_message(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            wrongs.append(message.text)

    context.on("request", note_request)
    context.on("console", note_message)
    context.on("weberror", lambda error: wrongs.append(str(error.error)))
    yield Watched(context, wrongs)
    context.close()


@pytest.fixture
def page(watched: Watched) -> Iterator[Page]:
    """A page that may ask nobody beyond this machine for anything."""
    watched.wrongs.clear()
    yield watched.context.new_page()
    for page in watched.context.pages:
        page.close()
    assert watched.wrongs == []


@pytest.fixture(scope="session")
def link_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("link-server") / "data")
    server.start()
    yield server
    if server.running:
        server.kill()


@pytest.fixture
def api(link_server: Server) -> Iterator[Planned]:
    """The app's own side: a client of the test's own."""
    client = own_client(link_server)
    yield client
    client.close()


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App(tmp_path_factory.mktemp("app"))
    yield app
    app.close()


@pytest.fixture(scope="session")
def script(link_server: Server) -> str:
    """The address of the script that stands in for the CDN's."""
    return f"{link_server.url}/link/v2/stable/link-initialize.js"


@pytest.fixture(scope="session")
def address(app: App, script: str) -> str:
    """A page that loads the script and has `create` and `link`."""
    return app.page(script)


@pytest.fixture(scope="session")
def bundle(app: App) -> Callable[[str], str]:
    """A function that makes the script of the React app with a version of react-plaid-link."""
    project = Path(__file__).parent / "node"
    packages = install(project)

    def make(version: str) -> str:
        name = f"react-{version}.js"
        command = [
            packages / "esbuild" / "bin" / "esbuild",
            "app.jsx",
            "--bundle",
            "--jsx=automatic",
            "--log-level=error",
            '--define:process.env.NODE_ENV="development"',
            f"--alias:react-plaid-link=react-plaid-link-{version}",
            f"--outfile={app.folder / name}",
        ]
        subprocess.run(command, cwd=project, check=True)
        return name

    return make
