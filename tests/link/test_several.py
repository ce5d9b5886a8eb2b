"""Several Items in one session, pages of Link's own, and the webhooks that tell of both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.plane import Planned
from tests.support.link import OAUTH_BANK, PLAIN_BANK, Frame, link_token, run, sessions
from tests.support.receiver import Receiver

SECOND = {"institution_id": PLAIN_BANK}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def webhooks(receiver: Receiver, count: int) -> list[dict[str, Any]]:
    """So many webhooks of Link, in the order in which they came."""
    return [json.loads(one.body) for one in receiver.wait(count)]


def test_each_item_is_told_of_and_then_the_session(app: Planned, receiver: Receiver) -> None:
    token = link_token(app, enable_multi_item_link=True, webhook=receiver.url)
    result = run(app, token, institution_id=OAUTH_BANK, further_items=[SECOND])
    assert result["metadata"]["accounts"] == []
    told = webhooks(receiver, 4)
    codes = ["ITEM_ADD_RESULT", "ITEM_ADD_RESULT", "EVENTS", "SESSION_FINISHED"]
    assert [one["webhook_code"] for one in told] == codes
    assert {one["webhook_type"] for one in told} == {"LINK"}
    assert {one["link_token"] for one in told} == {token}
    assert [told[0]["public_token"], told[1]["public_token"]] == result["public_tokens"]
    finished = told[3]
    assert finished["status"] == "SUCCESS"
    assert finished["public_tokens"] == result["public_tokens"]
    [session] = sessions(app, token)
    assert told[2]["events"] == session["events"]
    added = session["results"]["item_add_results"]
    assert [one["public_token"] for one in added] == result["public_tokens"]
    assert session["on_success"] is None
    for public_token in result["public_tokens"]:
        assert app.exchange(public_token).code == "OK"
        assert app.exchange(public_token).code == "INVALID_PUBLIC_TOKEN"


def test_a_hosted_page_that_was_left_is_told_of(app: Planned, receiver: Receiver) -> None:
    token = link_token(app, hosted_link={}, webhook=receiver.url)
    run(app, token, outcome="exit", exit_at="SELECT_INSTITUTION")
    told = webhooks(receiver, 2)
    assert [one["webhook_code"] for one in told] == ["EVENTS", "SESSION_FINISHED"]
    assert told[1]["status"] == "EXITED"
    assert told[1]["public_tokens"] == []
    assert "public_token" not in told[1]


def test_of_what_was_left_without_a_word_it_is_told_later(
    app: Planned, frame: Frame, receiver: Receiver
) -> None:
    token = link_token(app, hosted_link={}, webhook=receiver.url)
    frame.start(link_token=token)
    frame.act("continue")
    app.sandbox("clock/advance", minutes=9)
    frame.act("search", query="tartan")
    app.sandbox("clock/advance", minutes=9)
    app.sandbox("clock/advance", minutes=2)
    [left] = webhooks(receiver, 1)
    [session] = sessions(app, token)
    assert (left["webhook_code"], left["events"]) == ("EVENTS", session["events"])
    assert left["events"][0]["event_name"] == "SEARCH_INSTITUTION"

    frame.act("exit")
    _, again, finished = webhooks(receiver, 3)
    assert (again["webhook_code"], finished["webhook_code"]) == ("EVENTS", "SESSION_FINISHED")
    assert again["events"][-len(left["events"]) :] == left["events"]
    app.sandbox("clock/advance", hours=1)
    other = link_token(app, hosted_link={}, webhook=receiver.url)
    run(app, other, outcome="exit")
    assert {one["link_token"] for one in webhooks(receiver, 5)[3:]} == {other}


def test_of_other_sessions_no_webhook_tells(app: Planned, receiver: Receiver) -> None:
    run(app, link_token(app, webhook=receiver.url))
    token = link_token(app, hosted_link={}, webhook=receiver.url)
    run(app, token, outcome="exit")
    told = webhooks(receiver, 2)
    assert {one["link_token"] for one in told} == {token}


def test_what_was_added_stays_when_the_user_leaves(app: Planned, frame: Frame) -> None:
    token = link_token(app, enable_multi_item_link=True)
    frame.start(link_token=token)
    frame.log_in()
    frame.select_all()
    frame.act("add_another")
    assert frame.view == "SELECT_INSTITUTION"
    finished = frame.act("exit", force=True)["finished"]
    assert (finished["callback"], finished["public_token"]) == ("success", None)
    assert finished["metadata"]["accounts"] == []
    [session] = sessions(app, token)
    [added] = session["results"]["item_add_results"]
    assert app.exchange(added["public_token"]).code == "OK"


def test_one_item_is_all_where_no_more_were_asked_for(app: Planned, frame: Frame) -> None:
    frame.start(link_token=link_token(app))
    frame.log_in()
    assert frame.select_all()["pane"]["actions"] == ["finish"]
    assert frame.try_to("add_another").code == "LINK_ACTION_NOT_OFFERED"
