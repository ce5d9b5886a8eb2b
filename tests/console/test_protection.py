"""Who gets to see the console, and whose forms it takes."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from tests.support.server import Server

HOME = "/console/as/client_sandbox"
FORM = f"{HOME}/clients"


def browse(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, trust_env=False)


def form_token(page: str) -> str:
    found = re.search('name="form_token" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def test_it_opens_as_the_ready_client(sandbox: Server) -> None:
    with browse(sandbox) as browser:
        answer = browser.get("/console", follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, HOME)


def test_no_page_may_run_what_it_did_not_bring(sandbox: Server) -> None:
    with browse(sandbox) as browser:
        answer = browser.get(HOME)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", answer.text) is None


def test_another_name_is_refused(sandbox: Server) -> None:
    with browse(sandbox) as browser:
        answer = browser.get(HOME, headers={"host": "rebound.example"})
    assert answer.status_code == 400
    assert "client_sandbox" not in answer.text


def test_production_has_none(serve: Callable[..., Server]) -> None:
    server = serve("--environment", "production")
    with browse(server) as browser:
        for path in ("/console", HOME, "/console/static/0/treadle.css"):
            answer = browser.get(path)
            assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


def test_there_is_none_where_others_could_reach_it(serve: Callable[..., Server]) -> None:
    server = serve("--host", "0.0.0.0")
    with browse(server) as browser:
        assert browser.get(HOME).status_code == 404


def test_what_is_not_there_is_said(sandbox: Server) -> None:
    with browse(sandbox) as browser:
        for path in ("/console/as/nobody", f"{HOME}/no-such-page", f"{HOME}/none.css"):
            answer = browser.get(path)
            assert answer.status_code == 404
            assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("origin", [None, "null", "http://other.example", "http://127.0.0.1:1"])
def test_a_form_from_elsewhere_is_refused(sandbox: Server, origin: str | None) -> None:
    with browse(sandbox) as browser:
        token = form_token(browser.get(FORM).text)
        headers = {} if origin is None else {"origin": origin}
        answer = browser.post(FORM, data={"form_token": token, "name": "Shop"}, headers=headers)
        assert answer.status_code == 403


def test_a_form_needs_the_token_of_its_own_browser(sandbox: Server) -> None:
    headers = {"origin": sandbox.url}
    with browse(sandbox) as browser, browse(sandbox) as other:
        token = form_token(browser.get(FORM).text)
        foreign = form_token(other.get(FORM).text)
        for data in ({}, {"form_token": "0" * 64}, {"form_token": foreign}):
            assert browser.post(FORM, data=data, headers=headers).status_code == 403
        answer = browser.post(FORM, data={"form_token": token, "name": "Shop"}, headers=headers)
        assert answer.status_code == 200
        assert "Shop is made" in answer.text
