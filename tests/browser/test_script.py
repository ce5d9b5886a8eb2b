"""The script in an app's page that uses no framework: its promises to the page."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import called, calls, open_link
from tests.control.plane import Planned
from tests.support.link import link_token
from tests.support.server import Server
from treadle.testing.browser import LinkPage

MOST_BYTES = 6 * 1024
_LEFT = [None, {"institution": None, "status": None, "link_session_id": "", "request_id": ""}]


def test_it_is_small_and_is_asked_for_anew(script: str) -> None:
    answer = httpx.get(script)
    assert len(gzip.compress(answer.content)) <= MOST_BYTES
    assert answer.headers["Cache-Control"] == "no-cache"
    again = httpx.get(script, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_name_of_a_host_cannot_become_script(link_server: Server, script: str) -> None:
    answer = httpx.get(script, headers={"Host": 'localhost"+alert(1)+"'})
    assert answer.json()["error_code"] == "INVALID_HEADERS"


def test_what_is_no_page_is_refused_like_any_other_path(link_server: Server) -> None:
    for path in ("/link/nothing", "/link/static/0/session.js", "/link/v2/stable/other.js"):
        assert httpx.get(f"{link_server.url}{path}").status_code == 404


def test_pages_load_nothing_from_elsewhere(link_server: Server) -> None:
    for path in ("/link/v2/stable/link.html", "/link/lp0", "/link/oauth/ins_1"):
        headers = httpx.get(f"{link_server.url}{path}").headers
        policy = dict(
            one.strip().split(" ", 1) for one in headers["Content-Security-Policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == ("*" if path.endswith("link.html") else "'none'")
        assert headers["Referrer-Policy"] == "no-referrer"


def test_bare_functions_and_an_event_as_argument(page: Page, api: Planned, address: str) -> None:
    page.goto(address)
    page.evaluate(
        """token => {
          const { create } = Plaid;
          const { open } = create({ ...hearing, token });
          document.getElementById("open").onclick = open;
        }""",
        link_token(api),
    )
    page.get_by_role("button", name="Connect a bank").click()
    LinkPage(page).leave()
    called(page, "exit")


def test_the_page_is_held_while_link_is_open(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    frame = page.locator("iframe#plaid-link-iframe-1")
    expect(frame).to_have_attribute("title", "Plaid Link")
    link.wait_for("CONSENT")
    assert page.evaluate("document.documentElement.style.overflow") == "hidden"
    link.leave()
    called(page, "exit")
    assert page.evaluate("document.documentElement.style.overflow") == ""
    expect(page.locator("iframe, dialog")).to_have_count(0)


def test_opened_again_it_is_another_session(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    link.leave()
    called(page, "exit")
    page.evaluate("link.open()")
    link.link_bank()
    _, metadata = called(page, "success")
    [[_, left]] = calls(page, "exit")
    assert metadata["link_session_id"] != left["link_session_id"]


def test_left_by_force_in_the_middle(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    link.go_to_banks()
    link.choose_bank("ins_109511")
    page.evaluate("link.exit({ force: true })")
    _, metadata = called(page, "exit")
    assert metadata["status"] == "requires_credentials"


def test_left_without_force_it_asks(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    link.go_to_banks()
    link.choose_bank("ins_109511")
    page.evaluate("link.exit()")
    link.wait_for("EXIT")
    link.press("stay")
    link.wait_for("CREDENTIAL")
    assert calls(page, "exit") == []


def test_left_before_it_has_loaded(page: Page, api: Planned, address: str) -> None:
    page.goto(address)
    page.evaluate("token => { create({ token }); link.open(); link.exit(true); }", link_token(api))
    assert called(page, "exit") == _LEFT


def test_destroyed_it_says_nothing(page: Page, api: Planned, address: str) -> None:
    open_link(page, address, token=link_token(api)).wait_for("CONSENT")
    page.evaluate("link.destroy(); link.destroy(); link.exit(); link.open()")
    expect(page.locator("iframe, dialog")).to_have_count(0)
    assert calls(page, "exit") == []


def test_a_new_link_made_where_the_old_one_ends(page: Page, api: Planned, address: str) -> None:
    """As apps do that ask for a new token when theirs has expired."""
    page.goto(address)
    page.evaluate(
        """token => {
          const onExit = (error) => {
            calls.push(["refused", error.error_code]);
            link.destroy();
            create({ token });
            link.open();
          };
          window.link = Plaid.create({ token: "link-sandbox-unknown", onExit });
          link.open();
        }""",
        link_token(api),
    )
    LinkPage(page).link_bank()
    called(page, "success")
    assert calls(page, "refused") == [["INVALID_LINK_TOKEN"]]


def test_opened_again_where_it_ends(page: Page, api: Planned, address: str) -> None:
    page.goto(address)
    page.evaluate(
        """token => {
          const onExit = () => { calls.push(["left"]); if (calls.length < 2) link.open(); };
          window.link = Plaid.create({ token, onExit });
          link.open();
        }""",
        link_token(api),
    )
    link = LinkPage(page)
    link.leave()
    page.wait_for_function("calls.length === 1")
    link.wait_for("CONSENT")
    link.leave()
    page.wait_for_function("calls.length === 2")
    expect(page.locator("iframe, dialog")).to_have_count(0)


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"key": "0123"}, "PUBLIC_KEY_NOT_ENABLED"),
        ({"key": None, "env": "sandbox"}, "INVALID_LINK_TOKEN"),
        ({"token": "link-sandbox-nonsense"}, "INVALID_LINK_TOKEN"),
        ({"token": 7}, "INVALID_FIELD"),
    ],
)
def test_what_cannot_be_opened_ends_at_once(
    page: Page, address: str, config: dict[str, Any], code: str
) -> None:
    open_link(page, address, **config)
    error, metadata = called(page, "exit")
    assert error["error_code"] == code
    assert set(error) == {"error_type", "error_code", "error_message", "display_message"}
    assert metadata["status"] is None


def test_layer_is_not_offered(page: Page, api: Planned, address: str) -> None:
    page.goto(address)
    page.evaluate("token => create({ token })", link_token(api))
    page.evaluate("link.submit({ phone_number: '+14155550011' })")
    name, metadata = called(page, "event")
    assert (name, metadata["view_name"]) == ("LAYER_NOT_AVAILABLE", None)


def test_a_server_that_is_away_for_a_moment(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    link.wait_for("CONSENT")
    page.route("**/_link/act", lambda route: route.abort())
    link.press("consent-continue")
    link.by_test_id("try-again").wait_for()
    page.unroute("**/_link/act")
    link.press("try-again")
    link.go_to_banks()


def test_a_warning_and_no_more_where_nothing_is_open(
    page: Page, api: Planned, address: str
) -> None:
    page.goto(address)
    page.evaluate("token => create({ token })", link_token(api))
    with page.expect_console_message(lambda message: message.type == "warning"):
        page.evaluate("link.exit({ force: true })")
    assert calls(page, "exit") == []
