"""A client of the test's own on the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server
from treadle.client import Treadle


@pytest.fixture
def ready(server: Server) -> Iterator[Treadle]:
    """The ready client."""
    with Treadle(server.url, CLIENT_ID, SECRET) as ready:
        yield ready


@pytest.fixture
def treadle(ready: Treadle) -> Iterator[Treadle]:
    made = ready.clients.create()
    with Treadle(ready.base_url, made.client.client_id, made.secret) as treadle:
        yield treadle
    ready.clients.delete(made.client.client_id)


def link_token(treadle: Treadle) -> str:
    token: str = treadle.call(
        "/link/token/create",
        client_name="Shop",
        language="en",
        country_codes=["US"],
        user={"client_user_id": "one"},
        products=["auth"],
    )["link_token"]
    return token


def access_token(treadle: Treadle) -> str:
    public_token = treadle.call(
        "/sandbox/public_token/create", institution_id="ins_109508", initial_products=["auth"]
    )["public_token"]
    token: str = treadle.call("/item/public_token/exchange", public_token=public_token)[
        "access_token"
    ]
    return token


def processor_token(treadle: Treadle) -> str:
    access = {"access_token": access_token(treadle)}
    accounts = treadle.call("/accounts/get", **access)["accounts"]
    token: str = treadle.call(
        "/processor/token/create",
        **access,
        account_id=accounts[0]["account_id"],
        processor="dwolla",
    )["processor_token"]
    return token
