"""What holds for every page: it can be used by all, on a phone and in the dark."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

PHONE = {"width": 360, "height": 780}
DESK = {"width": 1200, "height": 900}


def assert_usable(page: Page) -> None:
    """Nothing that axe finds wrong, in light and in dark, and nothing wider than a phone."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        report = Axe().run(page)
        assert report.violations_count == 0, f"{page.url}, {scheme}:\n{report.generate_report()}"
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], f"{page.url} is {width} pixels wide on a phone"
    page.set_viewport_size(DESK)  # type: ignore[arg-type]


def reload_until(page: Page, part: Locator, text: str) -> None:
    """Look again until a part of the page shows what is to happen meanwhile."""
    for _ in range(50):
        if text in part.inner_text():
            return
        page.wait_for_timeout(100)
        page.reload()
    expect(part).to_contain_text(text)
