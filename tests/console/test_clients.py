"""Working as one client or another."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console.looking import assert_usable
from tests.control.plane import Planned, own_client
from tests.support.server import Server

CLIENTS = "/console/as/client_sandbox/clients"


def test_a_client_is_made_and_its_credentials_work(sandbox: Server, page: Page) -> None:
    page.goto(sandbox.url + CLIENTS)
    page.get_by_label("Name", exact=True).fill("Second Shop")
    page.get_by_label("A partner for").select_option("dwolla")
    page.get_by_role("button", name="Make the client").click()
    client_id, secret = (page.locator(name).inner_text() for name in ("#client-id", "#secret"))
    assert_usable(page)
    assert Planned(sandbox.url, client_id, secret).list_institutions().status == 200
    page.get_by_role("link", name="Work as it").click()
    expect(page.locator(".who")).to_contain_text(client_id)
    expect(page.locator("main")).to_contain_text("A partner for dwolla")


def test_a_client_is_found_by_a_part_of_its_name(sandbox: Server, page: Page) -> None:
    wanted, other = (own_client(sandbox, name=name) for name in ("Bakery 100%", "Bakery 1000"))
    page.goto(sandbox.url + CLIENTS)
    assert_usable(page)
    page.get_by_role("searchbox").fill("Bakery 100%")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name=wanted.client_id)).to_be_visible()
    expect(page.get_by_role("link", name=other.client_id)).to_have_count(0)


def test_a_refusal_is_told(sandbox: Server, page: Page) -> None:
    page.goto(sandbox.url + CLIENTS)
    page.get_by_label("Name", exact=True).fill("Again")
    page.get_by_label("client_id made up").fill("client_sandbox")
    page.get_by_role("button", name="Make the client").click()
    expect(page.get_by_role("alert")).to_contain_text("an id that no client has or had")
    assert_usable(page)
