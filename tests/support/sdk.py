"""Plaid's Python SDK, pointed at a server of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import plaid
import pytest
from plaid import model_utils
from plaid.api import plaid_api

from tests.support.server import Server

CLIENT_ID = "client_sandbox"
SECRET = "secret_sandbox"


# A third of the time that the SDK takes for an answer goes into dates, most of them the same.
model_utils.parse = cache(model_utils.parse)


def plaid_client(
    server: Server, client_id: str = CLIENT_ID, secret: str = SECRET
) -> plaid_api.PlaidApi:
    """An SDK client that, as the SDK does by default, checks every answer against its models."""
    return _plaid_client(server.url, client_id, secret)


@lru_cache(maxsize=32)
def _plaid_client(url: str, client_id: str, secret: str) -> plaid_api.PlaidApi:
    configuration = plaid.Configuration(
        host=url,
        api_key={"clientId": client_id, "secret": secret},
        # An answer with a field that the SDK does not know is an error.
        discard_unknown_keys=False,
    )
    return plaid_api.PlaidApi(plaid.ApiClient(configuration))


def expect_error(call: Callable[[], object], error_type: str, error_code: str) -> dict[str, Any]:
    """Check that a call fails with an error of this type and code, and return its body."""
    with pytest.raises(plaid.ApiException) as caught:
        call()
    text = caught.value.body
    body = json.loads(text)
    assert (body.get("error_type"), body.get("error_code")) == (error_type, error_code), text
    assert {"error_message", "display_message", "request_id"} <= body.keys(), text
    assert isinstance(body, dict)
    return body
