"""Pictures of all that Link shows, to be looked at: `python -m tests.browser.screenshots FOLDER`.

`index.html` in the folder has them side by side. With further arguments, only those pictures are
taken whose names contain one of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.app import App, open_link
from tests.browser.panes import WALKS, Place, Walk
from tests.browser.test_pages import EMBED, EMBEDDING, go_to_bank
from tests.control.plane import Planned, own_client
from tests.support.chromium import launch
from tests.support.link import create, link_token
from tests.support.server import Server
from treadle.testing.browser import LinkPage


class Look(NamedTuple):
    name: str
    size: ViewportSize
    scheme: Literal["light", "dark"]


_WIDE = ViewportSize(width=900, height=780)
_NARROW = ViewportSize(width=360, height=740)
_LOOKS = [
    Look("light", _WIDE, "light"),
    Look("dark", _WIDE, "dark"),
    Look("narrow", _NARROW, "light"),
    Look("narrow-dark", _NARROW, "dark"),
]


class Scene(NamedTuple):
    """An empty page, and what a picture can be taken of with it."""

    page: Page
    size: ViewportSize
    url: str
    api: Planned
    app: App

    @property
    def script(self) -> str:
        return f"{self.url}/link/v2/stable/link-initialize.js"

    def open(self, walk: Walk | None = None) -> LinkPage:
        token = link_token(self.api, **(walk.fields if walk else {}))
        link = open_link(self.page, self.app.page(self.script), token=token)
        link.wait_for("CONSENT")
        return link


def _pane(walk: Walk, wanted: Place) -> Callable[[Scene], Page]:
    def go(scene: Scene) -> Page:
        next(place for place in walk.go(scene.open(walk)) if place is wanted)
        return scene.page

    return go


def _bank(scene: Scene) -> Page:
    bank = go_to_bank(scene.open())
    bank.set_viewport_size(scene.size)
    bank.get_by_test_id("bank-sign-in").wait_for()
    return bank


def _sharing(scene: Scene) -> Page:
    bank = _bank(scene)
    bank.get_by_test_id("bank-sign-in").click()
    bank.get_by_test_id("bank-approve").wait_for()
    return bank


def _hosted(scene: Scene) -> Page:
    scene.page.goto(create(scene.api, hosted_link={})["hosted_link_url"])
    LinkPage(scene.page, hosted=True).wait_for("CONSENT")
    return scene.page


def _ended(scene: Scene) -> Page:
    link = LinkPage(_hosted(scene), hosted=True)
    link.leave()
    link.wait_for("ENDED")
    return scene.page


def _expired(scene: Scene) -> Page:
    scene.page.goto(f"{scene.url}/link/lp{'0' * 32}")
    scene.page.get_by_role("heading", level=1).wait_for()
    return scene.page


def _embedded(scene: Scene) -> Page:
    scene.page.goto(scene.app.page(scene.script, "embedding.html", EMBEDDING))
    scene.page.evaluate(EMBED, link_token(scene.api))
    LinkPage(scene.page).wait_for("SELECT_INSTITUTION")
    return scene.page


def _unreachable(scene: Scene) -> Page:
    link = scene.open()
    scene.page.route("**/_link/act", lambda route: route.abort())
    link.press("consent-continue")
    link.by_test_id("try-again").wait_for()
    return scene.page


_SCENES: dict[str, Callable[[Scene], Page]] = {
    **{place.name: _pane(walk, place) for walk in WALKS for place in walk.places},
    "page of a bank": _bank,
    "page of a bank for sharing": _sharing,
    "hosted": _hosted,
    "hosted and over": _ended,
    "hosted and expired": _expired,
    "embedded": _embedded,
    "unreachable": _unreachable,
}


def take(
    browser: Browser, folder: Path, names: list[str], url: str, api: Planned, app: App
) -> None:
    for look in _LOOKS:
        for name in names:
            context = browser.new_context(viewport=look.size, color_scheme=look.scheme)
            shown = _SCENES[name](Scene(context.new_page(), look.size, url, api, app))
            shown.mouse.move(0, 0)
            shown.screenshot(path=folder / _file(name, look), animations="disabled")
            context.close()
        print(f"{look.name}: {len(names)} pictures", flush=True)


def _file(name: str, look: Look) -> str:
    return f"{name.replace(' ', '-')}.{look.name}.png"


def _index(names: list[str]) -> str:
    rows = "".join(
        f"<h2>{escape(name)}</h2>"
        + "".join(f'<img src="{_file(name, look)}" alt="{look.name}">' for look in _LOOKS)
        for name in names
    )
    style = "img { height: 560px; margin: 4px } body { white-space: nowrap; font: 16px sans-serif }"
    return f"<!doctype html><meta charset=utf-8><title>Link</title><style>{style}</style>{rows}"


def main(folder: Path, wanted: list[str]) -> None:
    names = [name for name in _SCENES if not wanted or any(one in name for one in wanted)]
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as temporary:
        server = Server(Path(temporary) / "data")
        server.start()
        pages = Path(temporary) / "app"
        pages.mkdir()
        try:
            with (
                closing(App(pages)) as app,
                closing(own_client(server)) as api,
                sync_playwright() as playwright,
                launch(playwright.chromium) as browser,
            ):
                take(browser, folder, names, server.url, api, app)
        finally:
            server.stop()
    (folder / "index.html").write_text(_index(names))
    print(folder / "index.html")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
