"""Every pane is free of what axe finds, in light and dark and on the narrowest phones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page, expect

from tests.browser.app import open_link
from tests.browser.panes import WALKS, Walk
from tests.browser.test_pages import go_to_bank
from tests.control.plane import Planned
from tests.docs.test_blocks import BROWSER_PAGE, ROOT
from tests.support.link import create, link_token
from treadle.testing.browser import LinkPage

_RULES = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
# What else a theme could break.
_RULES_OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# What stands in a documented name for one of many.
_WILD = re.compile("[A-Z]+")
_NARROW = {"width": 320, "height": 640}
# What a developer calls the app is text for its users, wherever it is shown.
_LIKE_HTML = "<b data-injected>Shop</b>"


def violations(document: Page | Frame, rules: Mapping[str, Any] = _RULES) -> list[str]:
    """What axe finds in a document. It does not look into the frames of it."""
    if not document.evaluate("'axe' in window"):
        document.evaluate(Axe().axe_script)
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = document.evaluate("options => axe.run(options)", options)["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def undocumented(page: Page) -> list[str]:
    """The `data-testid`s that the page on tests does not name."""
    text = (ROOT / BROWSER_PAGE).read_text()
    known = [_WILD.sub(r"\\w+", name) for name in re.findall("`((?:link|bank)-[^`]+)`", text)]
    shown = "() => [...document.querySelectorAll('[data-testid]')].map((one) => one.dataset.testid)"
    names: list[str] = page.frames[-1].evaluate(shown)
    return [name for name in names if not any(re.fullmatch(one, name) for one in known)]


def injected(document: Page | Frame) -> int:
    return document.locator("[data-injected]").count()


def too_wide(page: Page) -> list[str]:
    """What reaches beyond the right edge."""
    frame = page.frames[-1]
    told: list[str] = frame.evaluate(
        """() => [...document.querySelectorAll("main *")]
          .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
          .map((one) => one.outerHTML)"""
    )
    return told


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
def test_panes(page: Page, api: Planned, address: str, walk: Walk) -> None:
    # Colours that are changing have a contrast of their own.
    page.emulate_media(reduced_motion="reduce")
    wide = page.viewport_size
    assert wide is not None
    token = link_token(api, client_name=_LIKE_HTML, **walk.fields)
    link = open_link(page, address, token=token)
    for place in walk.go(link):
        frame = page.frames[-1]
        assert violations(frame) == [], place.name
        assert undocumented(page) == [], place.name
        assert not injected(frame), place.name
        frame.evaluate("document.body.dataset.theme = 'dark'")
        assert violations(frame, _RULES_OF_COLOURS) == [], place.name
        frame.evaluate("document.body.dataset.theme = 'light'")
        page.set_viewport_size(_NARROW)
        assert too_wide(page) == [], place.name
        page.set_viewport_size(wide)


def test_what_link_adds_to_a_page(page: Page, api: Planned, address: str) -> None:
    open_link(page, address, token=link_token(api)).wait_for("CONSENT")
    assert violations(page) == []


def test_pages_of_a_bank(page: Page, api: Planned, address: str) -> None:
    token = link_token(api, client_name=_LIKE_HTML)
    bank = go_to_bank(open_link(page, address, token=token))
    bank.set_viewport_size(_NARROW)
    bank.get_by_test_id("bank-sign-in").wait_for()
    assert violations(bank) == []
    bank.get_by_test_id("bank-sign-in").click()
    bank.get_by_test_id("bank-approve").wait_for()
    expect(bank.locator("main")).to_contain_text(_LIKE_HTML)
    assert not injected(bank)
    assert undocumented(bank) == []
    assert violations(bank) == []
    assert too_wide(bank) == []


def test_hosted_pages(page: Page, api: Planned) -> None:
    page.goto(create(api, hosted_link={}, client_name=_LIKE_HTML)["hosted_link_url"])
    link = LinkPage(page, hosted=True)
    link.wait_for("CONSENT")
    expect(link.heading).to_contain_text(_LIKE_HTML)
    assert not injected(page)
    assert violations(page) == []
    link.leave()
    link.wait_for("ENDED")
    assert not injected(page)
    assert violations(page) == []


@pytest.mark.parametrize(
    ("mode", "scheme", "shown"),
    [
        (None, "light", "light"),
        (None, "dark", "dark"),
        ("SYSTEM", "dark", "dark"),
        ("DARK", "light", "dark"),
        ("LIGHT", "dark", "light"),
    ],
)
def test_colours_are_the_users_unless_the_app_says_otherwise(
    page: Page,
    api: Planned,
    address: str,
    mode: str | None,
    scheme: Literal["light", "dark"],
    shown: str,
) -> None:
    page.emulate_media(color_scheme=scheme)
    open_link(page, address, token=link_token(api, appearance_mode=mode)).wait_for("CONSENT")
    assert page.frames[-1].evaluate("document.body.dataset.theme") == shown
