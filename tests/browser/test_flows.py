"""Users going through Link in an app's page, and what the app hears of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import called, calls, open_link
from tests.browser.panes import SAME_DAY
from tests.control.plane import Planned, own_client
from tests.support.link import PLAIN_BANK, link_token, sessions, told, told_to_server
from tests.support.server import Server
from treadle.testing.browser import LinkPage

_BEGUN = ["OPEN(CONSENT)", "TV(SELECT_INSTITUTION)", "SELECT_INSTITUTION", "TV(CREDENTIAL)"]
_DONE = ["TV(SELECT_ACCOUNT)", "TV(LOADING)", "TV(CONNECTED)", "HANDOFF"]


def heard(page: Page) -> list[str]:
    """The events of a page, in the order of their time."""
    events = [{"event_name": one[0], "metadata": one[1]} for one in calls(page, "event")]
    return told(sorted(events, key=lambda one: str(one["metadata"]["timestamp"])))


def test_from_the_first_pane_to_a_partners_read(
    page: Page, api: Planned, address: str, link_server: Server
) -> None:
    link = open_link(page, address, token=link_token(api))
    link.link_bank(masks=["1111"])
    public_token, metadata = called(page, "success")
    assert [one["mask"] for one in metadata["accounts"]] == ["1111"]
    access_token = api.exchange(public_token)["access_token"]
    token = api.post(
        "/processor/token/create",
        access_token=access_token,
        account_id=metadata["accounts"][0]["id"],
        processor="dwolla",
    )["processor_token"]
    partner = own_client(link_server, processors=["dwolla"])
    numbers = partner.post("/processor/auth/get", processor_token=token)
    assert numbers["account"]["account_id"] == metadata["accounts"][0]["id"]
    assert numbers["numbers"]["ach"]["account"].endswith("1111")
    partner.close()


def test_events_are_told_at_the_end_and_as_the_server_tells_them(
    page: Page, api: Planned, address: str
) -> None:
    token = link_token(api)
    link = open_link(page, address, token=token)
    link.go_to_banks()
    link.choose_bank(PLAIN_BANK)
    assert heard(page) == ["OPEN(CONSENT)"]
    link.log_in(password="mfa_device")
    link.by_test_id("answer-0-0").check()
    link.press("submit")
    link.submit(answer_0="1234")
    link.choose_accounts(["0000"])
    link.finish()
    called(page, "success")
    rounds = ["TV(MFA device)", "SUBMIT_MFA(device)", "TV(LOADING)"]
    rounds += ["TV(MFA code)", "SUBMIT_MFA(code)", "TV(LOADING)"]
    expected = [*_BEGUN, "SUBMIT_CREDENTIALS", "TV(LOADING)", *rounds, *_DONE]
    assert heard(page) == expected
    [session] = sessions(api, token)
    assert told_to_server(session) == expected


def test_questions_and_selections_are_answered(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    link.go_to_banks()
    link.choose_bank(PLAIN_BANK)
    link.log_in(password="mfa_questions_1_2")
    link.submit(answer_0="answer_0_0", answer_1="wrong")
    link.wait_for("MFA")
    expect(link.alert).to_contain_text("not correct")
    link.submit(answer_0="answer_0_0", answer_1="answer_0_1")
    link.choose_accounts(["0000"])
    link.finish()
    called(page, "success")
    link = open_link(page, address, token=link_token(api))
    link.go_to_banks()
    link.choose_bank(PLAIN_BANK)
    link.log_in(password="mfa_selections")
    link.by_test_id("answer-0-0").check()
    link.press("submit")
    link.wait_for("SELECT_ACCOUNT")


def test_a_wrong_password_and_then_left(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    link.go_to_banks()
    link.choose_bank(PLAIN_BANK)
    assert link.log_in(password="wrong") == "CREDENTIAL"
    expect(link.alert).to_contain_text("not correct")
    expect(link.by_test_id("username")).to_be_focused()
    expect(link.by_test_id("username")).to_have_accessible_description(
        "The provided credentials were not correct. Please try again."
    )
    page.keyboard.press("Escape")
    link.wait_for("EXIT")
    link.press("leave")
    error, metadata = called(page, "exit")
    assert error["error_code"] == "INVALID_CREDENTIALS"
    assert metadata["institution"] == {"institution_id": PLAIN_BANK, "name": "Tartan Bank"}
    assert heard(page) == [
        *_BEGUN,
        "SUBMIT_CREDENTIALS",
        "TV(LOADING)",
        "ERROR(INVALID_CREDENTIALS)",
        "TV(CREDENTIAL)",
        "TV(EXIT)",
        "EXIT(requires_credentials, INVALID_CREDENTIALS)",
    ]


def test_numbers_from_an_empty_search(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api, **SAME_DAY))
    link.go_to_banks()
    link.fill(search="my own bank")
    expect(link.by_test_id("search")).to_be_focused()
    link.wait_for("SELECT_INSTITUTION")
    link.press("enter-numbers")
    link.wait_for("NUMBERS")
    link.by_test_id("account-type-1").check()
    link.submit(routing_number="110000000", account_number="1111222233330000")
    link.wait_for("SAME_DAY_MICRODEPOSIT_AUTHORIZED")
    link.press("continue")
    link.finish()
    _, metadata = called(page, "success")
    [account] = metadata["accounts"]
    assert (account["subtype"], account["verification_status"]) == (
        "savings",
        "pending_manual_verification",
    )
    assert heard(page)[1:4] == [
        "TV(SELECT_INSTITUTION)",
        "SEARCH_INSTITUTION(my own bank)",
        "TV(NUMBERS)",
    ]


def test_a_returning_user(page: Page, api: Planned, address: str) -> None:
    link = open_link(page, address, token=link_token(api))
    link.wait_for("CONSENT")
    link.fill(phone="415-555-0011")
    page.keyboard.press("Enter")
    link.wait_for("VERIFY_PHONE")
    expect(link.by_test_id("code")).to_have_id("nonce-input")
    link.submit(code="123456")
    link.wait_for("SELECT_SAVED_INSTITUTION")
    link.press("institution-ins_133502")
    link.choose_accounts(["0000"])
    expect(link.by_test_id("finish")).to_have_text("Finish")
    link.finish()
    called(page, "success")


def test_only_the_keyboard(page: Page, api: Planned, address: str) -> None:
    page.goto(address)
    page.evaluate("token => create({token})", link_token(api))
    page.get_by_role("button", name="Connect a bank").focus()
    page.keyboard.press("Enter")
    link = LinkPage(page)
    link.wait_for("CONSENT")
    expect(link.heading).to_be_focused()
    link.by_test_id("consent-continue").press("Enter")
    link.wait_for("SELECT_INSTITUTION")
    expect(link.heading).to_be_focused()
    page.keyboard.press("Tab")
    expect(link.by_test_id("search")).to_be_focused()
    page.keyboard.press("Escape")
    called(page, "exit")
    expect(page.get_by_role("button", name="Connect a bank")).to_be_focused()


def test_several_items(page: Page, api: Planned, address: str) -> None:
    token = link_token(api, enable_multi_item_link=True, user={"client_user_id": "somebody"})
    link = open_link(page, address, token=token)
    link.go_to_banks()
    for more in (True, False):
        link.choose_bank(PLAIN_BANK)
        link.log_in()
        link.choose_accounts(["0000"])
        link.wait_for("CONNECTED")
        link.press("add-another" if more else "finish")
    public_token, metadata = called(page, "success")
    assert (public_token, metadata["accounts"]) == (None, [])
    [session] = sessions(api, token)
    assert len(session["results"]["item_add_results"]) == 2


@pytest.mark.parametrize(("country", "language"), [("FR", "fr"), ("US", "es")])
def test_the_language_is_the_link_tokens(
    page: Page, api: Planned, address: str, country: str, language: str
) -> None:
    link = open_link(
        page, address, token=link_token(api, country_codes=[country], language=language)
    )
    link.wait_for("CONSENT")
    frame = page.frame_locator("iframe")
    expect(frame.locator("html")).to_have_attribute("lang", language)


def test_controls_have_the_ids_that_suites_know(page: Page, api: Planned, address: str) -> None:
    open_link(page, address, token=link_token(api))
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Continue without phone number").click()
    frame.locator("#search-input-input").fill("Tartan")
    frame.locator(f"#aut-{PLAIN_BANK}").click()
    frame.locator("#username").fill("user_good")
    frame.locator("#password").fill("pass_good")
    frame.locator("#aut-submit-button").click()
    frame.get_by_role("checkbox").first.check()
    frame.locator("#aut-continue-button").click()
    frame.get_by_role("button", name="Finish").click()
    called(page, "success")
