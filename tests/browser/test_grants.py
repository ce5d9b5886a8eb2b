"""The page of grants as users have it: by keyboard, in light and dark, on a narrow phone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.browser.test_accessibility import too_wide, violations
from tests.control.plane import Planned

PICTURES = os.environ.get("TREADLE_PICTURES")
WIDTH, HEIGHT = 360, 720


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_by_keyboard(page: Page, api: Planned, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(reduced_motion="reduce", color_scheme=scheme)
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    linked = api.link("auth", "identity")
    for processor in ("dwolla", "paynote"):
        token = api.mint(linked, processor)
        if processor == "dwolla":
            api.permit(token, "auth")
    create = "/treadle/processor_token/page/create"
    answer = api.post(create, access_tokens=[linked.access_token])

    def check(name: str) -> None:
        assert violations(page) == []
        assert too_wide(page) == []
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}.png", full_page=True)

    page.goto(answer["page_url"])
    check("offer")
    press_on(page, "Continue")
    page.wait_for_url("**/grants/held")
    check("held")
    press_on(page, "Take back from Dwolla")
    check("asked")
    press_on(page, "Yes, take it back from Dwolla")
    page.wait_for_url("**/held?done=1")
    assert page.get_by_role("status").inner_text() == "Taken back. It is in force now."
    check("taken-back")
    assert page.get_by_role("heading", level=3).all_inner_texts() == ["Paynote"]
    page.goto(answer["page_url"])
    press_on(page, "Continue")
    page.get_by_role("heading", name="This page is no longer open").wait_for()
    check("over")


def press_on(page: Page, name: str) -> None:
    """Go to what is named by the tab key, and press enter."""
    for _ in range(20):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.textContent.trim()")
        if focused.startswith(name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")
