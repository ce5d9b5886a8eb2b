"""The background: fair to all clients, patient with what fails, and never too late to notice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import URL

from tests.store.databases import execute
from tests.waking.bank import NOON, WEBHOOK, Linked, Plane, opened
from treadle import store
from treadle.bank.waking import wake
from treadle.clock import DAY
from treadle.gates import ItemGate, ProcessorGate
from treadle.tokens.minting import Kind, mint
from treadle.tokens.rows import SET_TOKEN_WEBHOOK
from treadle.wire.item import ItemGetRequest
from treadle.wire.processor import ProcessorTokenWebhookUpdateRequest

Run = Callable[[Callable[[Plane], Awaitable[None]]], None]


@pytest.fixture
def plane(url: str, tmp_path: Path) -> Run:
    """Runs a test's coroutine on a plane whose clock stands still at noon."""

    def run(test: Callable[[Plane], Awaitable[None]]) -> None:
        async def inside() -> None:
            async with opened(url, tmp_path) as plane:
                await test(plane)

        asyncio.run(inside())

    return run


def test_a_client_with_many_items_holds_up_nobody(plane: Run) -> None:
    async def test(plane: Plane) -> None:
        many = [await plane.link("other") for _ in range(40)]
        one = await plane.link("shop")
        plane.bank.seconds = dict.fromkeys((linked.account_id for linked in many), 0.05)
        plane.alarm.start()
        await plane.woke(one)
        assert sum([(await plane.item(linked)).is_due(plane.clock.now()) for linked in many]) > 20
        for linked in many:
            await plane.woke(linked)

    plane(test)


def test_a_bank_that_does_not_answer_holds_up_nobody(plane: Run) -> None:
    async def test(plane: Plane) -> None:
        stuck = [await plane.link("other") for _ in range(10)]
        plane.bank.seconds = dict.fromkeys((linked.account_id for linked in stuck), 3_600.0)
        plane.alarm.start()
        await asyncio.sleep(0.2)
        await plane.woke(await plane.link("shop"))
        async with asyncio.timeout(2):
            await plane.alarm.close()

    plane(test)


def test_a_bank_that_fails_is_tried_again_later(
    plane: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("treadle.alarm._RETRY_SECONDS", 1.5)

    async def test(plane: Plane) -> None:
        failing = [await plane.link("shop") for _ in range(12)]
        plane.bank.failing = {linked.account_id for linked in failing}
        plane.clock.instant += 1
        healthy = await plane.link("shop")
        plane.alarm.start()
        # Those that fail come first each time, and do not crowd it out.
        await plane.woke(healthy)
        async with asyncio.timeout(10):
            while not plane.bank.failing <= set(plane.bank.asked):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert [plane.bank.asked.count(linked.account_id) for linked in failing] == [1] * 12
        plane.bank.failing.clear()
        for linked in failing:
            await plane.woke(linked)

    with caplog.at_level(logging.WARNING, "treadle.error"):
        plane(test)
    assert len(caplog.records) == 12


def test_a_database_that_fails_is_asked_again(
    plane: Run, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(plane: Plane) -> None:
        linked = await plane.link("shop")
        await asyncio.to_thread(execute, url, "ALTER TABLE items RENAME TO elsewhere")
        plane.alarm.start()
        async with asyncio.timeout(10):
            while not caplog.records:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.to_thread(execute, url, "ALTER TABLE elsewhere RENAME TO items")
        await plane.woke(linked)

    plane(test)


def test_a_listener_that_comes_while_an_item_wakes_is_heeded(plane: Run) -> None:
    async def test(plane: Plane) -> None:
        for _ in range(5):
            linked = await plane.link("shop", webhook=None)
            minted = await _mint(plane, "processor", linked, account_id=linked.account_id)
            call = await plane.call("shop")
            call.wake_item(await plane.item(linked))
            await call.commit()
            setting = await plane.call("shop")
            setting.change.write(
                SET_TOKEN_WEBHOOK,
                the_token_id=minted.token_id,
                the_client_id="shop",
                webhook=WEBHOOK,
            )
            setting.wake_item(await plane.item(linked))
            # Who wakes it has read that nobody listens before this is kept.
            await asyncio.gather(setting.commit(), wake(plane.services, "shop", linked.item_id))
            plane.alarm.start()
            await plane.woke(linked)
            await plane.alarm.close()
            assert (await plane.update(linked)).updated_at is not None

    plane(test)


def test_two_that_wake_one_item_do_it_once(plane: Run) -> None:
    async def test(plane: Plane) -> None:
        linked = await plane.link("shop")
        plane.bank.seconds[linked.account_id] = 0.02
        plane.clock.instant += 3 * DAY
        await asyncio.gather(*(wake(plane.services, "shop", linked.item_id) for _ in range(4)))
        # At noon, and at three midnights.
        assert (await plane.update(linked)).revision == 4

    plane(test)


def test_a_call_waits_for_nobody(plane: Run) -> None:
    async def test(plane: Plane) -> None:
        linked, other = await plane.link("shop"), await plane.link("shop")
        access = await _mint(plane, "access", linked)
        processor = await _mint(plane, "processor", other, account_id=other.account_id)
        plane.clock.instant += 30 * DAY
        call = await plane.call("shop")
        seen = await ItemGate().open(call, ItemGetRequest(access_token=access.text), "/item/get")
        assert seen.item.error_code == "ITEM_LOGIN_REQUIRED"
        path = "/processor/token/webhook/update"
        request = ProcessorTokenWebhookUpdateRequest(processor_token=processor.text, webhook=None)
        read = await ProcessorGate().open(call, request, path)
        assert read.item.error_code == "ITEM_LOGIN_REQUIRED"
        # At noon, and at each midnight until the login ran out.
        assert (await plane.update(linked)).revision == 31

    plane(test)


def test_an_item_from_before_there_was_waking(url: str, tmp_path: Path) -> None:
    migrate(url, "0004")
    of_item = {
        "item_id": "old",
        "client_id": "shop",
        "institution_id": "ins_109508",
        "source": "sandbox",
        "available_products": "[]",
        "billed_products": "[]",
        "options": "{}",
        "login_expires_at": NOON - DAY,
        "created_at": NOON - 31 * DAY,
        "revision": 0,
    }
    values = ", ".join(repr(value) for value in of_item.values())
    execute(url, f"INSERT INTO items ({', '.join(of_item)}) VALUES ({values})")

    async def run() -> None:
        async with opened(url, tmp_path) as plane:
            plane.alarm.start()
            old = Linked("shop", "old", "")
            await plane.woke(old)
            assert (await plane.item(old)).error_code == "ITEM_LOGIN_REQUIRED"

    asyncio.run(run())


def migrate(url: str, revision: str) -> None:
    """Bring an empty database to an older schema."""
    config = Config()
    config.set_main_option("script_location", str(Path(store.__file__ or "").parent / "migrations"))
    path = url.removeprefix("sqlite:///")
    config.attributes["url"] = url if path == url else URL.create("sqlite", database=path)
    command.upgrade(config, revision)


class _Minted(NamedTuple):
    text: str
    token_id: str


async def _mint(plane: Plane, kind: Kind, linked: Linked, **fields: str) -> _Minted:
    call = await plane.call("shop")
    text = mint(call, kind, linked.item_id, **fields)
    token_id = call.change.records[-1].token_id or ""
    await call.commit()
    return _Minted(text, token_id)
