"""The code of the page on Link in tests, as it stands there but for the addresses."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import playwright
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import App, called, open_link
from tests.browser.test_react import REACT_PAGE
from tests.browser.test_replacing_the_cdn import REACT_ALONE
from tests.control.plane import Planned
from tests.docs.test_blocks import BASE_URL, BROWSER_PAGE, blocks
from tests.support.chromium import chromium_path, sandbox_flags
from tests.support.link import link_token
from tests.support.server import Server
from treadle.client import Treadle
from treadle.testing import Sandbox
from treadle.testing.browser import LinkPage

_APP_URL = "http://localhost:3000/"
_DRIVER = Path(playwright.__file__).parent / "driver"
_RUN_JS = """
import { chromium } from "{driver}/package/index.mjs";
import { linkBank, replaceCdnScript } from "./block.mjs";
const [executablePath, url, ...args] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args });
const page = await browser.newPage();
await replaceCdnScript(page);
await page.goto(url);
await page.getByRole("button", { name: "Connect a bank" }).click();
await linkBank(page);
const told = await page.waitForFunction(() => calls.find(([name]) => name === "success")?.[1]);
console.log(await told.jsonValue());
await browser.close();
"""
_RUN_VITE = """
import config from "./vite.config.mjs";
const [[prefix, { target, rewrite }]] = Object.entries(config.server.proxy);
console.log(prefix, target, rewrite(prefix + "/link/v2/stable/link.html"));
"""


def of(language: str) -> list[str]:
    return [one.text for one in blocks(BROWSER_PAGE) if one.run and one.language == language]


# A block that is added to the page needs a test here.
[_TAG, _AUTO] = of("html")
[_ROUTE, _STEPS, _PLAN, _NOBODY] = of("python")
[_PLAYWRIGHT, _VITE] = of("js")


@pytest.fixture
def at(link_server: Server) -> Callable[[str], str]:
    """Puts the server's address into a block."""

    def put(text: str) -> str:
        assert BASE_URL in text
        return text.replace(BASE_URL, link_server.url)

    return put


def run_node(folder: Path, text: str, *arguments: str) -> str:
    (folder / "run.mjs").write_text(text)
    command = [str(_DRIVER / "node"), "run.mjs", *arguments]
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_tag(
    page: Page, api: Planned, app: App, bundle: Callable[[str], str], at: Callable[[str], str]
) -> None:
    html = REACT_PAGE.replace("{bundle}", bundle("5.0.0"))
    tagged = html.replace('<script src="{script}"></script>', at(_TAG))
    assert "{script}" not in tagged
    page.goto(f"{app.page('', 'tagged.html', tagged)}?token={link_token(api)}")
    page.get_by_role("button", name="Connect a bank").click()
    LinkPage(page).link_bank()
    called(page, "success")


def test_a_route_in_python(
    browser: Browser, api: Planned, app: App, bundle: Callable[[str], str], at: Callable[[str], str]
) -> None:
    address = app.page("", "route.html", REACT_ALONE.replace("{bundle}", bundle("5.0.0")))
    url = f"{address}?token={link_token(api)}"
    assert _APP_URL in _ROUTE
    with browser.new_context() as context:
        page = context.new_page()
        exec(at(_ROUTE).replace(_APP_URL, url), {"page": page})
        assert called(page, "success")[0].startswith("public-sandbox-")


def test_a_route_in_javascript(
    api: Planned,
    app: App,
    bundle: Callable[[str], str],
    at: Callable[[str], str],
    tmp_path: Path,
) -> None:
    address = app.page("", "route.html", REACT_ALONE.replace("{bundle}", bundle("5.0.0")))
    (tmp_path / "block.mjs").write_text(at(_PLAYWRIGHT))
    url = f"{address}?token={link_token(api)}"
    text = _RUN_JS.replace("{driver}", str(_DRIVER))
    public_token = run_node(tmp_path, text, chromium_path(), url, *sandbox_flags())
    assert api.exchange(public_token.strip()).status == 200


def test_a_proxy(tmp_path: Path) -> None:
    """What is behind it `test_a_proxy_that_makes_it_the_same_origin` tries."""
    (tmp_path / "vite.config.mjs").write_text(_VITE)
    told = run_node(tmp_path, _RUN_VITE).split()
    assert told == ["/treadle", BASE_URL, "/link/v2/stable/link.html"]


def test_steps(page: Page, api: Planned, address: str) -> None:
    open_link(page, address, token=link_token(api))
    exec(_STEPS, {"page": page, "LinkPage": LinkPage})
    _, metadata = called(page, "success")
    assert [one["mask"] for one in metadata["accounts"]] == ["0000", "1111"]


def test_by_itself(
    page: Page, api: Planned, app: App, at: Callable[[str], str], link_server: Server
) -> None:
    [script] = re.findall(r'src="([^"]+)"', at(_AUTO))
    open_link(page, app.page(script, "auto.html"), token=link_token(api))
    called(page, "success")
    with (
        Treadle(link_server.url, api.client_id, api.secret) as maker,
        Sandbox(maker) as treadle,
    ):
        names: dict[str, Any] = {"treadle": treadle}
        exec(_PLAN, names)
        plain = app.page(script.partition("?")[0], "planned.html")
        open_link(page, plain, token=names["created"]["link_token"])
        _, metadata = called(page, "success")
        assert [one["mask"] for one in metadata["accounts"]] == ["0000"]
        exec(_NOBODY, names)
        assert names["run"].public_token.startswith("public-sandbox-")
