"""Link in a browser that Playwright drives: `LinkPage(page).link_bank()`.

What is pressed is found by its `data-testid`. What is waited for is that Link says where it stands,
in `data-view` and `data-busy`: no test waits for time to pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import httpx

from treadle.bank.linking import DEFAULT_PASSWORD, DEFAULT_USERNAME

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True

_FRAME = 'iframe[title="Plaid Link"]'
_CDN_SCRIPT = "https://cdn.plaid.com/link/v2/stable/link-initialize.js"
_JAVASCRIPT = "text/javascript; charset=utf-8"
_SCRIPT_PATH = "/link/v2/stable/link-initialize.js"
# Has one way in, with a password.
_INSTITUTION = "ins_109511"


def replace_cdn_script(pages: Page | BrowserContext, base_url: str) -> None:
    """Answer what pages ask the CDN for with the script of a server; the app stays as it is."""
    answer = httpx.get(f"{base_url}{_SCRIPT_PATH}", trust_env=False).raise_for_status()
    pages.route(
        _CDN_SCRIPT, lambda route: route.fulfill(body=answer.content, content_type=_JAVASCRIPT)
    )


class LinkPage:
    """Link, open in a page."""

    def __init__(self, page: Page, *, hosted: bool = False) -> None:
        """`hosted`: it is the page, and not a frame in one of the app's."""
        self.page = page
        self._within: Page | FrameLocator = page if hosted else page.frame_locator(_FRAME)

    @property
    def heading(self) -> Locator:
        return self._within.get_by_role("heading", level=1)

    @property
    def alert(self) -> Locator:
        """What went wrong, in words for the user."""
        return self._within.get_by_role("alert")

    def by_test_id(self, name: str) -> Locator:
        """What has the `data-testid` of `link-` and a name."""
        return self._within.get_by_test_id(f"link-{name}")

    def wait_for(self, view: str | None = None) -> str:
        """Wait until Link is ready for the user, on a view if one is named; answers which."""
        ready = 'main#link[data-busy="false"]'
        main = self._within.locator(f'{ready}[data-view="{view}"]' if view else ready)
        main.wait_for()
        return main.get_attribute("data-view") or ""

    def press(self, name: str) -> None:
        self.by_test_id(name).click()

    def fill(self, **fields: str) -> None:
        """Type into fields, each under its name."""
        for name, text in fields.items():
            self.by_test_id(name.replace("_", "-")).fill(text)

    def submit(self, **fields: str) -> None:
        self.fill(**fields)
        self.press("submit")

    def go_to_banks(self) -> None:
        """From the first view to the list of institutions."""
        self.wait_for("CONSENT")
        self.press("consent-continue")
        self.wait_for("SELECT_INSTITUTION")

    def choose_bank(self, institution_id: str, name: str | None = None) -> str:
        """Take an institution, after a search if a name is given; answers the next view."""
        if name is not None:
            self.fill(search=name)
        self.press(f"institution-{institution_id}")
        return self.wait_for()

    def log_in(self, username: str = DEFAULT_USERNAME, password: str = DEFAULT_PASSWORD) -> str:
        self.wait_for("CREDENTIAL")
        self.submit(username=username, password=password)
        return self.wait_for()

    def choose_accounts(self, masks: Sequence[str]) -> None:
        """Share exactly the accounts whose numbers end like this."""
        self.wait_for("SELECT_ACCOUNT")
        for box in self._within.get_by_role("checkbox").all():
            box.uncheck()
        for mask in masks:
            self.by_test_id(f"account-{mask}").check()
        self.press("accounts-continue")

    def finish(self) -> None:
        self.wait_for("CONNECTED")
        self.press("finish")

    def leave(self) -> None:
        """Close Link, and confirm it where that is asked."""
        self.wait_for()
        self.press("exit")
        self._within.locator('main#link[data-busy="true"]').wait_for(state="hidden")
        if self.by_test_id("leave").is_visible():
            self.press("leave")

    def link_bank(
        self,
        institution_id: str = _INSTITUTION,
        *,
        username: str = DEFAULT_USERNAME,
        password: str = DEFAULT_PASSWORD,
        masks: Sequence[str] = ("0000",),
    ) -> None:
        """Go through Link with a password, as a guest, from its first view to its last."""
        self.go_to_banks()
        self.choose_bank(institution_id)
        self.log_in(username, password)
        self.choose_accounts(masks)
        self.finish()
