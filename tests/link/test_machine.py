"""Whatever a user does, a session goes on, and makes no more than it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.effort import tries
from treadle.app import open_services
from treadle.areas.link import link_token_create
from treadle.call import ClientCall, Services
from treadle.clients import CLIENT
from treadle.clock import FixedClock, parse_instant
from treadle.http.errors import ApiError
from treadle.link.actions import Continue, Exit, UserAction, name_of, parse_action
from treadle.link.gate import find_token
from treadle.link.panes import Pane
from treadle.link.rows import SESSION_OF_CLIENT, LinkToken, seal_setup
from treadle.link.session import Session, begin_session
from treadle.link.setup import Setup
from treadle.link.step import BankNews, Denied, Granted, Preselected, Returned
from treadle.settings import SANDBOX_CLIENT_ID, Settings
from treadle.store.change import GuardFailed
from treadle.wire.common import CountryCode, Products
from treadle.wire.link import (
    LinkTokenCreateRequest,
    LinkTokenCreateRequestAuth,
    LinkTokenCreateRequestUser,
)

NOW = parse_instant("2026-03-01T12:00:00Z")
SETUPS: dict[str, dict[str, Any]] = {
    "plain": {},
    "numbers": {
        "auth": LinkTokenCreateRequestAuth(
            same_day_microdeposits_enabled=True, auth_type_select_enabled=True
        )
    },
    "several": {"multi_item": True},
    "returning": {"redirects": True, "redirect_uri": "http://localhost/return"},
}

# One way on from each pane, for sequences that get far, and much that leads nowhere.
_WAYS_ON: dict[str, dict[str, Any]] = {
    "select_institution": {"institution_id": "ins_109511"},
    "search": {"query": "bank"},
    "select_accounts": {"accounts": ["0"]},
    "select_auth_type": {"selection": "flow_type_manual"},
    "submit_phone": {"phone_number": "4155550011"},
}
_INSTITUTIONS = ["ins_109508", "ins_109511", "ins_109512", "ins_127287", "ins_135858", "ins_0", ""]
_TEXTS = st.sampled_from(
    [
        *("user_good", "pass_good", "mfa_device", "mfa_questions_1_1", "error_ITEM_LOCKED"),
        *("1234", "answer_0_0", "123456", "ABC", "110000000", "1111222233330000", "checking", ""),
    ]
)
_ACTIONS: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    st.sampled_from(
        [
            *("continue", "connect_new", "enter_numbers", "open_oauth", "close_oauth"),
            *("add_another", "finish", "retry", "back", "stay", "exit"),
        ]
    ).map(lambda name: (name, {})),
    st.sampled_from(_INSTITUTIONS).map(lambda one: ("select_institution", {"institution_id": one})),
    st.lists(st.sampled_from(["0", "1", "2", "99", "x"]), max_size=3).map(
        lambda keys: ("select_accounts", {"accounts": keys})
    ),
    st.sampled_from([*SETUPS]).map(lambda text: ("search", {"query": text})),
)
_NEWS = st.sampled_from([Granted(None), Granted(["0"]), Granted([]), Denied(), Returned()])
# Most steps are ones that the pane offers.
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offered"), st.integers(0, 20), st.lists(_TEXTS, min_size=3, max_size=3)),
        st.tuples(st.just("offered"), st.integers(0, 20), st.lists(_TEXTS, min_size=3, max_size=3)),
        st.tuples(st.just("any"), _ACTIONS, st.none()),
        st.tuples(st.just("news"), _NEWS, st.none()),
        st.tuples(st.just("news"), st.just(Preselected(["0"])), st.none()),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    data: Path = tmp_path_factory.mktemp("machine")
    opened = asyncio.run(open_services(Settings(data=data, clock=NOW)))
    yield opened
    asyncio.run(opened.store.close())


def action_of(pane: Pane, number: int, texts: list[str]) -> UserAction:
    """An action that the pane offers, with inputs that may fit."""
    name = pane.actions[number % len(pane.actions)] if pane.actions else "exit"
    if name != "submit":
        return parse_action(name, _WAYS_ON.get(name, {}))
    fields = getattr(pane, "fields", [])
    values = {
        one.name: one.choices[0].value if one.choices else texts[place % len(texts)]
        for place, one in enumerate(fields)
    }
    if {"username", "password"} == values.keys():
        values["username"] = "user_good"
    return parse_action("submit", {"values": values})


async def play(services: Services, setup: Setup, redirects: bool, steps: list[Any]) -> Session:
    client = await services.store.first(CLIENT, client_id=SANDBOX_CLIENT_ID)
    assert client is not None
    assert isinstance(services.clock, FixedClock)
    call = ClientCall(services, "request", NOW, client)
    sealed = seal_setup(services.keys, "token", setup)
    token = LinkToken("token", client.client_id, sealed, None, None, NOW, NOW + 1)
    session = await begin_session(call, token, redirects=redirects)
    for kind, what, texts in steps:
        if session.state.pane is None:
            break
        before = session.state.log.events[:]
        refusal = await do(session, kind, what, texts)
        if refusal is not None:
            # What was refused is not kept, and so the session is over for this test.
            assert refusal.kind.status in (208, 400)
            break
        assert session.state.log.events[: len(before)] == before
        session.keep()
    return session


async def do(session: Session, kind: str, what: Any, texts: list[str] | None) -> ApiError | None:
    """One step; answers why it was refused, which no action that the pane offers is for itself."""
    pane = session.state.pane
    assert pane is not None
    if kind == "news":
        news: BankNews = what
        return await refusal_of(session.hear(news))
    if kind == "offered":
        action = action_of(pane, what, texts or [""])
        refusal = await refusal_of(session.act(action))
        assert refusal is None or refusal.kind.error_code == "INVALID_FIELD"
        return refusal
    action = parse_action(*what)
    refusal = await refusal_of(session.act(action))
    if name_of(action) in [*pane.actions, "exit"]:
        assert refusal is None or refusal.kind.error_code == "INVALID_FIELD"
    else:
        assert refusal is not None
        assert refusal.kind.error_code == "LINK_ACTION_NOT_OFFERED"
    return refusal


async def refusal_of(step: Awaitable[None]) -> ApiError | None:
    try:
        await step
    except ApiError as refusal:
        return refusal
    return None


def test_of_two_steps_on_one_state_the_second_is_not_kept(services: Services) -> None:
    async def run() -> None:
        client = await services.store.first(CLIENT, client_id=SANDBOX_CLIENT_ID)
        assert client is not None

        def a_call() -> ClientCall:
            return ClientCall(services, "request", NOW, client)

        call = a_call()
        request = LinkTokenCreateRequest(
            client_name="Shop",
            language="en",
            country_codes=[CountryCode.US],
            user=LinkTokenCreateRequestUser(client_user_id="somebody"),
            products=[Products.AUTH],
        )
        created = await link_token_create(call, request)
        await call.commit()
        call = a_call()
        token = await find_token(call, created.link_token)
        assert token is not None
        begun = await begin_session(call, token)
        begun.keep()
        await call.commit()
        names = {"session_id": begun.session_id, "client_id": client.client_id}
        found = await services.store.first(SESSION_OF_CLIENT, **names)
        assert found is not None
        steps = []
        for action in (Continue(), Exit()):
            call = a_call()
            session = Session(call, found.token, found.row)
            await session.act(action)
            session.keep()
            steps.append(call)
        await steps[0].commit()
        with pytest.raises(GuardFailed):
            await steps[1].commit()

    asyncio.run(run())


@pytest.mark.parametrize("name", SETUPS)
@settings(max_examples=tries(30, thorough=500))
@given(steps=_STEPS)
def test_any_sequence_of_actions_is_sound(services: Services, name: str, steps: list[Any]) -> None:
    given_to = dict(SETUPS[name])
    redirects = bool(given_to.pop("redirects", False))
    setup = Setup(
        link_token="link-sandbox-x",
        client_name="Shop",
        language="en",
        country_codes=["US"],
        products=["auth"],
        **given_to,
    )
    session = asyncio.run(play(services, setup, redirects, steps))
    state = session.state
    events = [one.name for one in state.log.events]
    times = [one.at for one in state.log.events]
    assert times == sorted(set(times))
    assert events[0] == "OPEN"
    assert events.count("HANDOFF") == len(state.added) == len(session.public_tokens)
    assert len(set(session.public_tokens.values())) == len(state.added)
    assert setup.multi_item or len(state.added) <= 1
    if state.ending is None:
        assert state.pane is not None
        return
    assert state.pane is None
    assert state.login is None
    if state.ending.success:
        assert state.added
        assert "EXIT" not in events
    else:
        assert events[-1] == "EXIT"
        assert not state.added
