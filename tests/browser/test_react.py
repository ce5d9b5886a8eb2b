"""Link in apps that use react-plaid-link: each version that people have, through its whole life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import App, called, calls
from tests.control.plane import Planned
from tests.support.link import link_token
from treadle.testing.browser import LinkPage

VERSIONS = ["2.2.3", "3.4.0", "3.6.1", "4.0.1", "4.1.1", "4.2.0", "5.0.0"]
REACT_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<script src="{script}"></script></head>
<body><div id="root"></div><script src="/{bundle}"></script></body></html>
"""


class ReactApp:
    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self._address = address

    def go(self, token: str, **options: str) -> None:
        """Load the page, and wait until the component is ready."""
        self.page.goto(f"{self._address}?{urlencode({'token': token, **options})}")
        self.page.wait_for_function("window.hook?.ready")

    def open(self) -> LinkPage:
        self.page.get_by_role("button", name="Connect a bank").click()
        return LinkPage(self.page)

    def expect_frames(self, count: int) -> None:
        expect(self.page.locator("iframe")).to_have_count(count)


@pytest.fixture(scope="session", params=VERSIONS)
def react_address(
    request: pytest.FixtureRequest, app: App, script: str, bundle: Callable[[str], str]
) -> str:
    """The page of the app made with one version."""
    version: str = request.param
    name = bundle(version)
    return app.page(script, f"react-{version}.html", REACT_PAGE.replace("{bundle}", name))


def planned_token(api: Planned, **plan: Any) -> str:
    """A link token whose sessions go through Link by themselves."""
    token = link_token(api)
    assert api.sandbox("link/plan", link_token=token, **plan).status == 200
    return token


@pytest.fixture
def react(page: Page, react_address: str) -> ReactApp:
    return ReactApp(page, react_address)


def test_success_and_then_unmounted(react: ReactApp, api: Planned, page: Page) -> None:
    react.go(planned_token(api))
    react.open()
    public_token, metadata = called(page, "success")
    assert api.exchange(public_token).status == 200
    assert [one["mask"] for one in metadata["accounts"]] == ["0000", "1111"]
    react.expect_frames(0)
    page.evaluate("setThere(false)")
    page.get_by_text("Gone").wait_for()
    assert calls(page, "exit") == []


def test_exit_and_opened_again(react: ReactApp, api: Planned, page: Page) -> None:
    react.go(link_token(api))
    react.open().leave()
    error, metadata = called(page, "exit")
    assert (error, metadata["status"]) == (None, None)
    react.open().wait_for("CONSENT")
    assert [one[0] for one in calls(page, "event")] == ["OPEN", "EXIT", "OPEN"]


def test_a_login_that_fails(react: ReactApp, api: Planned, page: Page) -> None:
    react.go(planned_token(api, outcome="error", error_code="ITEM_LOCKED"))
    react.open()
    error, metadata = called(page, "exit")
    assert (error["error_code"], metadata["status"]) == ("ITEM_LOCKED", "requires_credentials")


def test_an_expired_token_ends_at_once(react: ReactApp, api: Planned, page: Page) -> None:
    token = link_token(api)
    api.sandbox("clock/advance", hours=5)
    react.go(token)
    react.open()
    error, _ = called(page, "exit")
    assert (error["error_type"], error["error_code"]) == ("INVALID_INPUT", "INVALID_LINK_TOKEN")
    react.expect_frames(0)


def test_another_token_takes_the_place_of_the_first(
    react: ReactApp, api: Planned, page: Page
) -> None:
    react.go(link_token(api))
    react.expect_frames(1)
    page.evaluate("token => setToken(token)", link_token(api, client_name="Other shop"))
    react.expect_frames(1)
    expect(react.open().heading).to_have_text("Connect your bank to Other shop")


def test_mounted_twice_by_strict_mode(react: ReactApp, api: Planned, page: Page) -> None:
    react.go(planned_token(api), strict="yes")
    react.expect_frames(1)
    react.open()
    called(page, "success")


def test_unmounted_while_it_is_open(react: ReactApp, api: Planned, page: Page) -> None:
    react.go(link_token(api))
    react.open().go_to_banks()
    page.evaluate("setThere(false)")
    _, metadata = called(page, "exit")
    assert metadata["status"] == "institution_not_found"
    react.expect_frames(0)
    assert calls(page, "success") == []
