"""Custom users of any kind link, and every read of them is answered as the SDK has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import plaid
import pytest
from hypothesis import HealthCheck, given, settings

from tests.bank.scripted import ScriptedBank, World, open_world
from tests.sources.custom.test_properties import users
from tests.support.effort import tries
from tests.support.flows import FURTHER_FIELDS, implemented, token_operations
from treadle.sources.sandbox.sandbox import SandboxSource
from treadle.sources.source import Reading, TransactionsPicture
from treadle.wire.operations import OPERATIONS

# What a user without the accounts that a product needs may be answered.
ABSENT = {
    "NO_AUTH_ACCOUNTS",
    "NO_INVESTMENT_ACCOUNTS",
    "NO_INVESTMENT_AUTH_ACCOUNTS",
    "NO_LIABILITY_ACCOUNTS",
    "ITEM_NOT_SUPPORTED",
    "PRODUCT_NOT_ENABLED",
}
PATHS = {operation.name: path for path, operation in OPERATIONS.items()}
READS = [
    (name, kind)
    for name, kind in token_operations("access", "processor")
    if name.endswith(("_get", "_sync", "_refresh", "_match"))
    and not name.startswith(("processor_token_", "item_"))
]
_READ_OF_LIST = 3
SDK = plaid.ApiClient(plaid.Configuration(host="http://127.0.0.1", discard_unknown_keys=False))


class SandboxBank(ScriptedBank):
    """The sandbox as it is."""

    async def transactions(self, reading: Reading) -> TransactionsPicture:
        return await SandboxSource.transactions(self, reading)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any], Any]]:
    """A function that runs `action(world)`."""
    with asyncio.Runner() as runner:
        data: Path = tmp_path_factory.mktemp("described")
        world = runner.run(open_world(data, bank=SandboxBank()))
        yield lambda action: runner.run(action(world))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_any_valid_user_can_be_read(run: Callable[[Any], Any]) -> None:
    assert len(READS) >= 20

    @settings(max_examples=tries(40, thorough=400), suppress_health_check=list(HealthCheck))
    @given(users)
    def all_users(user: dict[str, Any]) -> None:
        run(lambda world: live(world, user))

    all_users()


async def live(world: World, user: dict[str, Any]) -> None:
    created = await world.post(
        "/sandbox/public_token/create",
        institution_id="ins_109508",
        initial_products=["transactions"],
        options={
            "override_username": "user_custom",
            "override_password": json.dumps(user),
            "transactions": {"days_requested": 14},
        },
    )
    if expected := refusal(user):
        assert created["error_code"] == expected
        return
    exchanged = await world.post(
        "/item/public_token/exchange", public_token=created["public_token"]
    )
    access = {"access_token": exchanged["access_token"]}
    (first, *_) = (await world.post("/accounts/get", **access))["accounts"]
    minted = await world.post(
        "/processor/token/create",
        **access,
        account_id=first["account_id"],
        processor="dwolla",
    )
    tokens = {"access": access, "processor": {"processor_token": minted["processor_token"]}}
    for name, kind in READS:
        await read(world, name, tokens[kind])
    world.next_day()
    for name in ("transactions_sync", "liabilities_get", "investments_transactions_get"):
        await read(world, name, access)


def refusal(user: dict[str, Any]) -> str | None:
    """The error that a user asks for, if any."""
    if user.get("force_error"):
        return str(user["force_error"])
    if user.get("recaptcha") == "bad":
        return "RECAPTCHA_BAD"
    accounts = user.get("override_accounts") or [{}]
    return "NO_ACCOUNTS" if all(map(is_payroll, accounts)) else None


def is_payroll(account: dict[str, Any]) -> bool:
    return "payroll" in (account.get("type"), account.get("subtype"))


async def read(world: World, name: str, token: dict[str, str]) -> None:
    further = json.loads(json.dumps(FURTHER_FIELDS.get(name, {}), default=str))
    answer = await world.post(PATHS[name], **token, **further)
    if "error_code" in answer:
        assert answer["error_code"] in ABSENT, (name, answer)
        return
    for member in answer.values():
        if isinstance(member, list):
            # Entries of a list are alike, and the SDK takes long to read one.
            del member[_READ_OF_LIST:]
    model = getattr(plaid.api.plaid_api, str(implemented()[name].response))
    SDK.deserialize(SimpleNamespace(data=json.dumps(answer)), (model,), _check_type=True)
