"""The documentation's site: it builds without a warning and needs nothing from elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser

from tests.docs.test_blocks import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.served]

PHONE = {"width": 360, "height": 740}
# Those with the widest tables, code and pictures.
WIDEST = ("index", "coverage", "permissions", "processor-tokens", "quickstart/java", "settings")
# What a browser fetches by itself.
_FETCHED = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src")}


class Links(HTMLParser):
    """The links of a page, what it loads, and where it can be entered."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif (tag, name) in _FETCHED and value:
                self.fetched.append(value)
            elif (tag, name) == ("a", "href") and value:
                self.links.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make docs` does it, from a copy, so that nothing is left in the repository."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    result = subprocess.run(
        [str(Path(sys.executable).parent / "zensical"), "build", "--strict", "--clean"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "build" / "docs"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_every_page_is_there_and_every_link_leads_somewhere(site: Path) -> None:
    pages = {path: Links(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) == len(list((ROOT / "docs").rglob("*.md")))
    broken = []
    for page, links in pages.items():
        for target in [*links.links, *links.fetched]:
            if urlsplit(target).scheme:
                continue
            name, anchor = urldefrag(target)
            other = (page.parent / unquote(name)).resolve() if name else page
            known = pages[other].anchors if other in pages else set()
            if not other.exists() or (anchor and anchor not in known):
                broken.append(f"{page.name}: {target}")
    assert broken == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert [one for one in Links(page).fetched if "//" in one] == [], page.name
    for sheet in site.rglob("*.css"):
        addresses = re.findall(r"url\(([^)]*)\)|@import ([^;]*)", sheet.read_text())
        assert [one for one in addresses if re.match(r"[\"']?(https?:)?//", "".join(one))] == []


def test_code_that_no_test_runs_says_so(site: Path) -> None:
    for page in (ROOT / "docs" / "quickstart").glob("*.md"):
        unrun = page.read_text().count("<!-- not run: ")
        assert unrun
        text = (site / "quickstart" / f"{page.stem}.html").read_text()
        assert text.count("No test runs this: ") == unrun


def test_pages_fit_a_phone_and_ask_nobody_else(site: Path, address: str, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme="dark")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    wide = []
    for name in WIDEST:
        page.goto(f"{address}/{name}.html")
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            wide.append(name)
    context.close()
    assert wide == []
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(address).netloc}


def test_the_search_finds_a_page(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{address}/index.html")
    page.get_by_role("button", name="Search").first.click()
    page.locator("dialog input").first.fill("peppers")
    page.locator("dialog a", has_text="Peppers digest tokens").first.wait_for()
    page.close()


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_pages_follow_the_systems_theme(
    address: str, browser: Browser, scheme: str, dark: bool
) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{address}/index.html")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()
    channels = [int(one) for one in re.findall(r"\d+", ground)[:3]]
    assert (sum(channels) < 3 * 128) == dark
