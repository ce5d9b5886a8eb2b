"""What a frame and a bank's page may do, and what they may not."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.control.plane import Planned
from tests.support.link import PLAIN_BANK, RETURN, Frame, create, link_token, sessions, told
from tests.support.server import Server


def test_a_user_links_an_item(app: Planned, frame: Frame) -> None:
    token = link_token(app)
    started = frame.start(link_token=token)
    assert told(started["events"]) == ["OPEN(CONSENT)"]
    assert started["about"]["client_name"] == "Shop"
    frame.log_in()
    assert told(frame.turn["events"]) == ["OPEN(CONSENT)"]
    frame.select_all()
    finished = frame.act("finish")["finished"]
    assert (finished["callback"], frame.view) == ("success", None)
    assert told(frame.turn["events"])[-2:] == ["TV(CONNECTED)", "HANDOFF"]
    exchanged = app.exchange(finished["public_token"])
    accounts = app.post("/accounts/get", access_token=exchanged["access_token"])["accounts"]
    assert [one["account_id"] for one in accounts] == [
        one["id"] for one in finished["metadata"]["accounts"]
    ]
    assert [one["mask"] for one in accounts] == ["0000", "1111"]
    assert {one["name"] for one in finished["metadata"]["accounts"]} == {
        one["official_name"] for one in accounts
    }


def test_what_is_finished_answers_the_same_again(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app))
    frame.log_in()
    frame.select_all()
    finished = frame.act("finish")["finished"]
    assert frame.act("finish")["finished"] == finished
    assert frame.act("search", query="x")["finished"] == finished
    assert frame.poll()["finished"] == finished


def test_an_institution_is_found_by_its_name(app: Planned, frame: Frame) -> None:
    token = link_token(app)
    frame.start(link_token=token)
    everything = frame.act("continue")["pane"]
    assert everything["total"] > 20
    found = frame.act("search", query="  BANK oauth ")["pane"]
    names = [one["name"] for one in found["institutions"]]
    assert names == ["Platypus OAuth Bank", "First Platypus OAuth App2App Bank"]
    assert frame.act("search", query="nowhere")["pane"]["institutions"] == []
    [session] = sessions(app, token)
    queries = [one["event_metadata"].get("institution_search_query") for one in session["events"]]
    assert [one for one in queries if one] == ["nowhere", "BANK oauth"]


def test_no_text_of_others_becomes_a_part_of_a_page(app: Planned, frame: Frame) -> None:
    evil = "<img src=x onerror=a>"
    started = frame.start(link_token=link_token(app, client_name=evil), html=True)
    assert "&lt;img src=x" in started["html"]
    assert "<img" not in started["html"]
    frame.act("continue")
    query = f"\"' {evil}"
    searched = frame.post(
        "/_link/act",
        session_key=frame.key,
        action="search",
        inputs={"query": query},
        html=True,
    )
    assert 'value="&#34;&#39; &lt;img' in searched["html"]
    assert "<img" not in searched["html"]


def test_institutions_of_other_countries_are_not_there(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app, country_codes=["GB"]))
    frame.act("continue")
    assert frame.try_to("select_institution", institution_id=PLAIN_BANK).code == "INVALID_FIELD"
    listed = {one["institution_id"] for one in frame.turn["pane"]["institutions"]}
    assert "ins_117650" in listed
    assert PLAIN_BANK not in listed


def test_a_bank_with_several_ways_in_asks_for_one(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app))
    frame.act("continue")
    brand = frame.act("select_institution", institution_id="ins_109508")["pane"]
    assert brand["view"] == "SELECT_BRAND"
    assert [one["institution_id"] for one in brand["institutions"]] == ["ins_109508", "ins_132241"]
    assert frame.try_to("select_institution", institution_id=PLAIN_BANK).code == "INVALID_FIELD"
    frame.act("select_institution", institution_id="ins_109508")
    assert frame.view == "CREDENTIAL"
    frame.act("back")
    assert frame.view == "SELECT_INSTITUTION"


@pytest.mark.parametrize(
    ("action", "inputs", "code"),
    [
        ("finish", {}, "LINK_ACTION_NOT_OFFERED"),
        ("submit", {"values": {}}, "LINK_ACTION_NOT_OFFERED"),
        ("no_such_action", {}, "INVALID_FIELD"),
        ("search", {}, "INVALID_FIELD"),
        ("search", {"query": 1}, "INVALID_FIELD"),
        ("search", {"query": "x" * 201}, "INVALID_FIELD"),
        ("search", {"query": "x", "other": 1}, "INVALID_FIELD"),
        ("select_institution", {"institution_id": "ins_0"}, "INVALID_FIELD"),
    ],
)
def test_what_the_pane_does_not_offer_is_refused(
    app: Planned, frame: Frame, action: str, inputs: dict[str, Any], code: str
) -> None:
    frame.start(link_token=link_token(app))
    before = frame.act("continue")
    assert frame.try_to(action, **inputs).code == code
    after = frame.poll()
    assert (after["pane"], after["events"]) == (before["pane"], before["events"])


@pytest.mark.parametrize(
    "values", [{}, {"username": "user_good"}, {"username": "a", "password": "b", "third": "c"}]
)
def test_a_form_takes_exactly_its_fields(
    app: Planned, frame: Frame, values: dict[str, str]
) -> None:
    frame.start(link_token=link_token(app))
    frame.act("continue")
    frame.act("select_institution", institution_id=PLAIN_BANK)
    assert frame.try_to("submit", values=values).code == "INVALID_FIELD"


def test_leaving_is_asked_about_once_the_user_has_begun(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app))
    frame.act("continue")
    frame.act("select_institution", institution_id=PLAIN_BANK)
    frame.act("exit")
    assert frame.view == "EXIT"
    frame.act("stay")
    assert frame.view == "CREDENTIAL"
    frame.act("exit")
    left = frame.act("exit")["finished"]
    assert (left["callback"], left["error"]) == ("exit", None)
    assert left["metadata"]["status"] == "requires_credentials"
    assert left["metadata"]["institution"]["institution_id"] == PLAIN_BANK
    frame.start(link_token=link_token(app))
    assert frame.act("exit")["finished"]["metadata"]["status"] is None


def test_leaving_by_force_asks_nothing_and_at_the_end_it_is_no_leaving(
    app: Planned, frame: Frame
) -> None:
    token = link_token(app)
    frame.start(link_token=token)
    frame.log_in()
    assert frame.act("exit", force=True)["finished"]["callback"] == "exit"
    frame.start(link_token=token)
    frame.log_in()
    frame.select_all()
    assert frame.act("exit")["finished"]["callback"] == "success"


def test_an_error_can_be_retried(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app))
    pane = frame.log_in("error_ITEM_LOCKED")["pane"]
    assert (pane["view"], pane["problem"]["error_code"]) == ("ERROR", "ITEM_LOCKED")
    frame.act("retry")
    assert frame.view == "CREDENTIAL"
    frame.submit(username="user_good", password="pass_good")
    frame.select_all()
    assert frame.act("finish")["finished"]["callback"] == "success"


def test_a_bank_in_a_window_of_its_own(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app, redirect_uri=RETURN))
    visit = frame.open_bank()
    page = frame.post("/_link/oauth", oauth_state_id=visit)
    assert [one["mask"] for one in page["accounts"]] == ["0000", "1111"]
    assert frame.poll()["pane"]["view"] == "OAUTH"
    key = page["accounts"][1]["key"]
    left = frame.post("/_link/oauth/approve", oauth_state_id=visit, accounts=[key])
    assert left["redirect_uri"] is None
    assert frame.poll()["pane"]["view"] == "CONNECTED"
    again = frame.post("/_link/oauth/approve", oauth_state_id=visit)
    assert again.code == "OAUTH_STATE_ID_ALREADY_PROCESSED"
    accounts = frame.act("finish")["finished"]["metadata"]["accounts"]
    assert [one["mask"] for one in accounts] == ["1111"]


def test_accounts_ticked_by_the_sandbox_are_those_shared(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app))
    visit = frame.open_bank()
    select = "/sandbox/oauth/select_accounts"
    assert frame.post(select, oauth_state_id=visit, accounts=["77"]).code == "INVALID_FIELD"
    assert frame.post(select, oauth_state_id="nobody", accounts=[]).code == "INCORRECT_OAUTH_NONCE"
    assert frame.post(select, oauth_state_id=visit, accounts=["1"]).body == {}
    frame.post("/_link/oauth/approve", oauth_state_id=visit)
    assert [one["mask"] for one in frame.poll()["pane"]["accounts"]] == ["1111"]


def test_a_window_that_is_closed_can_be_opened_again(app: Planned, frame: Frame) -> None:
    token = link_token(app)
    frame.start(link_token=token)
    visit = frame.open_bank()
    frame.act("close_oauth")
    assert frame.post("/_link/oauth/approve", oauth_state_id=visit).code == "INCORRECT_OAUTH_NONCE"
    assert frame.turn["pane"]["url"] is None
    frame.act("open_oauth")
    [session] = sessions(app, token)
    names = [one["event_name"] for one in reversed(session["events"])]
    assert names[-4:] == ["OPEN_OAUTH", "CLOSE_OAUTH", "TRANSITION_VIEW", "OPEN_OAUTH"]


def test_a_bank_in_place_of_the_page(app: Planned, frame: Frame, server: Server) -> None:
    token = link_token(app, redirect_uri=RETURN)
    session_id = frame.start(link_token=token, redirects=True)["link_session_id"]
    visit = frame.open_bank()
    left = frame.post("/_link/oauth/approve", oauth_state_id=visit)
    back = f"{RETURN}?oauth_state_id={visit}"
    assert left["redirect_uri"] == back
    for wrong in (f"{back}&more=1", f"{back}#here", RETURN):
        assert frame.start(received_redirect_uri=wrong).code == "INVALID_FIELD"
    stranger = {"received_redirect_uri": f"{RETURN}?oauth_state_id=unknown"}
    assert frame.start(**stranger).code == "INCORRECT_OAUTH_NONCE"
    elsewhere = {"link_token": link_token(app), "received_redirect_uri": back}
    assert frame.start(**elsewhere).code == "INCORRECT_OAUTH_NONCE"
    page = Frame(server.url)
    returned = page.start(received_redirect_uri=back)
    assert returned["link_session_id"] == session_id
    assert told(returned["events"]) == ["OPEN"]
    assert page.view == "CONNECTED"
    old_page = frame.post("/_link/poll", session_key=frame.key)
    assert old_page.code == "INVALID_LINK_TOKEN"
    assert page.act("finish")["finished"]["callback"] == "success"
    assert told(page.turn["events"]) == ["OPEN", "TV(CONNECTED)", "HANDOFF"]
    assert len(sessions(app, token)) == 1
    late = Frame(server.url).start(received_redirect_uri=back)
    assert late.code == "OAUTH_STATE_ID_ALREADY_PROCESSED"


def test_a_bank_in_place_of_the_page_that_was_denied(
    app: Planned, frame: Frame, server: Server
) -> None:
    frame.start(link_token=link_token(app, redirect_uri=RETURN), redirects=True)
    visit = frame.open_bank()
    frame.post("/_link/oauth/deny", oauth_state_id=visit)
    page = Frame(server.url)
    page.start(received_redirect_uri=f"{RETURN}?oauth_state_id={visit}")
    assert page.view == "ERROR"
    assert page.act("exit")["finished"]["metadata"]["status"] == "requires_oauth"
    assert told(page.turn["events"]) == [
        "OPEN",
        "ERROR(ACCESS_NOT_GRANTED)",
        "TV(ERROR)",
        "EXIT(requires_oauth, ACCESS_NOT_GRANTED)",
    ]


def test_of_parallel_acts_one_counts(app: Planned, frame: Frame, server: Server) -> None:
    token = link_token(app)
    frame.start(link_token=token)
    frame.log_in()
    frame.select_all()
    frames = [Frame(server.url) for _ in range(6)]
    answers: list[Any] = []

    def finish(one: Frame) -> None:
        one.key = frame.key
        answers.append(one.try_to("finish"))

    threads = [threading.Thread(target=finish, args=(one,)) for one in frames]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tokens = {one["finished"]["public_token"] for one in answers if one.status == 200}
    assert len(tokens) == 1
    assert {one.code for one in answers} <= {"OK", "RATE_LIMIT"}
    [session] = sessions(app, token)
    assert len(session["results"]["item_add_results"]) == 1


@pytest.mark.parametrize("key", ["", "0" * 64, "link-sandbox-x"])
def test_nobody_acts_without_the_key(app: Planned, frame: Frame, key: str) -> None:
    frame.start(link_token=link_token(app))
    frame.key = key
    assert frame.try_to("continue").code in ("INVALID_LINK_TOKEN", "INVALID_FIELD")


def test_the_id_of_a_session_opens_nothing(app: Planned, frame: Frame) -> None:
    frame.key = frame.start(link_token=link_token(app))["link_session_id"]
    assert frame.try_to("continue").code == "INVALID_LINK_TOKEN"


def test_clients_do_not_see_each_other(app: Planned, other: Planned, frame: Frame) -> None:
    token = link_token(app)
    session_id = frame.start(link_token=token)["link_session_id"]
    assert other.post("/link/token/get", link_token=token).code == "INVALID_LINK_TOKEN"
    for path in ("run", "plan", "plan/clear", "start"):
        assert other.sandbox(f"link/{path}", link_token=token).code == "INVALID_LINK_TOKEN"
    act = {"link_session_id": session_id, "action": "continue"}
    assert other.sandbox("link/act", **act).code == "INVALID_FIELD"
    assert other.sandbox("link/state", link_session_id=session_id).code == "INVALID_FIELD"
    assert app.sandbox("link/act", **act)["pane"]["view"] == "SELECT_INSTITUTION"
    assert frame.poll()["pane"]["view"] == "SELECT_INSTITUTION"


def test_a_token_that_expired_opens_nothing(app: Planned, frame: Frame) -> None:
    app.sandbox("clock", now="2026-03-01T12:00:00Z")
    token = link_token(app)
    frame.start(link_token=token)
    app.sandbox("clock/advance", seconds=4 * 3600 - 1)
    assert frame.start(link_token=token).code == "OK"
    app.sandbox("clock/advance", seconds=1)
    assert Frame(app.url).start(link_token=token).code == "INVALID_LINK_TOKEN"
    assert app.sandbox("link/run", link_token=token).code == "INVALID_LINK_TOKEN"
    assert frame.act("continue")["pane"]["view"] == "SELECT_INSTITUTION"
    assert len(sessions(app, token)) == 2


@pytest.mark.parametrize(
    "token",
    ["link-sandbox-00000000-0000-4000-8000-000000000000", "public-sandbox-x", "x"],
)
def test_no_other_text_opens_link(app: Planned, frame: Frame, token: str) -> None:
    assert frame.start(link_token=token).code == "INVALID_LINK_TOKEN"
    assert app.post("/link/token/get", link_token=token).code == "INVALID_LINK_TOKEN"


def test_a_hosted_page_is_found_by_its_address(app: Planned, frame: Frame) -> None:
    target = {"completion_redirect_uri": "shop://done"}
    created = create(app, hosted_link=target)
    url = created["hosted_link_url"]
    assert url.startswith(f"{app.url}/link/lp")
    hosted_id = url.rpartition("/lp")[2]
    assert len(hosted_id) == 32
    assert frame.start(hosted_id=hosted_id)["about"]["hosted"] is True
    assert frame.act("exit")["finished"]["completion_redirect_uri"] == "shop://done"
    assert frame.start(hosted_id="0" * 32).code == "INVALID_LINK_TOKEN"
