"""A browser, and a sandbox whose console it looks at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.server import Server

SECONDS = 10


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests of one module, each with a client of its own."""
    server = Server(tmp_path_factory.mktemp("console") / "data")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without memories; what its pages complain about fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(SECONDS * 1_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    complaints: list[str] = []
    context.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    refusals = "Failed to load resource: the server responded with a status of 4"
    assert [one for one in complaints if not one.startswith(refusals)] == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
