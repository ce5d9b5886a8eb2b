"""Items: made, broken, mended, told of, delegated and removed by forms."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console.looking import assert_usable
from tests.console.world import delegate
from tests.control.plane import Planned, own_client
from tests.support.server import Server


def open_item(page: Page, server: Server, app: Planned, item_id: str) -> None:
    page.goto(f"{server.url}/console/as/{app.client_id}/items/{item_id}")


def test_an_item_is_made_by_a_form(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/items")
    assert_usable(page)
    page.get_by_role("link", name="Make an Item").click()
    assert_usable(page)
    page.get_by_label("User", exact=True).select_option("user_small_business")
    page.get_by_label("identity").check()
    page.get_by_role("button", name="Make the Item").click()
    assert_usable(page)
    access_token = page.locator("#access-token").inner_text()
    item = app.post("/item/get", access_token=access_token)["item"]
    assert item["item_id"] == page.locator("#item-id").inner_text()
    assert {"auth", "identity", "transactions"} <= set(item["billed_products"])
    page.get_by_role("link", name="Look at it").click()
    expect(page.locator("main")).to_contain_text(item["item_id"])
    assert access_token not in page.content()


def test_an_institution_that_refuses_says_why(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/items/new")
    page.get_by_label("Password").fill("error_ITEM_LOCKED")
    page.get_by_role("button", name="Make the Item").click()
    expect(page.get_by_role("alert")).to_contain_text("ITEM_LOCKED")
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/items")
    expect(page.locator("main")).to_contain_text("There is no Item yet")


def test_an_item_is_broken_and_mended(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    item = app.link()
    open_item(page, sandbox, app, item.item_id)
    assert_usable(page)
    page.get_by_role("button", name="Break the Item").click()
    expect(page.locator(".heading")).to_contain_text("ITEM_LOGIN_REQUIRED")
    expect(page.get_by_role("status")).to_contain_text("/sandbox/item/reset_login answered 200")
    assert_usable(page)
    refused = app.post("/auth/get", access_token=item.access_token)
    assert refused.code == "ITEM_LOGIN_REQUIRED"
    page.get_by_role("button", name="Mend the Item").click()
    expect(page.locator(".heading")).to_contain_text("healthy")
    assert app.post("/auth/get", access_token=item.access_token).status == 200


def test_webhooks_are_set_and_fired(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    item = app.link("auth", "transactions")
    open_item(page, sandbox, app, item.item_id)
    expect(page.get_by_role("button", name="Fire")).to_have_count(0)
    page.get_by_label("Where they go").fill("http://127.0.0.1:9/hook")
    page.get_by_role("button", name="Set").click()
    shown = app.post("/item/get", access_token=item.access_token)["item"]
    assert shown["webhook"] == "http://127.0.0.1:9/hook"
    page.get_by_label("Fire", exact=True).select_option("SYNC_UPDATES_AVAILABLE")
    page.get_by_role("button", name="Fire").click()
    expect(page.get_by_role("status")).to_contain_text("fire_webhook answered 200")


def test_a_token_for_a_partner_is_minted(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    open_item(page, sandbox, world.app, world.item.item_id)
    page.get_by_label("To the partner").select_option("dwolla")
    page.get_by_role("button", name="Make a processor token").click()
    assert_usable(page)
    token = page.locator("#processor-token").inner_text()
    assert world.partner.redeem(token, "auth").status == 200
    assert token != world.token


def test_removing_an_item_ends_all_of_its_tokens(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    open_item(page, sandbox, world.app, world.item.item_id)
    page.get_by_text("Remove this Item").click()
    page.get_by_role("button", name="Yes, remove it").click()
    expect(page.get_by_role("status")).to_contain_text("/item/remove answered 200")
    refused = world.partner.redeem(world.token, "auth")
    assert refused.code == "ITEM_NOT_FOUND"


def test_with_a_seed_the_console_takes_its_turn(sandbox: Server, page: Page) -> None:
    """What the console makes draws on the client's sequence like any other call."""
    worlds = [own_client(sandbox) for _ in range(2)]
    for app in worlds:
        app.sandbox("seed", seed="one and the same")
    item = worlds[0].link("auth", "transactions")
    page.goto(f"{sandbox.url}/console/as/{worlds[0].client_id}/items/new")
    page.get_by_role("button", name="Make the Item").click()
    assert page.locator("#item-id").inner_text() != item.item_id
    assert worlds[0].read("seed")["counter"] == 2 * counter_of_one_item(worlds[1])


def counter_of_one_item(app: Planned) -> int:
    app.link("auth", "transactions")
    counter: int = app.read("seed")["counter"]
    return counter
