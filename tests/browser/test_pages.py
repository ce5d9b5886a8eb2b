"""A bank's own page, pages of Link's own, and Link as a part of an app's page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.app import App, called, calls, open_link
from tests.browser.test_flows import heard
from tests.control.plane import Planned
from tests.support.link import OAUTH_BANK, PLAIN_BANK, create, link_token, sessions
from treadle.testing.browser import LinkPage

_OPEN_BANK = ["TV(OAUTH)", "OPEN_OAUTH", "TV(CONNECTED)", "HANDOFF"]
EMBEDDING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<script src="{script}"></script></head>
<body><main><h1>Shop</h1><button>Pay</button>
<div id="banks" style="height: 500px"></div></main>
<script src="/app.js"></script></body></html>
"""
_ISOLATING = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
EMBED = """token => {
  const element = document.getElementById("banks");
  window.made = Plaid.createEmbedded({ ...hearing, token }, element);
}"""


def go_to_bank(link: LinkPage) -> Page:
    """Open the window of a bank's own page."""
    link.go_to_banks()
    link.choose_bank(OAUTH_BANK)
    with link.page.expect_popup() as opened:
        link.press("open-oauth")
    return opened.value


def approve(bank: Page, mask: str | None = None) -> None:
    bank.get_by_test_id("bank-sign-in").click()
    if mask is not None:
        bank.get_by_test_id(f"bank-account-{mask}").uncheck()
    bank.get_by_test_id("bank-approve").click()


