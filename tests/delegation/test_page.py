"""The page on which users see what partners hold, as whoever has its link finds it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx

from tests.control.plane import Planned
from tests.delegation.conftest import UNKNOWN, Developer
from tests.promises.database import records
from tests.support.raw import Answer, Linked
from tests.support.server import Server

SHUT = "This page is no longer open"


def create(developer: Developer, *items: Linked) -> Answer:
    tokens = [item.access_token for item in items]
    return developer.delegate("page/create", access_tokens=tokens)


def browse(developer: Developer) -> httpx.Client:
    headers = {"Origin": developer.url}
    return httpx.Client(
        base_url=developer.url, headers=headers, trust_env=False, follow_redirects=True
    )


def link_of(page_url: str) -> str:
    return urlsplit(page_url).query.removeprefix("link=")


def enter(browser: httpx.Client, page_url: str) -> httpx.Response:
    return browser.post("/grants/open", data={"link": link_of(page_url)})


def handles(page: httpx.Response) -> list[str]:
    return re.findall('name="token_id" value="([^"]+)"', page.text)


def test_a_user_sees_and_takes_back(developer: Developer, partner: Planned, server: Server) -> None:
    first, second = developer.link("auth", "identity"), developer.link("auth")
    token = developer.mint(first)
    developer.permit(token, "auth")
    other = developer.mint(second)
    gone = developer.mint(second)
    developer.delegate("revoke", processor_token=gone)
    unseen = developer.mint(developer.link())
    with browse(developer) as browser:
        page = enter(browser, create(developer, first, second)["page_url"])
        assert page.status_code == 200
        assert handles(page) == [developer.handle(token), developer.handle(other)]
        assert "Account and routing numbers" in page.text
        assert "Everything that this account shares" in page.text
        browser.post("/grants/take_back", data={"token_id": developer.handle(unseen)})
        after = browser.post("/grants/take_back", data={"token_id": developer.handle(token)})
        assert handles(after) == [developer.handle(other)]
        assert "Taken back" in after.text
    assert partner.redeem(token).code == UNKNOWN
    assert partner.redeem(other).code == "OK"
    assert partner.redeem(unseen).code == "OK"
    said = records(server, developer.client_id)
    assert [one["item_id"] for one in said if one["action"] == "grants_page.open"] == [
        first.item_id,
        second.item_id,
    ]
    assert said[-1]["detail"]["reason"] == "taken back by the user"


def test_a_link_opens_once(developer: Developer) -> None:
    url = create(developer, developer.link())["page_url"]
    with browse(developer) as first, browse(developer) as second:
        # To look at a link, as programs that read mail do, is not to open it.
        for _ in range(2):
            assert "Continue" in first.get(f"/grants?link={link_of(url)}").text
        assert enter(first, url).status_code == 200
        assert SHUT in enter(second, url).text
        assert SHUT in second.get("/grants/held").text
        assert first.get("/grants/held").status_code == 200


def test_nobody_else_gets_in(developer: Developer, stranger: Developer) -> None:
    linked = developer.link()
    token = developer.mint(linked)
    assert create(stranger, linked).code == "INVALID_ACCESS_TOKEN"
    assert developer.delegate("page/create", access_tokens=[]).code == "INVALID_FIELD"
    url = create(developer, linked)["page_url"]
    with browse(developer) as browser:
        forged = link_of(url)[:-8] + "AAAAAAAA"
        for link in ("", "nonsense", "\xe9", forged):
            answer = browser.post("/grants/open", data={"link": link})
            assert (answer.status_code, SHUT in answer.text) == (404, True)
        # A link is no cookie.
        browser.cookies.set("treadle_grants", link_of(url), path="/grants")
        assert browser.get("/grants/held").status_code == 404
        browser.cookies.clear()
        assert enter(browser, url).status_code == 200
        form = {"token_id": developer.handle(token)}
        for origin in ("https://elsewhere.example", "null"):
            answer = browser.post("/grants/take_back", data=form, headers={"Origin": origin})
            assert answer.status_code == 404
        cookie = browser.cookies.jar
        assert all(one.has_nonstandard_attr("HttpOnly") for one in cookie)
    assert developer.redeem(token).code == "OK"


def test_pages_bring_all_that_they_run(developer: Developer) -> None:
    url = create(developer, developer.link())["page_url"]
    with browse(developer) as browser:
        page = browser.get(f"/grants?link={link_of(url)}")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        for sheet in re.findall('stylesheet" href="([^"]+)"', page.text):
            assert browser.get(str(page.url.join(sheet))).status_code == 200
