"""A browser, a server for it, and an app with Link in its page."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import App
from tests.control.plane import Planned, own_client
from tests.support.node import install
from tests.support.server import Server

_WAIT_MS = 10_000
_LOOPBACK = {"localhost", "127.0.0.1"}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own, which may ask nobody beyond this machine for anything."""
    context = browser.new_context()
    context.set_default_timeout(_WAIT_MS)
    foreign: list[str] = []
    broken: list[str] = []

    def note(url: str) -> None:
        if urlsplit(url).scheme.startswith("http") and urlsplit(url).hostname not in _LOOPBACK:
            foreign.append(url)

    context.on("request", lambda request: note(request.url))
    context.on("weberror", lambda error: broken.append(str(error.error)))
    context.on(
        "console",
        lambda message: (
            broken.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield context.new_page()
    context.close()
    assert foreign == []
    assert broken == []


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
