"""Delegation: what the console says of a token is what the partner meets."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console.looking import assert_usable
from tests.console.world import Delegated, delegate
from tests.support.server import Server


def open_token(page: Page, server: Server, world: Delegated) -> None:
    page.goto(f"{server.url}{world.console}/delegation")
    page.get_by_role("link", name="Dwolla").click()


def read_auth(world: Delegated) -> int:
    return world.partner.redeem(world.token, "auth").status


def read_balance(world: Delegated) -> int:
    return world.partner.redeem(world.token, "balance").status


def test_the_map_shows_accounts_and_partners(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    page.goto(f"{sandbox.url}{world.console}/delegation")
    thread = page.locator(".loom")
    expect(thread).to_contain_text("Plaid Checking")
    expect(thread).to_contain_text("Dwolla")
    expect(thread).to_contain_text("reads everything")
    assert world.token not in page.content()
    assert_usable(page)
    world.app.permit(world.token, "auth")
    page.reload()
    expect(thread.locator(".thread-product")).to_have_text(["auth"])


def test_a_switch_changes_the_partners_next_read(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    open_token(page, sandbox, world)
    assert_usable(page)
    assert (read_auth(world), read_balance(world)) == (200, 200)
    page.get_by_role("switch", name="auth", exact=True).uncheck()
    refused = page.locator(".trace .no").filter(has_text="auth/get")
    expect(refused.first).to_contain_text("INVALID_PRODUCT")
    assert (read_auth(world), read_balance(world)) == (400, 200)
    page.get_by_role("switch", name="auth", exact=True).check()
    expect(refused.filter(has_text="the token is narrowed")).to_have_count(0)
    assert (read_auth(world), read_balance(world)) == (200, 200)
    assert "auth" in world.app.permissions(world.token)


def test_the_last_product_is_not_switched_off_by_mistake(sandbox: Server, page: Page) -> None:
    """A token without products in its list would read everything."""
    world = delegate(sandbox)
    world.app.permit(world.token, "balance")
    open_token(page, sandbox, world)
    page.get_by_role("switch", name="balance").click()
    expect(page.get_by_role("alert")).to_contain_text("would read everything")
    expect(page.get_by_role("switch", name="balance")).to_be_checked()
    assert (read_auth(world), read_balance(world)) == (400, 200)
    page.get_by_role("button", name="Lift the limit").click()
    expect(page.locator("#scope")).to_contain_text("not narrowed")
    assert (read_auth(world), read_balance(world)) == (200, 200)


def test_a_token_is_revoked_for_good(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    open_token(page, sandbox, world)
    page.get_by_text("Revoke this token").click()
    assert_usable(page)
    page.get_by_role("button", name="Revoke it").click()
    expect(page.locator("main")).to_contain_text("Nothing any more")
    expect(page.get_by_role("button", name="Revoke it")).to_have_count(0)
    assert (read_auth(world), read_balance(world)) == (400, 400)


def test_a_call_as_the_partner_passes_the_same_gate(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    open_token(page, sandbox, world)
    expect(page.get_by_label("As", exact=True)).to_have_value(world.partner.client_id)
    page.get_by_label("Read", exact=True).select_option("/processor/auth/get")
    page.get_by_role("button", name="Read", exact=True).click()
    expect(page.locator("#reading")).to_contain_text(f"{world.partner.client_id} was answered")
    assert_usable(page)
    number = world.app.post("/auth/get", access_token=world.item.access_token)["numbers"]["ach"][0]
    assert number["account"] not in page.content()
    page.get_by_role("switch", name="auth", exact=True).uncheck()
    expect(page.locator("#scope")).to_contain_text("Narrowed to")
    page.get_by_role("button", name="Read", exact=True).click()
    expect(page.locator("#reading")).to_contain_text("Why: the token is narrowed to")
    # Both are in the partner's own log.
    log = world.partner.requests(path="/processor/auth/get")
    assert [(one["status"], one["decision"]) for one in log] == [(400, "refused"), (200, "allowed")]


def test_without_scripts_it_works_too(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    assert page.context.browser is not None
    plain = page.context.browser.new_context(java_script_enabled=False).new_page()
    open_token(plain, sandbox, world)
    plain.get_by_role("switch", name="auth", exact=True).uncheck()
    plain.get_by_role("button", name="Set").click()
    expect(plain.get_by_role("status")).to_contain_text("permissions/set answered 200")
    assert read_auth(world) == 400
    plain.context.close()


def test_another_client_finds_no_token(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    open_token(page, sandbox, world)
    handle = page.url.rpartition("/")[2]
    for client_id in (world.partner.client_id, "client_sandbox"):
        answer = page.goto(f"{sandbox.url}/console/as/{client_id}/delegation/{handle}")
        assert answer is not None
        assert answer.status == 404
    assert_usable(page)


def test_a_removed_item_cuts_the_thread(sandbox: Server, page: Page) -> None:
    world = delegate(sandbox)
    world.app.post("/item/remove", access_token=world.item.access_token)
    open_token(page, sandbox, world)
    expect(page.locator(".heading")).to_contain_text("Item removed")
    assert_usable(page)
