"""The page where one begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.looking import assert_usable
from tests.control.plane import own_client
from tests.support.server import Server

HOME = "/console/as/client_sandbox"
COMMANDS = {
    "python": [sys.executable, "-"],
    "node": ["node", "--input-type=module", "-"],
    "curl": ["sh", "-s"],
}


def run(language: str, text: str, folder: Path) -> str:
    """Run a first call as it stands on the page; answers what it printed."""
    result = subprocess.run(
        COMMANDS[language],
        input=text,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def first_call(page: Page, language: str) -> str:
    return page.locator(f"#first-call-{language}").text_content() or ""


@pytest.mark.parametrize("language", ["python", "curl"])
def test_the_first_call_works_when_pasted(
    sandbox: Server, page: Page, tmp_path: Path, language: str
) -> None:
    page.goto(sandbox.url + HOME)
    before = int(page.locator(".tiles strong").first.inner_text())
    assert "Plaid Checking" in run(language, first_call(page, language), tmp_path)
    # The page has learned of it by itself.
    expect(page.locator(".tiles strong").first).to_have_text(str(before + 1))
    expect(page.locator(".lines")).to_contain_text("/accounts/get")


def test_the_first_call_for_node_works_when_pasted(
    sandbox: Server, page: Page, node_modules: Path
) -> None:
    page.goto(sandbox.url + HOME)
    text = first_call(page, "node")
    assert "Plaid Checking" in run("node", text, node_modules.parent)


def test_the_credentials_are_copied(sandbox: Server, page: Page) -> None:
    page.goto(sandbox.url + HOME)
    page.get_by_role("button", name="Copy the secret").click()
    expect(page.get_by_role("button", name="Copy the secret")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "secret_sandbox"


def test_the_secret_of_another_client_is_not_known(sandbox: Server, page: Page) -> None:
    client = own_client(sandbox)
    page.goto(f"{sandbox.url}/console/as/{client.client_id}")
    assert client.secret not in page.content()
    expect(page.locator("#secret")).to_have_count(0)
    assert 'os.environ["PLAID_SECRET"]' in first_call(page, "python")


def test_it_is_usable(sandbox: Server, page: Page) -> None:
    page.goto(sandbox.url + HOME)
    assert_usable(page)


def test_the_keyboard_reaches_the_content_first(sandbox: Server, page: Page) -> None:
    page.goto(sandbox.url + HOME)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
