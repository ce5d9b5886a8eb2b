"""Each way to have an app load Treadle's script where it would load the CDN's."""

from __future__ import annotations

import re
import shlex
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.app import App, called, open_link
from tests.control.plane import Planned
from tests.docs.test_blocks import BROWSER_PAGE, ROOT
from tests.support.chromium import launch
from tests.support.link import USER, link_token
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server
from treadle.testing.browser import LinkPage, replace_cdn_script

CDN = "https://cdn.plaid.com/link/v2/stable/link-initialize.js"
REACT_ALONE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title></head>
<body><div id="root"></div><script src="/{bundle}"></script></body></html>
"""
_LOADING_LATE = """token => {
  const script = document.createElement("script");
  script.src = "https://cdn.plaid.com/link/v2/stable/link-initialize.js";
  script.onload = () => { create({ token }); link.open(); };
  document.body.append(script);
}"""


@pytest.fixture
def react_page(app: App, bundle: Callable[[str], str]) -> str:
    """An app as it is in production: its component loads the script from the CDN by itself."""
    return app.page("", "react.html", REACT_ALONE.replace("{bundle}", bundle("5.0.0")))


def test_the_route_of_a_test(
    browser: Browser, api: Planned, react_page: str, link_server: Server
) -> None:
    with browser.new_context() as context:
        replace_cdn_script(context, link_server.url)
        page = context.new_page()
        page.goto(f"{react_page}?token={link_token(api)}")
        page.get_by_role("button", name="Connect a bank").click()
        LinkPage(page).link_bank()
        called(page, "success")


def test_a_host_name_that_is_mapped(
    browser: Browser, react_page: str, serve: Callable[..., Server]
) -> None:
    """By HTTPS, with the app and its test as they are."""
    server = serve("--tls")
    with launch(browser.browser_type, *documented_flags(server.port)) as mapped:
        page = mapped.new_page()
        page.goto(f"{react_page}?token={token_over_tls(server)}")
        page.get_by_role("button", name="Connect a bank").click()
        LinkPage(page).link_bank()
        called(page, "success")
        assert {urlsplit(one.url).hostname for one in page.context.pages} == {"localhost"}


def documented_flags(port: int) -> list[str]:
    [command] = re.findall("^chromium (.*)$", (ROOT / BROWSER_PAGE).read_text(), re.MULTILINE)
    assert ":8443" in command
    return shlex.split(command.replace(":8443", f":{port}"))


def token_over_tls(server: Server) -> str:
    """A link token, from a client that trusts the authority of the server and no other."""
    trusted = ssl.create_default_context(cafile=server.data / "tls" / "authority.pem")
    body = {
        "client_id": CLIENT_ID,
        "secret": SECRET,
        "client_name": "Shop",
        "language": "en",
        "country_codes": ["US"],
        "user": USER,
        "products": ["auth"],
    }
    with httpx.Client(base_url=server.url, verify=trusted, trust_env=False) as client:
        answer = client.post("/link/token/create", json=body)
    token: str = answer.raise_for_status().json()["link_token"]
    return token


def test_a_proxy_that_makes_it_the_same_origin(
    page: Page, api: Planned, app: App, link_server: Server
) -> None:
    """Then the frame is open to the page, and so to Cypress."""
    app.proxies["/treadle/"] = link_server.url
    address = app.page("/treadle/link/v2/stable/link-initialize.js", "proxied.html")
    link = open_link(page, address, token=link_token(api))
    link.wait_for("CONSENT")
    view = "document.querySelector('iframe').contentDocument.querySelector('main').dataset.view"
    assert page.evaluate(view) == "CONSENT"
    link.link_bank("ins_109511")
    called(page, "success")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    link = open_link(page, address, token=link_token(api))
    link.go_to_banks()
    link.choose_bank("ins_127287")
    with page.expect_popup() as opened:
        link.press("open-oauth")
    opened.value.get_by_test_id("bank-sign-in").wait_for()
    assert opened.value.url.startswith(f"{app.url}/treadle/link/oauth/")
    assert [one for one in asked if not one.startswith(app.url)] == []


def test_a_tag_of_the_cdn_that_comes_later(
    browser: Browser, api: Planned, app: App, script: str
) -> None:
    """The original does not take Treadle's place."""
    original = f'<script src="{script}"></script><script src="{CDN}"></script>'
    html = f"<!doctype html><title>Shop</title>{original}<body><script src='/app.js'></script>"
    with browser.new_context() as context:
        context.route(CDN, lambda route: route.fulfill(body="window.Plaid = {}"))
        page = context.new_page()
        warnings: list[ConsoleMessage] = []
        page.on("console", lambda message: warnings.append(message))
        page.goto(app.page("", "twice.html", html))
        assert page.evaluate("Plaid.treadle") is True
        assert re.search("is not used", warnings[0].text)


def test_a_loader_that_always_adds_its_own_tag(
    page: Page, api: Planned, app: App, script: str
) -> None:
    html = f"""<!doctype html><html lang="en"><title>Shop</title>
    <script src="{script}" data-rewrite-cdn></script>
    <body><button id="open">Open</button><script src="/app.js"></script>"""
    page.goto(app.page("", "loader.html", html))
    page.evaluate(_LOADING_LATE, link_token(api))
    LinkPage(page).wait_for("CONSENT")
