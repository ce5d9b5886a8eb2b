"""The log of requests, as it is filtered and explained."""

from __future__ import annotations

import os
import subprocess

from playwright.sync_api import Page, expect

from tests.console.looking import assert_usable
from tests.console.world import delegate
from tests.control.plane import own_client
from tests.support.server import Server


def test_new_requests_appear_by_themselves(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/requests")
    app.list_institutions()
    rows = page.locator("tbody tr:not([hidden])")
    expect(rows).to_have_count(1)
    # What has the focus keeps it while others come in above.
    rows.first.get_by_role("link").focus()
    app.post("/accounts/get", access_token="access-sandbox-none")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("INVALID_ACCESS_TOKEN")
    expect(rows.last.get_by_role("link")).to_be_focused()
    assert_usable(page)


def test_the_filters_filter(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    app.list_institutions()
    app.post("/accounts/get", access_token="access-sandbox-none")
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/requests")
    rows = page.locator("tbody tr:not([hidden])")
    expect(rows).to_have_count(2)
    page.get_by_role("searchbox").fill("_nstitutions")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(0)
    page.get_by_role("searchbox").fill("institutions")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(1)
    # The filter holds for what comes later, too.
    app.post("/accounts/get", access_token="access-sandbox-none")
    app.list_institutions()
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="accounts")).to_have_count(0)
    page.get_by_label("only what was refused").check()
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(0)


def test_a_refusal_is_explained(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    world.app.permit(world.token, "balance")
    refused = world.partner.redeem(world.token, "auth")
    request_id = refused.body["request_id"]
    page.goto(f"{sandbox.url}/console/as/{world.partner.client_id}/requests/{request_id}")
    expect(page.locator("main")).to_contain_text("Why it was refused")
    expect(page.locator(".trace .no")).to_have_text(
        "The gate refused itthe token is narrowed to balance"
    )
    expect(page.locator(".trace .yes")).to_have_count(2)
    assert world.token not in page.content()
    assert_usable(page)


def test_what_was_not_understood_never_met_the_gate(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    request_id = app.post("/accounts/get", access_tokken="x").body["request_id"]
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/requests/{request_id}")
    expect(page.locator(".trace .no")).to_contain_text("not understood")
    expect(page.locator(".trace .unreached")).to_contain_text("gate")


def test_a_fault_is_named(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    app.fault("error", error_code="PLANNED_MAINTENANCE")
    request_id = app.list_institutions().body["request_id"]
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/requests/{request_id}")
    expect(page.locator(".trace .no")).to_contain_text("A fault struck")


def test_the_curl_command_asks_the_same_again(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    asked = app.list_institutions()
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/requests/{asked['request_id']}")
    command = page.locator("#curl").inner_text()
    result = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "PLAID_SECRET": app.secret},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert f'"name":"{asked["institutions"][0]["name"]}"' in result.stdout


def test_another_clients_request_is_not_there(sandbox: Server, page: Page) -> None:
    app, other = own_client(sandbox), own_client(sandbox)
    request_id = app.list_institutions()["request_id"]
    answer = page.goto(f"{sandbox.url}/console/as/{other.client_id}/requests/{request_id}")
    assert answer is not None
    assert answer.status == 404
