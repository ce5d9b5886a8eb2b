"""The documented sequences of events, told alike to a page, by the headless API and to a server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.plane import Planned
from tests.support.link import (
    DEPOSIT_BANK,
    MATCHING_BANK,
    OAUTH_BANK,
    Frame,
    link_token,
    run,
    sessions,
    told,
    told_to_server,
)

_BEGIN = "OPEN(CONSENT) TV(SELECT_INSTITUTION)"
_CREDENTIALS = f"{_BEGIN} SELECT_INSTITUTION TV(CREDENTIAL) SUBMIT_CREDENTIALS TV(LOADING)"
_NUMBERS = "TV(NUMBERS) SUBMIT_ROUTING_NUMBER SUBMIT_ACCOUNT_NUMBER TV(LOADING)"
_CONNECTED = "TV(CONNECTED) HANDOFF"
_ACCOUNTS = f"TV(SELECT_ACCOUNT) TV(LOADING) {_CONNECTED}"
_SAME_DAY = {"auth": {"same_day_microdeposits_enabled": True}}
_CHOICE = {"auth": {"auth_type_select_enabled": True}}
_ENTERED = {"account_number": "1111222233330000"}
_OF_HOSTED = "TV(LOADING) TV(SELECT_ACCOUNT) TV(LOADING) TV(CONNECTED) HANDOFF"

# What is asked of the token, what the user does, and what is told.
SEQUENCES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "credentials": ({}, {}, f"{_CREDENTIALS} {_ACCOUNTS}"),
    "code": (
        {},
        {"password": "mfa_device"},
        f"{_CREDENTIALS} TV(MFA device) SUBMIT_MFA(device) TV(LOADING) TV(MFA code) "
        f"SUBMIT_MFA(code) TV(LOADING) {_ACCOUNTS}",
    ),
    "questions": (
        {},
        {"password": "mfa_questions_2_3"},
        f"{_CREDENTIALS} TV(MFA questions) SUBMIT_MFA(questions) TV(LOADING) TV(MFA questions) "
        f"SUBMIT_MFA(questions) TV(LOADING) {_ACCOUNTS}",
    ),
    "selections": (
        {},
        {"password": "mfa_selections"},
        f"{_CREDENTIALS} TV(MFA selections) SUBMIT_MFA(selections) TV(LOADING) {_ACCOUNTS}",
    ),
    "oauth": (
        {},
        {"institution_id": OAUTH_BANK},
        f"{_BEGIN} SELECT_INSTITUTION TV(OAUTH) OPEN_OAUTH {_CONNECTED}",
    ),
    "denied": (
        {},
        {"institution_id": OAUTH_BANK, "outcome": "error"},
        f"{_BEGIN} SELECT_INSTITUTION TV(OAUTH) OPEN_OAUTH ERROR(ACCESS_NOT_GRANTED) TV(ERROR) "
        "EXIT(requires_oauth, ACCESS_NOT_GRANTED)",
    ),
    "wrong password": (
        {},
        {"password": "wrong"},
        f"{_CREDENTIALS} ERROR(INVALID_CREDENTIALS) TV(CREDENTIAL) TV(EXIT) "
        "EXIT(requires_credentials, INVALID_CREDENTIALS)",
    ),
    "locked": (
        {},
        {"outcome": "error", "error_code": "ITEM_LOCKED"},
        f"{_CREDENTIALS} ERROR(ITEM_LOCKED) TV(ERROR) EXIT(requires_credentials, ITEM_LOCKED)",
    ),
    "same day": (
        _SAME_DAY,
        _ENTERED,
        f"{_BEGIN} {_NUMBERS} TV(SAME_DAY_MICRODEPOSIT_AUTHORIZED) {_CONNECTED}",
    ),
    "manual": (
        _CHOICE,
        _ENTERED,
        "OPEN(CONSENT) TV(SELECT_AUTH_TYPE) SELECT_AUTH_TYPE(flow_type_manual) "
        f"{_NUMBERS} TV(SAME_DAY_MICRODEPOSIT_AUTHORIZED) {_CONNECTED}",
    ),
    "instant": (
        _CHOICE,
        {},
        "OPEN(CONSENT) TV(SELECT_AUTH_TYPE) SELECT_AUTH_TYPE(flow_type_instant) "
        f"{_CREDENTIALS.removeprefix('OPEN(CONSENT) ')} {_ACCOUNTS}",
    ),
    "instant match": (
        {},
        {"institution_id": MATCHING_BANK, "account_masks": ["1111"]},
        f"{_CREDENTIALS} TV(SELECT_ACCOUNT) {_NUMBERS} {_CONNECTED}",
    ),
    "instant deposit": (
        {},
        {"institution_id": DEPOSIT_BANK, "routing_number": "333333334", **_ENTERED},
        f"{_BEGIN} SELECT_INSTITUTION {_NUMBERS} TV(INSTANT_MICRODEPOSIT_AUTHORIZED) TV(LOADING) "
        f"{_CONNECTED}",
    ),
    "returning user": (
        {},
        {"phone_number": "415-555-0011"},
        "OPEN(CONSENT) SUBMIT_PHONE TV(VERIFY_PHONE) SUBMIT_OTP VERIFY_PHONE "
        "TV(SELECT_SAVED_INSTITUTION) SELECT_INSTITUTION(SAVED_INSTITUTION) TV(LOADING) "
        f"{_ACCOUNTS}",
    ),
    "known account": (
        {},
        {"phone_number": "415-555-0015"},
        "OPEN(CONSENT) SUBMIT_PHONE TV(VERIFY_PHONE) SUBMIT_OTP VERIFY_PHONE "
        f"SELECT_INSTITUTION(AUTO_SELECT_SAVED_INSTITUTION) TV(LOADING) {_CONNECTED}",
    ),
    "new phone": (
        {},
        {"phone_number": "415-555-0010"},
        "OPEN(CONSENT) SUBMIT_PHONE TV(VERIFY_PHONE) SUBMIT_OTP VERIFY_PHONE "
        f"{_CREDENTIALS.removeprefix('OPEN(CONSENT) ')} {_ACCOUNTS}",
    ),
    "two items on a hosted page": (
        {"hosted_link": {}, "enable_multi_item_link": True},
        {"institution_id": OAUTH_BANK, "further_items": [{"institution_id": "ins_109511"}]},
        "OPEN(CONSENT) TV(CONSENT) SKIP_SUBMIT_PHONE TV(SELECT_INSTITUTION) SELECT_INSTITUTION "
        "TV(OAUTH) OPEN_OAUTH TV(CONNECTED) HANDOFF TV(LOADING) TV(SELECT_INSTITUTION) "
        f"SELECT_INSTITUTION TV(CREDENTIAL) SUBMIT_CREDENTIALS {_OF_HOSTED}",
    ),
    "unsupported products": (
        {},
        {"institution_id": "ins_900004"},
        f"{_BEGIN} SELECT_FILTERED_INSTITUTION TV(ERROR) EXIT(institution_not_supported)",
    ),
    "down": (
        {},
        {"institution_id": "ins_132361"},
        f"{_BEGIN} SELECT_DOWN_INSTITUTION ERROR(INSTITUTION_DOWN) TV(ERROR) "
        "EXIT(institution_not_found, INSTITUTION_DOWN)",
    ),
    "routing number": (
        {"institution_data": {"routing_number": "999900033"}},
        {"institution_id": "ins_900003"},
        f"{_CREDENTIALS} {_ACCOUNTS}".replace(
            " SELECT_INSTITUTION", " MATCHED_SELECT_INSTITUTION(routing_number)"
        ),
    ),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_sequence_is_told_as_documented(app: Planned, name: str) -> None:
    asked, plan, expected = SEQUENCES[name]
    token = link_token(app, **asked)
    result = run(app, token, **plan)
    assert told(result["events"]) == _words(expected)
    [session] = sessions(app, token)
    assert told_to_server(session) == _words(expected)
    times = [one["metadata"]["timestamp"] for one in result["events"]]
    assert times == sorted(set(times))


def _words(sequence: str) -> list[str]:
    """The events of a sequence; a space inside of parentheses ends none."""
    words: list[str] = []
    for word in sequence.split():
        if words and words[-1].count("(") > words[-1].count(")"):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words


def test_a_planned_page_hears_the_same(app: Planned, frame: Frame) -> None:
    token = link_token(app)
    headless = run(app, token, password="mfa_device")
    plan = {"institution_id": "ins_109511", "password": "mfa_device"}
    assert app.sandbox("link/plan", link_token=token, **plan).code == "OK"
    page = frame.start(link_token=token)
    assert told(page["events"]) == told(headless["events"])
    finished = page["finished"]
    assert finished["callback"] == "success"
    assert finished["metadata"].keys() == headless["metadata"].keys()
    assert app.exchange(finished["public_token"]).code == "OK"
    assert app.sandbox("link/plan/clear", link_token=token).code == "OK"
    assert frame.start(link_token=token)["finished"] is None


@pytest.mark.parametrize(
    ("password", "view", "status"),
    [
        ("mfa_device", "MFA", "choose_device"),
        ("mfa_questions_1_1", "MFA", "requires_questions"),
        ("mfa_selections", "MFA", "requires_selections"),
        ("pass_good", "SELECT_ACCOUNT", "requires_account_selection"),
        ("pass_good", "CREDENTIAL", "requires_credentials"),
        ("pass_good", "SELECT_INSTITUTION", "institution_not_found"),
        ("pass_good", None, None),
    ],
)
def test_leaving_tells_where(
    app: Planned, password: str, view: str | None, status: str | None
) -> None:
    token = link_token(app)
    result = run(app, token, password=password, outcome="exit", exit_at=view)
    assert result["exit"]["error"] is None
    assert result["exit"]["metadata"]["status"] == status
    assert result["public_token"] is None
    [session] = sessions(app, token)
    assert session["exit"]["metadata"].get("status") == status
    assert session["results"]["item_add_results"] == []


def test_the_metadata_of_a_page_has_every_key(app: Planned) -> None:
    events = run(app, link_token(app))["events"]
    keys = {frozenset(one["metadata"]) for one in events}
    assert len(keys) == 1
    assert {"timestamp", "link_session_id", "request_id", "view_name", "mfa_type"} <= keys.pop()
    assert events[0]["metadata"]["is_update_mode"] == "false"


def test_wrong_answers_can_be_put_right(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app))
    pane = frame.log_in("mfa_questions_2_2")["pane"]
    assert [one["name"] for one in pane["fields"]] == ["answer_0", "answer_1"]
    pane = frame.submit(answer_0="answer_0_0", answer_1="wrong")["pane"]
    assert pane["problem"]["error_code"] == "INVALID_MFA"
    frame.submit(answer_0="answer_0_0", answer_1="answer_0_1")
    assert frame.turn["pane"]["problem"] is None
    frame.submit(answer_0="answer_1_0", answer_1="answer_1_1")
    assert frame.view == "SELECT_ACCOUNT"


def test_a_custom_user_is_asked_what_it_says(app: Planned) -> None:
    user = '{"mfa": {"type": "selections", "selection_rounds": 2, "selections_per_question": 3}}'
    token = link_token(app, products=["identity"])
    result = run(app, token, username="user_custom", password=user)
    assert told(result["events"]).count("TV(MFA selections)") == 2
    assert result["public_token"]