def test_a_bank_in_a_window(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    bank = go_to_bank(link)
    with bank.expect_event("close"):
        approve(bank, mask="1111")
    link.finish()
    _, metadata = called(page, "success")
    assert [one["mask"] for one in metadata["accounts"]] == ["0000"]
    assert heard(page)[-4:] == _OPEN_BANK


def test_a_window_that_is_closed(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    go_to_bank(link).close()
    link.by_test_id("open-oauth").wait_for()
    link.leave()
    called(page, "exit")
    assert heard(page)[-4:] == ["CLOSE_OAUTH", "TV(OAUTH)", "TV(EXIT)", "EXIT(requires_oauth)"]


def test_it_is_busy_from_a_click_on(page: Page, api: Planned, address: str) -> None:
    """Whatever else is under way, such as a look at what became of a bank's window."""
    polls: list[Route] = []
    page.context.route("**/_link/poll", lambda route: polls.append(route), times=1)
    link = open_link(page, address, token=link_token(api))
    go_to_bank(link)
    while not polls:
        page.wait_for_timeout(50)
    link.press("exit")
    busy = link.page.frame_locator("iframe").locator("main#link").get_attribute("data-busy")
    assert busy == "true"
    polls[0].continue_()
    link.by_test_id("leave").click()
    called(page, "exit")


def test_a_bank_that_is_not_agreed_with(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    bank = go_to_bank(link)
    with bank.expect_event("close"):
        bank.get_by_test_id("bank-deny").click()
    link.wait_for("ERROR")
    expect(link.alert).to_contain_text("You did not grant access")


def test_a_page_isolated_from_others(page: Page, api: Planned, app: App, script: str) -> None:
    """It gets no hold on the window that it opens, and may have no frame but a willing one."""
    address = app.page(script, "isolated.html", headers=_ISOLATING)
    link = open_link(page, address, token=link_token(api))
    assert page.evaluate("crossOriginIsolated")
    link.go_to_banks()
    link.choose_bank(OAUTH_BANK)
    with page.context.expect_page() as opened:
        link.press("open-oauth")
    approve(opened.value)
    link.finish()
    called(page, "success")


def test_a_bank_in_place_of_the_page(page: Page, api: Planned, app: App, script: str) -> None:
    address = app.page(f"{script}?oauth_mode=redirect", "redirect.html")
    token = link_token(api, redirect_uri=address)
    link = open_link(page, address, token=token)
    link.go_to_banks()
    link.choose_bank(OAUTH_BANK)
    link.press("open-oauth")
    page.wait_for_url(re.compile("/link/oauth/"))
    approve(page)
    page.wait_for_url(re.compile(re.escape(f"{address}?oauth_state_id=")))
    page.evaluate("create({token: null, receivedRedirectUri: location.href}); link.open()")
    link.finish()
    called(page, "success")
    assert heard(page) == ["OPEN", "TV(CONNECTED)", "HANDOFF"]
    assert len(sessions(api, token)) == 1


def test_a_visit_to_a_bank_that_is_over(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    bank = go_to_bank(link)
    bank.get_by_test_id("bank-sign-in").wait_for()
    where = bank.url
    with bank.expect_event("close"):
        link.press("close-oauth")
    bank = page.context.new_page()
    bank.goto(where)
    expect(bank.get_by_role("heading", level=1)).to_have_text("This page has expired")


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_hosted_page(page: Page, api: Planned, address: str, *, succeeds: bool) -> None:
    created = create(api, hosted_link={"completion_redirect_uri": f"{address}?done"})
    page.goto(created["hosted_link_url"])
    link = LinkPage(page, hosted=True)
    if succeeds:
        link.link_bank()
    else:
        link.leave()
    page.wait_for_url(f"{address}?done")
    [session] = sessions(api, created["link_token"])
    assert len(session["results"]["item_add_results"]) == int(succeeds)
    assert (session["exit"] is None) == succeeds


def test_a_hosted_page_that_leads_nowhere_says_so(page: Page, api: Planned) -> None:
    page.goto(create(api, hosted_link={})["hosted_link_url"])
    link = LinkPage(page, hosted=True)
    link.leave()
    expect(link.heading).to_have_text("Nothing was connected")


def test_a_hosted_page_that_is_not_there(page: Page, api: Planned) -> None:
    url: str = create(api, hosted_link={})["hosted_link_url"]
    page.goto(url[:-32] + "0" * 32)
    expect(LinkPage(page, hosted=True).heading).to_have_text("This page has expired")


def test_a_list_of_banks_in_the_page(page: Page, api: Planned, app: App, script: str) -> None:
    page.goto(app.page(script, "embedding.html", EMBEDDING))
    page.get_by_role("button", name="Pay").focus()
    page.evaluate(EMBED, link_token(api))
    link = LinkPage(page)
    link.wait_for("SELECT_INSTITUTION")
    expect(page.get_by_role("button", name="Pay")).to_be_focused()
    link.choose_bank(PLAIN_BANK)
    link.wait_for("CONSENT")
    expect(link.heading).to_have_text("Connect Tartan Bank to Shop")
    link.press("consent-continue")
    link.log_in()
    link.choose_accounts(["0000"])
    link.finish()
    called(page, "success")
    begun = ["OPEN(CONSENT)", "SELECT_INSTITUTION", "TV(CONSENT)", "TV(CREDENTIAL)"]
    assert heard(page)[:4] == begun
    page.evaluate("(({ destroy }) => { destroy(); destroy(); })(made)")
    expect(page.locator("iframe")).to_have_count(0)


@pytest.mark.parametrize(
    ("auto", "callback", "told"),
    [
        ("success", "success", ["TV(CONNECTED)", "HANDOFF"]),
        ("oauth", "success", _OPEN_BANK),
        ("exit", "exit", ["OPEN(CONSENT)", "EXIT"]),
        ("error:INSTITUTION_DOWN", "exit", ["EXIT(requires_credentials, INSTITUTION_DOWN)"]),
    ],
)
def test_link_goes_through_by_itself(
    page: Page, api: Planned, app: App, script: str, auto: str, callback: str, told: list[str]
) -> None:
    address = app.page(f"{script}?auto={auto}", f"auto-{auto.replace(':', '-')}.html")
    open_link(page, address, token=link_token(api))
    called(page, callback)
    assert heard(page)[-len(told) :] == told


def test_events_as_they_happen(page: Page, api: Planned, app: App, script: str) -> None:
    address = app.page(f"{script}?event_delivery=realtime", "realtime.html")
    link = open_link(page, address, token=link_token(api))
    link.go_to_banks()
    assert heard(page) == ["OPEN(CONSENT)", "TV(SELECT_INSTITUTION)"]
    assert calls(page, "exit") == []
