"""What time alone ends: public tokens and sandbox logins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.flows import (
    LOGIN_REQUIRED,
    UNKNOWN_TOKEN,
    call,
    link,
    mint,
    refused,
    sandbox_public_token,
)
from tests.support.sdk import plaid_client
from tests.support.server import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def at(serve: Callable[..., Server], store: list[str], tmp_path: Path) -> Callable[[str], Server]:
    """A function that stops the clock of one and the same server at an instant."""
    running: list[Server] = []

    def start(instant: str) -> Server:
        if running:
            running.pop().stop()
        running.append(serve("--clock", instant, *store, data=tmp_path / "data"))
        return running[0]

    return start


def test_public_token_lives_for_thirty_minutes(at: Callable[[str], Server]) -> None:
    api = plaid_client(at("2026-03-01T12:00:00Z"))
    early, late = sandbox_public_token(api, "auth"), sandbox_public_token(api, "auth")
    api = plaid_client(at("2026-03-01T12:29:59Z"))
    call(api, "item_public_token_exchange", public_token=early)
    api = plaid_client(at("2026-03-01T12:30:00Z"))
    refused(api, "item_public_token_exchange", UNKNOWN_TOKEN["public"], public_token=late)


def test_sandbox_login_lives_for_thirty_days(at: Callable[[str], Server]) -> None:
    api = plaid_client(at("2026-03-01T12:00:00Z"))
    linked = link(api)
    token = mint(api, linked)
    api = plaid_client(at("2026-03-31T11:59:59Z"))
    call(api, "processor_auth_get", processor_token=token)
    api = plaid_client(at("2026-03-31T12:00:00Z"))
    refused(api, "processor_auth_get", LOGIN_REQUIRED, processor_token=token)
    error = call(api, "item_get", access_token=linked.access_token)["item"]["error"]
    assert error["error_code"] == "ITEM_LOGIN_REQUIRED"
