"""Webhooks: what became of each, and what its signature says."""

from __future__ import annotations

import hashlib

from playwright.sync_api import Page, expect

from tests.console.looking import assert_usable, reload_until
from tests.control.plane import own_client
from tests.support.receiver import Receiver
from tests.support.server import Server


def test_a_delivery_is_shown_with_its_attempts_and_its_signature(
    sandbox: Server, page: Page
) -> None:
    app = own_client(sandbox)
    with Receiver() as receiver:
        item = app.link(webhook=receiver.url)
        app.post(
            "/sandbox/item/fire_webhook",
            access_token=item.access_token,
            webhook_code="NEW_ACCOUNTS_AVAILABLE",
        )
        received = receiver.wait(1)[0]
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/webhooks")
    expect(page.locator("tbody tr")).to_have_count(1)
    reload_until(page, page.locator("tbody"), "delivered")
    assert_usable(page)
    page.get_by_role("link", name="ITEM:NEW_ACCOUNTS_AVAILABLE").click()
    expect(page.locator("tbody tr")).to_contain_text("200")
    assert page.locator("#body").text_content() == received.body.decode()
    digest = hashlib.sha256(received.body).hexdigest()
    expect(page.get_by_role("region", name="What the signature says")).to_contain_text(digest)
    assert_usable(page)


def test_what_a_receiver_refuses_is_shown(sandbox: Server, page: Page) -> None:
    app = own_client(sandbox)
    with Receiver(lambda _: 503) as receiver:
        item = app.link(webhook=receiver.url)
        app.post("/sandbox/item/reset_login", access_token=item.access_token)
        receiver.wait(1)
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/webhooks")
    page.get_by_role("link", name="ITEM:ERROR").click()
    reload_until(page, page.locator("main"), "503")
    expect(page.locator(".heading")).to_contain_text("pending")


def test_another_clients_webhook_is_not_there(sandbox: Server, page: Page) -> None:
    app, other = own_client(sandbox), own_client(sandbox)
    item = app.link(webhook="http://127.0.0.1:9/hook")
    app.post("/sandbox/item/reset_login", access_token=item.access_token)
    page.goto(f"{sandbox.url}/console/as/{app.client_id}/webhooks")
    page.get_by_role("link", name="ITEM:ERROR").click()
    event_id = page.url.rpartition("/")[2]
    answer = page.goto(f"{sandbox.url}/console/as/{other.client_id}/webhooks/{event_id}")
    assert answer is not None
    assert answer.status == 404
