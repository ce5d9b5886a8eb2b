"""Clock, seed, faults and snapshots, set by forms."""

from __future__ import annotations

import datetime as dt

from playwright.sync_api import Page, expect

from tests.console.looking import assert_usable
from tests.control.plane import Planned, own_client
from tests.support.server import Server


def open_world(page: Page, server: Server) -> Planned:
    app = own_client(server)
    page.goto(f"{server.url}/console/as/{app.client_id}/world")
    return app


def test_the_clock_is_moved_and_let_run(sandbox: Server, page: Page) -> None:
    app = open_world(page, sandbox)
    before = dt.datetime.fromisoformat(app.read("clock")["now"])
    page.get_by_label("Move on by").fill("3")
    page.get_by_label("of", exact=True).select_option("hours")
    page.get_by_role("button", name="Move on").click()
    expect(page.locator(".clock")).to_contain_text("stands still")
    moved = dt.datetime.fromisoformat(app.read("clock")["now"]) - before
    assert dt.timedelta(hours=3) <= moved < dt.timedelta(hours=3, minutes=1)
    page.get_by_label("Set to").fill("2031-02-03T04:05:06")
    page.get_by_role("button", name="Set").first.click()
    expect(page.locator(".clock")).to_contain_text("2031-02-03 04:05:06")
    page.get_by_role("button", name="Follow the system's clock").click()
    expect(page.locator(".clock")).to_contain_text("follows the system's")
    assert app.read("clock")["running"] is True


def test_a_seed_is_set_and_not_shown(sandbox: Server, page: Page) -> None:
    app = open_world(page, sandbox)
    page.get_by_label("Seed").fill("a seed of my own")
    page.get_by_role("button", name="Set").last.click()
    expect(page.locator("main")).to_contain_text("derive from this client's own seed")
    assert app.read("seed")["seed"] == "a seed of my own"
    assert "a seed of my own" not in page.content()


def test_faults_strike_until_they_are_removed(sandbox: Server, page: Page) -> None:
    app = open_world(page, sandbox)
    page.get_by_label("Error code").fill("PLANNED_MAINTENANCE")
    page.get_by_label("Operation").fill("/institutions/get")
    page.get_by_role("button", name="Add the fault").click()
    expect(page.locator(".lines")).to_contain_text(["", "PLANNED_MAINTENANCE"])
    assert app.list_institutions().code == "PLANNED_MAINTENANCE"
    page.reload()
    expect(page.locator("main")).to_contain_text("struck 1 times")
    assert_usable(page)
    page.get_by_role("button", name="Remove the fault error").click()
    expect(page.locator("main")).to_contain_text("Nothing goes wrong")
    assert app.list_institutions().status == 200


def test_a_fault_that_makes_no_sense_is_refused(sandbox: Server, page: Page) -> None:
    app = open_world(page, sandbox)
    page.get_by_label("Effect", exact=True).select_option("latency")
    page.get_by_label("Times").fill("5")
    page.get_by_role("button", name="Add the fault").click()
    expect(page.get_by_role("alert")).to_contain_text("seconds must be more than zero")
    assert app.faults() == []


def test_a_fault_does_not_strike_the_console_itself(sandbox: Server, page: Page) -> None:
    """Faults are of the API's operations, and the console's own are not among those."""
    app = open_world(page, sandbox)
    app.fault("drop")
    page.get_by_role("button", name="Move on").click()
    expect(page.locator(".clock")).to_contain_text("stands still")


def test_a_lost_answer_is_told(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    item = app.link()
    app.fault("drop")
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/items/{item.item_id}")
    page.get_by_role("button", name="Break the Item").click()
    expect(page.get_by_role("alert")).to_contain_text("lost to the fault")


def test_a_snapshot_is_put_back(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    item = app.link()
    world = f"{sandbox.url}/console/as/{app.client_id}/world"
    page.goto(world)
    page.get_by_label("Name").fill("with-an-item")
    page.get_by_role("button", name="Save the world as it is").click()
    expect(page.locator("main")).to_contain_text("1 Items")
    app.post("/item/remove", access_token=item.access_token)
    assert_usable(page)
    page.get_by_role("button", name="Put with-an-item back").click()
    expect(page.get_by_role("status")).to_contain_text("snapshots/restore answered 200")
    assert app.post("/item/get", access_token=item.access_token).status == 200
    page.goto(world)
    page.get_by_role("button", name="Remove with-an-item").click()
    expect(page.locator("main")).to_contain_text("None is saved")
